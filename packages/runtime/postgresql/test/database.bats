#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "database_state: new, cluster, incomplete, foreign" {
  run -0 with_postgresql 'database_state; echo "$REPLY"'
  [ "$output" = new ]
  mkdir "$PGDATA/lost+found"
  run -0 with_postgresql 'database_state; echo "$REPLY"'
  [ "$output" = new ]
  touch "$PGDATA/.hidden"
  run -0 with_postgresql 'database_state; echo "$REPLY"'
  [ "$output" = foreign ]
  echo 17 >"$PGDATA/PG_VERSION"
  run -0 with_postgresql 'database_state; echo "$REPLY"'
  [ "$output" = foreign ]
  make_cluster 17
  run -0 with_postgresql 'database_state; echo "$REPLY"'
  [ "$output" = cluster ]
  touch "$PGDATA/strata.initialising"
  run -0 with_postgresql 'database_state; echo "$REPLY"'
  [ "$output" = incomplete ]
}

@test "database_check_version: the same passes, another is refused" {
  make_cluster 17
  run -0 with_postgresql 'database_check_version'
  make_cluster '15$(x)'
  run -2 with_postgresql 'database_check_version'
  [[ $output == *"expected a cluster of PostgreSQL 17, found one of '15\$(x)'"* ]]
}

@test "database_refuse_foreign: says which kind" {
  run -1 with_postgresql 'database_refuse_foreign'
  [[ $output == *'found other files'* ]]
  touch "$PGDATA/PG_VERSION"
  run -1 with_postgresql 'database_refuse_foreign'
  [[ $output == *'without global/pg_control'* ]]
}

@test "database_refuse_incomplete: refuses unless wipe is asked for" {
  run -1 with_postgresql 'database_refuse_incomplete'
  [[ $output == *INIT_ON_INCOMPLETE=wipe* ]]
  INIT_ON_INCOMPLETE=wipe run -0 with_postgresql 'database_refuse_incomplete'
}

@test "database_wipe_incomplete, database_wipe: all but the marker and lost+found; the log folder only if it is in the marker" {
  mkdir -p "$PGDATA/lost+found" "$PGDATA/-rf x" "$BATS_TEST_TMPDIR/wal/x"
  touch "$PGDATA/.dot"
  echo "$BATS_TEST_TMPDIR/wal" >"$PGDATA/strata.initialising"
  chmod -R 777 "$PGDATA" "$BATS_TEST_TMPDIR/wal"
  run -0 with_postgresql 'database_wipe_incomplete'
  [ -e "$BATS_TEST_TMPDIR/wal/x" ]
  POSTGRES_INITDB_WALDIR=$BATS_TEST_TMPDIR/wal run -0 with_postgresql 'database_wipe_incomplete'
  [ ! -e "$BATS_TEST_TMPDIR/wal/x" ]
  [ "$(ls -A "$PGDATA")" = $'lost+found\nstrata.initialising' ]
}

@test "database_check_name, database_check_settings: every fault, code 2" {
  POSTGRES_USER=pg_x POSTGRES_DB=$(printf 'é%.0s' {1..32}) POSTGRES_PASSWORD=$'a\nb' POSTGRES_INITDB_ARGS="'" \
  POSTGRES_HOST_AUTH_METHOD=$'trust\nlocal all all trust' run -2 with_postgresql 'database_check_settings'
  [ "${#lines[@]}" = 5 ]
  [[ $output == *'POSTGRES_DB: expected at most 63 bytes, found 64'* ]]
  POSTGRES_USER=$'a\nb' POSTGRES_PASSWORD=x run -2 with_postgresql 'database_check_settings'
}

@test "database_check_settings: no password explains itself; trust or a password will do" {
  run -2 with_postgresql 'database_check_settings'
  [[ $output == *'needs a password for its superuser'*'docker run -e POSTGRES_PASSWORD='* ]]
  POSTGRES_HOST_AUTH_METHOD=trust run -0 with_postgresql 'database_check_settings'
  POSTGRES_PASSWORD='-$(x)"' POSTGRES_USER='a "b" $(c)' run -0 with_postgresql 'database_check_settings'
}

@test "database_warn_trust: loud for trust only" {
  run -0 with_postgresql 'database_warn_trust'
  [ -z "$output" ]
  POSTGRES_HOST_AUTH_METHOD=trust run -0 with_postgresql 'database_warn_trust'
  [[ $output == *WARN*'WITHOUT A PASSWORD'* ]]
}

@test "database_prepare_user: initdb alone for a known user; else the wrapper, or what is missing" {
  run -0 with_postgresql 'security_known_user() { return 0; }; database_prepare_user; echo "${DATABASE_INITDB[*]}"'
  [ "$output" = initdb ]
  run with_postgresql 'security_known_user() { return 1; }; database_prepare_user; echo "${DATABASE_INITDB[*]}"; cat "$STATE_DIR/passwd"'
  [[ $status == 4 && $output == *libnss* || $status == 0 && $output == *LD_PRELOAD=*initdb*postgres:x:* ]]
}

@test "database_quietly: shows output at debug only" {
  run -0 with_postgresql '(database_quietly echo hidden); LOG_LEVEL=debug; (database_quietly echo shown)'
  [ "$output" = shown ]
}

