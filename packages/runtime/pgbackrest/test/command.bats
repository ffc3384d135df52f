#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  pgbackrest_setup
  COMMAND=$IMAGE/usr/local/bin/pgbackrest
  export FILE=$STATE_DIR/pgbackrest.conf
}

# Runs code with the functions of the program at hand.
with_command() { as_user bash -c 'source "$1"; '"$1" bash "$COMMAND"; }

# Writes the file of a running server.
make_file() {
  printf '%s\n' '# stanza: shop' '# ignored: foo' '' '[global]' 'repo1-s3-key=k' '[shop]' "pg1-path=$PGDATA" >"$FILE"
  chmod 600 "$FILE"
  if ((EUID == 0)); then chown 12345 "$FILE"; fi
}

@test "command_find gives the file that a start of the server wrote" {
  run -1 with_command 'command_find'
  make_file
  run -0 with_command 'command_find; echo "$BACKUP_FILE"'
  [ "$output" = "$FILE" ]
}

@test "command_read gives the stanza of the file" {
  make_file
  run -0 with_command 'BACKUP_FILE=$FILE; command_read; echo "$BACKUP_STANZA"'
  [ "$output" = shop ]
}

@test "command_read says who may read a file that it cannot" {
  ((EUID == 0)) || skip 'a file of another user takes root'
  make_file
  chown 4711 "$FILE"
  run -3 with_command 'BACKUP_FILE=$FILE; command_read'
  [[ $output == *"expected a file that user 12345 can read"* ]]
}

@test "command_build makes a file out of the environment where no server did, or none if nothing is set" {
  run -0 with_command 'command_build; echo "<$BACKUP_FILE>"'
  [ "$output" = '<>' ]
  PGBACKREST_ENABLE=true PGBACKREST_REPO1_PATH=/r run -0 with_command 'command_build; cat "$BACKUP_FILE"'
  [[ $output == *repo1-path=/r*"pg1-path=$PGDATA"* ]]
  [ -e "$STATE_DIR/pgbackrest-command.conf" ]
}

@test "command_build refuses what cannot be, a file of a secret that is not there too" {
  PGBACKREST_STANZA='a b' PGBACKREST_REPO1_S3_KEY_FILE=/nowhere run -2 with_command 'command_build'
  [[ $output == *PGBACKREST_STANZA* && $output == *PGBACKREST_REPO1_S3_KEY_FILE* ]]
}

@test "command_step_down becomes the owner of the file, of the data, or the user of the image" {
  ((EUID == 0)) || skip 'stepping down takes root'
  stub setpriv <<<'echo "$@"'
  chown 0 "$PGDATA"
  run -0 bash -c 'source "$1"; command_step_down info' bash "$COMMAND"
  [[ $output == "--reuid=999 --regid=999 "*"$COMMAND info" ]]
  chown 777:888 "$PGDATA"
  run -0 bash -c 'source "$1"; command_step_down info' bash "$COMMAND"
  [[ $output == "--reuid=777 --regid=888 --clear-groups -- "*info ]]
  make_file
  run -0 bash -c 'source "$1"; command_step_down info' bash "$COMMAND"
  [[ $output == --reuid=12345\ * ]]
}

@test "command_step_down says what to do where root may not become another" {
  ((EUID == 0)) || skip 'stepping down takes root'
  run -3 bash -c 'source "$1"; security_capable() { return 1; }; command_step_down info' bash "$COMMAND"
  [[ $output == *'without the capabilities SETUID and SETGID'*'docker exec --user 999:999' ]]
}

@test "command_environment leaves only what the file does not hold" {
  make_file
  export PGBACKREST_REPO1_S3_KEY=k PGBACKREST_FOO=1 PGBACKREST_TYPE=full PGBACKREST_ENABLE=true PGBACKREST_REPO1_S3_KEY_FILE=/f
  run -0 with_command 'command_find; command_read; command_environment; env | grep ^PGBACKREST_ | sort'
  [ "$output" = "PGBACKREST_CONFIG=$FILE"$'\n'"PGBACKREST_STANZA=shop"$'\n'"PGBACKREST_TYPE=full" ]
}

@test "command_has_own: a configuration that is named wins" {
  run -0 with_command 'command_has_own --stanza=x --config=/y'
  PGBACKREST_CONFIG=/y run -0 with_command 'command_has_own'
  run -1 with_command 'command_has_own info'
}

@test "command_main runs pgBackRest with the server's file, arguments as they are" {
  make_file
  PGBACKREST_REPO1_S3_KEY=k run -0 as_user "$COMMAND" --set='a b' info
  run -0 cat "$CALLS"
  [ "$output" = "pgbackrest <--set=a b> <info>"$'\n'"  env: PGBACKREST_CONFIG=$FILE"$'\n'"  env: PGBACKREST_STANZA=shop" ]
}

@test "command_main leaves pgBackRest alone where nothing is set or another configuration is named" {
  run -0 as_user "$COMMAND" info
  run -0 as_user "$COMMAND" --config=/mine info
  run -0 cat "$CALLS"
  [ "$output" = $'pgbackrest <info>\npgbackrest <--config=/mine> <info>' ]
}

@test "command_main gives the code of pgBackRest" {
  answer info 55 <<<'ERROR: [055]: no'
  run -55 as_user "$COMMAND" info
}
