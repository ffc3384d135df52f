#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "directories_as_user: an own folder passes and gets a mode that the server takes" {
  chmod 777 "$PGDATA"
  run -0 with_postgresql 'init_directories'
  [ "$(stat -c %a "$PGDATA")" = 750 ]
}

@test "directories_check_pgdata: makes a missing folder" {
  PGDATA=$BATS_TEST_TMPDIR/state/a/b run -0 with_postgresql 'directories_check_pgdata'
  [ -d "$BATS_TEST_TMPDIR/state/a/b" ]
}

@test "directories_check_pgdata: refuses a file, and what cannot be made" {
  touch "$BATS_TEST_TMPDIR/file"
  PGDATA=$BATS_TEST_TMPDIR/file run -3 with_postgresql 'directories_check_pgdata'
  PGDATA=/proc/none run -3 with_postgresql 'directories_check_pgdata'
  [[ $output == *'cannot be made'*'chown -R'* ]]
}

@test "directories_use_subfolder: where a free folder belongs to somebody else" {
  ((EUID == 0)) || skip "needs root to make a folder of somebody else"
  chown 4242 "$PGDATA"
  chmod 777 "$PGDATA"
  mkdir "$PGDATA/lost+found"
  run -0 with_postgresql 'directories_check_pgdata 2>/dev/null; directories_check_pgdata; echo "$PGDATA"'
  [ "$output" = "$PGDATA/pgdata" ]
}

@test "directories_refuse: files of somebody else, or a folder that cannot be written" {
  ((EUID == 0)) || skip "needs root to make a folder of somebody else"
  chown 4242 "$PGDATA"
  run -3 with_postgresql 'directories_check_pgdata'
  chmod 777 "$PGDATA"
  touch "$PGDATA/PG_VERSION"
  run -3 with_postgresql 'directories_check_pgdata'
  [[ $output == *'whose files belong to another user'* ]]
}

@test "directories_find_sockets: the usual folder, else /tmp" {
  run -0 with_postgresql 'directories_find_sockets; echo "$DATABASE_SOCKETS"'
  [ "$output" = "$DATABASE_SOCKETS" ]
  DATABASE_SOCKETS=/proc/none run -0 with_postgresql 'directories_find_sockets 2>/dev/null; echo "$DATABASE_SOCKETS"'
  [ "$output" = /tmp ]
}

@test "directories_give: makes and gives away; never a folder of the system; failing is a warning" {
  run -0 with_postgresql 'security_own() { echo "own $1"; }; directories_give "$STATE_DIR/x y" PGDATA'
  [ "$output" = "own $STATE_FOLDERS/x y" ]
  run -2 with_postgresql 'directories_give /etc PGDATA'
  run -0 with_postgresql 'security_own() { return 1; }; directories_give "$STATE_DIR/x" PGDATA'
  [[ $output == *WARN* ]]
}

@test "directories_as_root: data, log and socket folders" {
  POSTGRES_INITDB_WALDIR=/wal run -0 with_postgresql 'directories_give() { echo "$2 $1"; }; chown() { echo "chown $*"; }; chmod() { echo "chmod $*"; }; directories_as_root'
  [[ $output == "PGDATA $PGDATA"$'\nPOSTGRES_INITDB_WALDIR /wal\n'*'chmod 3777'* ]]
}