@test "database_initdb: options as words, the password through a pipe, the result moves up" {
  POSTGRES_USER='a $(b)' POSTGRES_PASSWORD='p "w" $(x)' POSTGRES_INITDB_ARGS="-E 'U T'" POSTGRES_INITDB_WALDIR=/wal \
    run -0 with_postgresql 'security_known_user() { return 0; }; database_initdb'
  run -0 cat "$CALLS"
  [[ ${lines[0]} == *'<--username=a $(b)> <--waldir=/wal> <-E> <U T> <--no-sync> <-D> <'*'/strata.initdb>' ]]
  [[ ${lines[0]} != *'p "w"'* ]]
  [ "${lines[1]}" = 'password <p "w" $(x)>' ]
  [ -e "$PGDATA/PG_VERSION" ]
  [ ! -e "$PGDATA/strata.initdb" ]
}

@test "database_initdb, database_give_up: a failure leaves the folder as it was" {
  touch "$PGDATA/strata.initialising"
  INITDB_FAILS=yes run -1 with_postgresql 'security_known_user() { return 0; }; database_initdb'
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "database_auth_method, database_write_hba: scram, what is asked for, md5 where passwords are kept so" {
  run -0 with_postgresql 'database_write_hba; POSTGRES_HOST_AUTH_METHOD=trust; database_write_hba; POSTGRES_HOST_AUTH_METHOD=
    POSTGRES_INITDB_ARGS=--auth-host=md5; database_write_hba; cat "$PGDATA/pg_hba.conf"'
  [ "$(grep '^host' <<<"$output")" = $'host all all all scram-sha-256\nhost all all all trust\nhost all all all md5' ]
}

@test "database_create: by a variable of psql, not for what is there" {
  POSTGRES_DB='x"; drop database y; --' run -0 with_postgresql 'database_create; POSTGRES_DB=postgres; database_create'
  run -0 cat "$CALLS"
  [ "$(grep -c ^psql "$CALLS")" = 1 ]
  [[ $output == *'<--set=name=x"; drop database y; -->'*'sql: CREATE DATABASE :"name";' ]]
}

@test "database_create: a failure names the variable" {
  PSQL_FAILS=yes POSTGRES_DB=x run -1 with_postgresql 'database_create'
  [[ $output == *POSTGRES_DB* ]]
}

@test "database_run_user_scripts: nothing there is no failure; the shell outlives what they do" {
  run -0 with_postgresql 'database_run_user_scripts'
  echo 'set -x; FOO=${UNSET_ONE}; cd /; trap "" TERM; set +x' >"$DATABASE_SCRIPTS/a.sh"
  run -0 with_postgresql 'here=$PWD; database_run_user_scripts; [ "$PWD" = "$here" ]; echo "after ${FOO-none}"'
  [[ $output == *'after none' ]]
}

@test "database_user_scripts_end: names the one that failed, or ended all by exit" {
  echo 'select' >"$DATABASE_SCRIPTS/a.sql"
  PSQL_FAILS=yes run -1 with_postgresql 'database_run_user_scripts'
  [[ $output == *"init script $DATABASE_SCRIPTS/a.sql ended the initialisation with code 3"* ]]
  echo 'exit 0' >"$DATABASE_SCRIPTS/0.sh"
  run -1 with_postgresql 'database_run_user_scripts'
  [[ $output == *"0.sh ended the initialisation with code 0"* ]]
}

@test "database_sync: once, unless the user did not want it" {
  run -0 with_postgresql 'database_sync; POSTGRES_INITDB_ARGS="-N"; database_sync; POSTGRES_INITDB_ARGS="--no-sync -E x"; database_sync'
  [ "$(grep -c sync-only "$CALLS")" = 1 ]
}

@test "init_database, database_make: marker first, removed last; the line that tools wait for" {
  POSTGRES_PASSWORD=x POSTGRES_DB=app run -0 with_postgresql 'security_known_user() { return 0; }
    database_create() { [ -e "$PGDATA/strata.initialising" ] && echo "marked"; }; init_database postgres -c a=b'
  [[ $output == *marked*'PostgreSQL init process complete; ready for start up.' ]]
  [ ! -e "$PGDATA/strata.initialising" ]
  [[ $(<"$CALLS") == *'<-c> <a=b> <-c> <listen_addresses=>'*'signal INT'* ]]
}

@test "init_database: adopts a cluster, refuses an incomplete one, wipes it if asked to" {
  make_cluster 17
  run -0 with_postgresql 'init_database postgres'
  [[ $output == *'PostgreSQL Database directory appears to contain a database; Skipping initialization' ]]
  touch "$PGDATA/strata.initialising"
  chmod -R 777 "$PGDATA"
  POSTGRES_PASSWORD=x run -1 with_postgresql 'init_database postgres'
  [ -e "$PGDATA/global/pg_control" ]
  POSTGRES_PASSWORD=x INIT_ON_INCOMPLETE=wipe run -0 with_postgresql 'security_known_user() { return 0; }; init_database postgres'
  [ ! -e "$PGDATA/strata.initialising" ]
}

@test "init_database: settings that cannot work leave the folder empty" {
  run -2 with_postgresql 'init_database postgres'
  POSTGRES_PASSWORD=x POSTGRESQL_WORK_MEM=x POSTGRES_COMPLAINS='parameter "work_mem"' run -2 with_postgresql 'init_database postgres'
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "init_database: a stop while it waits ends it with the signal's code, the marker stays" {
  echo 'sleep 30' >"$DATABASE_SCRIPTS/a.sh"
  POSTGRES_PASSWORD=x TRAPS=yes run -143 with_postgresql 'security_known_user() { return 0; }; (sleep 0.8; kill -TERM $$) & init_database postgres'
  [ -e "$PGDATA/strata.initialising" ]
  [[ $(<"$CALLS") == *'signal INT'* ]]
}
