#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { etcd_setup; }

@test "init_etcd: an own folder passes and is closed to others" {
  chmod 1777 "$ETCD_DATA_DIR"
  run -0 with_etcd 'init_etcd etcd 2>/dev/null; echo "$ETCD_NAME|${MEMBER_ARGS[*]-}|$AUTH_PASSWORD"'
  [ "$output" = 'here||' ]
  [ "$(stat -c %a "$ETCD_DATA_DIR")" = 700 ]
}

@test "init_etcd: another server of the same image is no matter of ours" {
  ETCD_NODES=a run -0 with_etcd 'ENTRYPOINT_MODE=postgres; init_etcd postgres -c x=y'
  [ -z "$output" ]
}

@test "init_etcd: the folder that an option names, and one for the log" {
  ETCD_WAL_DIR=$STATE_FOLDERS/wal run -0 with_etcd 'init_etcd etcd --data-dir "$STATE_DIR/x" 2>/dev/null'
  [ "$(stat -c %a "$STATE_FOLDERS/x" "$STATE_FOLDERS/wal")" = $'700\n700' ]
}

@test "init_etcd: a second container is refused, settings are told first" {
  local lock
  exec {lock}<"$ETCD_DATA_DIR"
  flock --nonblock "$lock"
  run -1 with_etcd 'init_etcd etcd'
  [[ $output == *"another container uses the data in $ETCD_DATA_DIR"* ]]
  ETCD_NODES=a run -2 with_etcd 'init_etcd etcd'
}

@test "init_etcd: a full disk is refused, one that is almost full warned of" {
  local fake='folders_free_mb() { REPLY=$FREE; }; '
  FREE=0 run -1 with_etcd "$fake"'init_etcd etcd'
  [[ $output == *"the disk of $ETCD_DATA_DIR is full"* ]]
  FREE=191 run -0 with_etcd "$fake"'init_etcd etcd'
  [[ $output == *'almost full: 191 MB left'* ]]
}

@test "init_etcd: the password is kept on the first node alone" {
  ETCD_ROOT_PASSWORD=x run -0 with_etcd 'init_etcd etcd; echo "$AUTH_PASSWORD"'
  [ "$output" = x ]
  ETCD_ROOT_PASSWORD=x ETCD_NODES=a,here run -0 with_etcd 'init_etcd etcd; echo "<$AUTH_PASSWORD>"'
  [ "$output" = '<>' ]
}

@test "etcd_check_folder: a file, what cannot be made, a read-only one" {
  touch "$BATS_TEST_TMPDIR/file"
  run -3 with_etcd 'etcd_check_folder "$ETCD_DATA_DIR/../file" NAME'
  [[ $output == *'NAME: '*'which is no folder'* ]]
  run -3 with_etcd 'etcd_check_folder /proc/none NAME'
  run -3 with_etcd 'chmod() { return 1; }; etcd_check_folder "$ETCD_DATA_DIR" NAME'
  [[ $output == *'which is read-only'* ]]
}

@test "etcd_check_folder: another user's, one that lets us in, and files of another in it" {
  ((EUID == 0)) || skip "needs root to make a folder of somebody else"
  chown 4242 "$ETCD_DATA_DIR"
  run -3 with_etcd 'etcd_check_folder "$ETCD_DATA_DIR" NAME'
  [[ $output == *'which belongs to another user'* ]]
  chmod 1777 "$ETCD_DATA_DIR"
  run -0 with_etcd 'etcd_check_folder "$ETCD_DATA_DIR" NAME'
  mkdir -m 700 "$ETCD_DATA_DIR/member"
  run -3 with_etcd 'etcd_check_folder "$ETCD_DATA_DIR" NAME'
  [[ $output == *'whose files belong to another user'* ]]
}

@test "etcd_give_folders: both, as root" {
  run -0 with_etcd 'folders_give() { echo "$2 $1"; }; etcd_give_folders; ETCD_WAL_DIR=/w; etcd_give_folders'
  [ "$output" = "ETCD_DATA_DIR $ETCD_DATA_DIR
ETCD_DATA_DIR $ETCD_DATA_DIR
ETCD_WAL_DIR /w" ]
}

@test "init_etcd: root gives, and does not check as somebody else would" {
  ((EUID == 0)) || skip "needs root"
  as_user() { "$@"; }
  SECURITY_UID=4242 SECURITY_GID=4242 ETCD_NODES=a run -0 with_etcd 'init_etcd etcd'
  [ "$(stat -c %u "$ETCD_DATA_DIR")" = 4242 ]
}

@test "01-etcd.sh: can be run alone" {
  printf 'var|ETCD_DATA_DIR|path|/none||\n' >"$CONTRACTS/etcd.contract"
  chmod 777 "$ETCD_DATA_DIR"
  run -0 as_user bash "$SCRIPTS/init/01-etcd.sh"
  [ "$(stat -c %a "$ETCD_DATA_DIR")" = 700 ]
}
