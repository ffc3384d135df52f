#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  export DIRECTORIES_LEGACY=$BATS_TEST_TMPDIR/legacy DIRECTORIES_DEFAULT=/else
}

@test "init_directories: an own folder passes and gets a mode that the server takes" {
  chmod 777 "$PGDATA"
  run -0 with_postgresql 'init_directories'
  [ "$(stat -c %a "$PGDATA")" = 750 ]
}

@test "directories_check_pgdata: makes a missing folder" {
  PGDATA=$BATS_TEST_TMPDIR/state/a/b run -0 with_postgresql 'directories_check_pgdata'
  [ -d "$BATS_TEST_TMPDIR/state/a/b" ]
}

@test "directories_check_pgdata: refuses what cannot be made" {
  PGDATA=/proc/none run -3 with_postgresql 'directories_check_pgdata'
  [[ $output == *'PGDATA: expected a folder that user '*'cannot be made'*'chown -R'* ]]
}

@test "directories_use_subfolder: where a free folder belongs to somebody else" {
  ((EUID == 0)) || skip "needs root to make a folder of somebody else"
  chown 4242 "$PGDATA"
  chmod 777 "$PGDATA"
  mkdir "$PGDATA/lost+found"
  run -0 with_postgresql 'directories_check_pgdata 2>/dev/null; directories_check_pgdata; echo "$PGDATA"'
  [ "$output" = "$PGDATA/pgdata" ]
}

@test "directories_check_pgdata: refuses files of somebody else, or a folder that cannot be written" {
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

@test "directories_find_legacy: only where PGDATA is the default and empty, and a cluster lies there" {
  local ask='directories_find_legacy; echo "$PGDATA"'
  DIRECTORIES_DEFAULT=$PGDATA run -0 with_postgresql "$ask"
  [ "$output" = "$PGDATA" ]
  mkdir "$DIRECTORIES_LEGACY"
  DIRECTORIES_DEFAULT=$PGDATA run -0 with_postgresql "$ask"
  [ "$output" = "$PGDATA" ]
  echo 17 >"$DIRECTORIES_LEGACY/PG_VERSION"
  DIRECTORIES_DEFAULT=$PGDATA run -0 with_postgresql "$ask"
  [[ $output == *INFO*"using the cluster in $DIRECTORIES_LEGACY"*$'\n'"$DIRECTORIES_LEGACY" ]]
  run -0 with_postgresql "$ask"
  [ "$output" = "$PGDATA" ]
  make_cluster 17
  DIRECTORIES_DEFAULT=$PGDATA run -0 with_postgresql "$ask"
  [[ $output == *WARN*'using the first'*$'\n'"$PGDATA" ]]
}

@test "directories_find_legacy: a folder that we may not look into is no reason to make a new cluster" {
  mkdir -m 000 "$DIRECTORIES_LEGACY"
  DIRECTORIES_DEFAULT=$PGDATA run -3 with_postgresql 'directories_find_legacy'
  [[ $output == *'may not look for a cluster'* ]]
}

@test "directories_as_root: data, log and socket folders, and what links in the cluster lead to" {
  mkdir -p "$PGDATA/pg_tblspc" "$BATS_TEST_TMPDIR/wal" "$BATS_TEST_TMPDIR/space"
  ln -s "$BATS_TEST_TMPDIR/wal" "$PGDATA/pg_wal"
  ln -s "$BATS_TEST_TMPDIR/space" "$PGDATA/pg_tblspc/1"
  ln -s /none "$PGDATA/pg_tblspc/2"
  local fake='folders_give() { echo "$2 $1"; }; chown() { echo "chown $*"; }; chmod() { echo "chmod $*"; }; '
  POSTGRES_INITDB_WALDIR=/wal run -0 with_postgresql "$fake"'directories_as_root'
  [[ $output == "PGDATA $PGDATA"$'\n'*'behind '*"/pg_wal $PGDATA/pg_wal"$'\n'*"/pg_tblspc/1"$'\nPOSTGRES_INITDB_WALDIR /wal\n'*'chmod 3777'* ]]
  LOG_LEVEL=debug run -0 with_postgresql "$fake"'chown() { return 1; }; directories_as_root'
  [[ $output == *DEBUG*"cannot give $DATABASE_SOCKETS"* ]]
  DATABASE_SOCKETS=/proc/none run -0 with_postgresql "$fake"'directories_as_root'
  [[ $output != *chown* ]]
}

@test "init_directories: root gives, and does not check as somebody else would" {
  ((EUID == 0)) || skip "needs root"
  as_user() { "$@"; }
  SECURITY_UID=4242 SECURITY_GID=4242 run -0 with_postgresql 'init_directories'
  [ "$(stat -c %u "$PGDATA")" = 4242 ]
  [ "$(stat -c '%u %a' "$DATABASE_SOCKETS")" = '4242 3777' ]
}

@test "directories_check_pgdata: a read-only folder" {
  run -3 with_postgresql 'chmod() { return 1; }; directories_check_pgdata'
  [[ $output == *'which is read-only'* ]]
}

@test "directories_find_sockets: neither the usual folder nor /tmp" {
  DATABASE_SOCKETS=/proc/none run -3 with_postgresql 'source <(declare -f directories_find_sockets | sed "s,-w /tmp,-w /proc/none,"); directories_find_sockets'
  [[ $output == *'found neither'*'--tmpfs /tmp' ]]
}

@test "01-directories.sh: can be run alone" {
  chmod 777 "$PGDATA"
  run -0 as_user bash "$SCRIPTS/init/01-directories.sh"
  [ "$(stat -c %a "$PGDATA")" = 750 ]
}
