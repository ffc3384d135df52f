#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  export DATA=$BATS_TEST_TMPDIR/data
  mkdir "$DATA"
  owned_by_user "$DATA"
}

@test "folders_give: makes and gives away; never a folder of the system; failing is a warning" {
  run -0 with_entrypoint 'security_own() { echo "own $1"; }; folders_give "$STATE_DIR/x y" NAME'
  [ "$output" = "own $STATE_FOLDERS/x y" ]
  run -2 with_entrypoint 'folders_give /etc NAME'
  [[ $output == *"NAME: expected a folder for data alone, found '/etc', which belongs to the system"* ]]
  run -0 with_entrypoint 'security_own() { return 1; }; folders_give "$STATE_DIR/x" NAME'
  [[ $output == *WARN*'cannot give '* ]]
}

@test "folders_give: a link is looked through, so it does not lead into the system" {
  ln -s /etc "$BATS_TEST_TMPDIR/state/link"
  run -2 with_entrypoint 'folders_give "$STATE_DIR/link" NAME'
  [[ $output == *"found '/etc', which belongs to the system"* ]]
}

@test "folders_resolve: where a folder really is; a missing one as it is" {
  ln -s "$DATA" "$BATS_TEST_TMPDIR/link"
  run -0 with_entrypoint 'folders_resolve "$DATA/../link"; echo "$REPLY"; folders_resolve /none; echo "$REPLY"'
  [ "$output" = "$(cd "$DATA" && pwd -P)"$'\n/none' ]
}

@test "folders_refuse: the variable, the folder, the user and the way out" {
  run -3 with_entrypoint 'folders_refuse /a "which is odd" NAME'
  [[ $output == *"NAME: expected a folder that user "*" owns and can write, found '/a', which is odd; as root on the host"* ]]
  [[ $output == *'chown -R '*'--user root' ]]
}

@test "folders_make: makes a missing one, leaves one that is there, refuses a file and what cannot be made" {
  run -0 with_entrypoint 'folders_make "$STATE_DIR/a/b c" NAME; folders_make "$DATA" NAME'
  [ -d "$STATE_FOLDERS/a/b c" ]
  touch "$BATS_TEST_TMPDIR/file"
  run -3 with_entrypoint 'folders_make "$DATA/../file" NAME'
  [[ $output == *'NAME: '*'which is no folder'* ]]
  run -3 with_entrypoint 'folders_make /proc/none NAME'
  [[ $output == *'NAME: '*'which does not exist and cannot be made'* ]]
}

@test "folders_lock: alone, once; a second container is refused" {
  local lock
  run -0 with_entrypoint 'folders_lock "$DATA" data; first=$FOLDERS_LOCK; folders_lock "$DATA" data; [ "$first" = "$FOLDERS_LOCK" ]'
  exec {lock}<"$DATA"
  flock --nonblock "$lock"
  run -1 with_entrypoint 'folders_lock "$DATA" "the data"'
  [[ $output == *"another container uses the data in $DATA"*'docker ps --filter volume='* ]]
  exec {lock}<&-
  run -0 with_entrypoint 'folders_lock "$DATA" data'
}

@test "folders_lock: held by what the container starts" {
  run -0 with_entrypoint 'folders_lock "$DATA" data; startup_spawn sleep 60 >/dev/null 2>&1 3>&-; exec {FOLDERS_LOCK}<&-; FOLDERS_LOCK=
    (folders_lock "$DATA" data) 2>/dev/null || echo "refused $?"; kill "$SPAWNED_PID"; wait "$SPAWNED_PID" 2>/dev/null || :; folders_lock "$DATA" data'
  [ "$output" = 'refused 1' ]
}

@test "folders_lock: a file system without locks, a folder that cannot be opened" {
  stub flock <<<'echo "no locks available" >&2; exit 1'
  run -0 with_entrypoint 'folders_lock "$DATA" data'
  [ -z "$output" ]
  run -0 with_entrypoint 'folders_lock /none data 2>/dev/null; echo after'
  [ "$output" = after ]
}

@test "folders_free_mb: what is free for us; nothing where no file can be made; 1 where nobody knows" {
  run -0 with_entrypoint 'folders_free_mb "$DATA"; echo "$REPLY"'
  [[ $output =~ ^[0-9]+$ ]]
  stub stat <<<'echo "$STAT"'
  STAT='512 4096 9 10' run -0 with_entrypoint 'folders_free_mb /x; echo "$REPLY"'
  [ "$output" = 2 ]
  STAT='512 4096 0 10' run -0 with_entrypoint 'folders_free_mb /x; echo "$REPLY"'
  [ "$output" = 0 ]
  STAT='512 4096 0 0' run -0 with_entrypoint 'folders_free_mb /x; echo "$REPLY"'
  [ "$output" = 2 ]
  stub stat <<<'exit 1'
  run -1 with_entrypoint 'folders_free_mb /x'
}

@test "folders_check_space: refused when full, a warning when little is left, silent where nobody knows" {
  local fake='folders_free_mb() { REPLY=$FREE; [[ -n $FREE ]]; }; '
  FREE=0 run -1 with_entrypoint "$fake"'folders_check_space /d 64'
  [[ $output == *'the disk of /d is full, so the server could not even start'*'enlarge the volume; nothing was changed' ]]
  FREE=0 run -1 with_entrypoint "$fake"'folders_check_space /d 64 "never x"'
  [[ $output == *'enlarge the volume (never x); nothing was changed' ]]
  FREE=63 run -0 with_entrypoint "$fake"'folders_check_space /d 64'
  [[ $output == *WARN*'the disk of /d is almost full: 63 MB left'* ]]
  FREE=64 run -0 with_entrypoint "$fake"'folders_check_space /d 64'
  [ -z "$output" ]
  FREE='' run -0 with_entrypoint "$fake"'folders_check_space /d 64'
  [ -z "$output" ]
}
