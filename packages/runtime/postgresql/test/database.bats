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

@test "database_refuse_foreign: says which kind" {
  run -1 with_postgresql 'database_refuse_foreign'
  [[ $output == *'found other files'* ]]
  mkdir "$PGDATA/pgdata"
  touch "$PGDATA/pgdata/PG_VERSION"
  run -1 with_postgresql 'database_refuse_foreign'
  [[ $output == *"set PGDATA=$PGDATA/pgdata to use it"* ]]
  touch "$PGDATA/PG_VERSION"
  run -1 with_postgresql 'database_refuse_foreign'
  [[ $output == *'without global/pg_control'* ]]
}

@test "database_quietly: shows output at debug only" {
  run -0 with_postgresql '(database_quietly echo hidden); LOG_LEVEL=debug; (database_quietly echo shown)'
  [ "$output" = shown ]
}

@test "database_owner_is_late: for what initdb does not take" {
  local name
  for name in 'a"b' 'a -- b' 'é' "a'b" 'a$b' 'a\b' $'a\nb'; do
    POSTGRES_USER=$name run -0 with_postgresql 'database_owner_is_late'
  done
  POSTGRES_PASSWORD=$'a\nb' run -0 with_postgresql 'database_owner_is_late'
  POSTGRES_USER='a b.c_D-1@x' POSTGRES_PASSWORD="\"\$\\" run -1 with_postgresql 'database_owner_is_late'
}

@test "database_name_owner: name and password in single-user mode, only where need be" {
  POSTGRES_PASSWORD=x run -0 with_postgresql 'database_name_owner /f'
  [ ! -s "$CALLS" ]
  POSTGRES_USER='a"b' POSTGRES_PASSWORD="it's" run -0 with_postgresql 'database_name_owner /f'
  [[ $(<"$CALLS") == *'<--single> <-D> </f>'*"SET rolname = E'a\"b' WHERE oid = 10;"*'ALTER ROLE "a""b" PASSWORD E'"'it''s';"* ]]
  : >"$CALLS"
  POSTGRES_USER='a"b' run -0 with_postgresql 'database_name_owner /f'
  [[ $(<"$CALLS") == *rolname* && $(<"$CALLS") != *'ALTER ROLE'* ]]
  POSTGRES_USER='a"b' SINGLE_SAYS='x ERROR:  bad name' run -1 with_postgresql 'database_name_owner /f'
  [[ $output == *'cannot name the superuser '*': bad name; choose another name' ]]
}

@test "database_initdb: options as words, the password through a pipe, the lines of who may connect, the journal" {
  touch "$PGDATA/strata.initialising"
  POSTGRES_USER='a b' POSTGRES_PASSWORD='p "w" $(x)' POSTGRES_INITDB_ARGS="-E 'U T'" POSTGRES_INITDB_WALDIR=/wal \
    run -0 with_postgresql 'database_initdb; journal_has initdb'
  run -0 cat "$CALLS"
  [[ ${lines[0]} == *'<--username=a b> <--waldir=/wal> <-E> <U T> <--no-sync> <-D> <'*'/strata.initdb>' ]]
  [[ ${lines[0]} != *'p "w"'* ]]
  [ "${lines[1]}" = 'password <p "w" $(x)>' ]
  [[ $(<"$PGDATA/strata.initdb/pg_hba.conf") == *'host all all all scram-sha-256' ]]
}

@test "database_initdb: without a password; a name or a password that comes later" {
  POSTGRES_HOST_AUTH_METHOD=trust run -0 with_postgresql 'database_initdb'
  [[ $(<"$CALLS") != *'<--pwfile'* ]]
  : >"$CALLS"
  POSTGRES_USER='a$b' POSTGRES_PASSWORD=hunter2 run -0 with_postgresql 'database_initdb'
  [[ $(<"$CALLS") == *'<--username=strata_first_owner>'*'password <first-'*'single: UPDATE pg_authid '*hunter2* ]]
}

@test "database_initdb, database_give_up: a failure leaves the folder as it was" {
  touch "$PGDATA/strata.initialising"
  INITDB_FAILS=yes POSTGRES_INITDB_ARGS=-x run -1 with_postgresql 'database_initdb'
  [[ $output == *'initdb failed with code 1'*POSTGRES_INITDB_ARGS* ]]
  [ -z "$(ls -A "$PGDATA")" ]
  touch "$PGDATA/strata.initialising"
  run -2 with_postgresql 'hba_check() { REPLY="bad line"; return 1; }; database_initdb'
  [[ $output == *'bad line' ]]
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "database_move_up: all of it, the mode too; again after a kill; nothing to move" {
  run -0 with_postgresql 'database_move_up'
  mkdir -m 700 "$PGDATA/strata.initdb"
  mkdir "$PGDATA/strata.initdb/base"
  touch "$PGDATA/strata.initdb/PG_VERSION"
  owned_by_user "$PGDATA"
  run -0 with_postgresql 'database_move_up; ls -A "$PGDATA"; stat -c %a "$PGDATA"'
  [ "$output" = $'base\nPG_VERSION\n700' ] || [ "$output" = $'PG_VERSION\nbase\n700' ]
  mkdir "$PGDATA/strata.initdb"
  owned_by_user "$PGDATA"
  run -0 with_postgresql 'database_move_up'
  [ ! -e "$PGDATA/strata.initdb" ]
}

@test "database_auth_method, database_write_hba: scram, what is asked for, md5 where passwords are kept so" {
  run -0 with_postgresql 'database_write_hba "$PGDATA"; POSTGRES_HOST_AUTH_METHOD=trust; database_write_hba "$PGDATA"; POSTGRES_HOST_AUTH_METHOD=
    POSTGRES_INITDB_ARGS=--auth-host=md5; database_write_hba "$PGDATA"; cat "$PGDATA/pg_hba.conf"'
  [ "$(grep '^host' <<<"$output")" = $'host all all all scram-sha-256\nhost all all all trust\nhost all all all md5' ]
}

@test "database_create: by a variable of psql, not for what is there" {
  POSTGRES_DB='x"; drop database y; --' run -0 with_postgresql 'database_create; POSTGRES_DB=postgres; database_create'
  run -0 cat "$CALLS"
  [ "$(grep -c ^psql "$CALLS")" = 1 ]
  [[ $output == *'<--set=name=x"; drop database y; -->'*"sql: SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS"* ]]
}

@test "database_create: a failure names the variable" {
  PSQL_FAILS=yes POSTGRES_DB=x run -1 with_postgresql 'database_create'
  [[ $output == *POSTGRES_DB* ]]
}

@test "database_sync: once, unless the user did not want it; a failure is told" {
  run -0 with_postgresql 'database_sync; POSTGRES_INITDB_ARGS="-N"; database_sync; POSTGRES_INITDB_ARGS="--no-sync -E x"; database_sync'
  [ "$(grep -c sync-only "$CALLS")" = 1 ]
  SYNC_FAILS=yes run -1 with_postgresql 'database_sync'
  [[ $output == *"cannot bring $PGDATA to the disk"* ]]
}

@test "database_sync_begin, database_sync_end: beside the temporary server, which then syncs itself; once" {
  local code='database_server_start() { echo "fsync for <${DATABASE_SYNC_PID:+on}>"; }; database_sync_begin; database_server_start; database_sync_end'
  run -0 with_postgresql "$code"
  [ "$output" = 'fsync for <on>' ]
  [ "$(grep -c sync-only "$CALLS")" = 1 ]
  POSTGRES_INITDB_ARGS=-N run -0 with_postgresql "$code"
  [ "$output" = 'fsync for <>' ]
  [ "$(grep -c sync-only "$CALLS")" = 1 ]
  echo 'select 1' >"$DATABASE_SCRIPTS/a.sql"
  run -0 with_postgresql "$code"
  [ "$output" = 'fsync for <>' ]
  [ "$(grep -c sync-only "$CALLS")" = 2 ]
}

@test "database_sync_end: what failed beside the server is done again, and told" {
  SYNC_FAILS=yes run -1 with_postgresql 'database_sync_begin; database_sync_end'
  [[ $output == *"cannot bring $PGDATA to the disk"* ]]
  [ "$(grep -c sync-only "$CALLS")" = 2 ]
}

@test "database_begin: the folder for the log is remembered only if it was empty" {
  mkdir "$BATS_TEST_TMPDIR/wal"
  export POSTGRES_INITDB_WALDIR=$BATS_TEST_TMPDIR/wal
  run -0 with_postgresql 'database_begin; journal_read_marker; echo "<$REPLY>"'
  [[ $output == *"<$POSTGRES_INITDB_WALDIR>" ]]
  touch "$POSTGRES_INITDB_WALDIR/file"
  run -0 with_postgresql 'database_begin; journal_read_marker; echo "<$REPLY>"'
  [[ $output == *'<>' ]]
}

@test "database_complete: what is in the journal is not done again" {
  make_cluster 17
  touch "$PGDATA/strata.initialising"
  POSTGRES_DB=app run -0 with_postgresql 'journal_note database; database_complete; echo "$DATABASE_MADE"'
  [[ $output == *'PostgreSQL init process complete; ready for start up.'*yes ]]
  [ ! -e "$PGDATA/strata.initialising" ]
  [[ $(<"$CALLS") != *psql* ]]
}

@test "database_complete: a server that does not stop well leaves the marker" {
  make_cluster 17
  touch "$PGDATA/strata.initialising"
  run -1 with_postgresql 'database_server_start() { :; }; database_server_stop() { return 1; }; database_complete'
  [[ $output == *'the temporary server did not stop well'* ]]
  [ -e "$PGDATA/strata.initialising" ]
}

@test "database_prepare: all checks of a new one, in order, before the first write" {
  POSTGRES_PASSWORD=x run -0 with_postgresql 'userscripts_check() { echo scripts; }; preflight_shm() { echo shm; }; preflight_space() { echo "space $1"; }
    init_config() { echo "config $*"; }; single_prepare_user() { echo user; }; database_prepare new postgres -c a=b; database_prepare incomplete postgres'
  [ "$output" = $'scripts\nshm\nspace new\nconfig postgres -c a=b\nuser\nscripts\nshm\nconfig postgres\nuser' ]
}

@test "database_adopt: the line that tools wait for; a journal that a kill left goes" {
  make_cluster 17
  touch "$PGDATA/strata.journal"
  run -0 with_postgresql 'database_adopt'
  [[ $output == *'PostgreSQL Database directory appears to contain a database; Skipping initialization' ]]
  [ ! -e "$PGDATA/strata.journal" ]
}

@test "init_database: marker first, removed last; the line that tools wait for" {
  POSTGRES_PASSWORD=x POSTGRES_DB=app run -0 with_postgresql 'database_create() { [ -e "$PGDATA/strata.initialising" ] && echo "marked"; }; init_database postgres -c a=b'
  [[ $output == *marked*'PostgreSQL init process complete; ready for start up.' ]]
  [ ! -e "$PGDATA/strata.initialising" ]
  [ ! -e "$PGDATA/strata.journal" ]
  [[ $(<"$CALLS") == *'<-c> <a=b> <-c> <listen_addresses=>'*'signal INT'* ]]
}

@test "init_database: adopts a cluster, refuses what is none" {
  make_cluster 17
  run -0 with_postgresql 'init_database postgres; echo "$POSTGRES_USER $POSTGRES_DB ${DATABASE_MADE-no}"'
  [[ $output == *'Skipping initialization'*'postgres postgres no' ]]
  rm "$PGDATA/global/pg_control"
  run -1 with_postgresql 'init_database postgres'
}

@test "init_database: settings that cannot work leave the folder empty" {
  run -2 with_postgresql 'init_database postgres'
  POSTGRES_PASSWORD=x POSTGRESQL_WORK_MEM=x POSTGRES_COMPLAINS='parameter "work_mem"' run -2 with_postgresql 'init_database postgres'
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "init_database: a stop in an init script ends it with the signal's code, the marker stays" {
  echo 'kill -TERM $$; exec sleep 60 >/dev/null 2>&1 3>&-' >"$DATABASE_SCRIPTS/a.sh"
  POSTGRES_PASSWORD=x TRAPS=yes run -143 with_postgresql 'init_database postgres'
  [ -e "$PGDATA/strata.initialising" ]
  [[ $(<"$CALLS") == *'signal INT'* ]]
}

# A fragment that has another program make databases, and what it says of what.
decider='decide() { echo "decide $*"; [[ $1 == "$DECIDES" ]]; }; DATABASE_DECIDER=decide; '

@test "database_is_decided: by the function of a fragment, if there is one" {
  run -1 with_postgresql 'database_is_decided new postgres'
  DECIDES=new run -0 with_postgresql "$decider"'database_is_decided new postgres -c "a=b c"'
  [ "$output" = 'decide new postgres -c a=b c' ]
  DECIDES=foreign run -1 with_postgresql "$decider"'database_is_decided new postgres'
}

@test "init_database: one who decides is asked about an empty folder and one with other files; then nothing is made or refused" {
  POSTGRES_PASSWORD=x DECIDES=new run -0 with_postgresql "$decider"'init_database postgres -c a=b; echo "${DATABASE_MADE-none} $POSTGRES_USER $POSTGRES_DB"'
  [ "$output" = $'decide new postgres -c a=b\nnone postgres postgres' ]
  touch "$PGDATA/other"
  DECIDES=foreign run -0 with_postgresql "$decider"'init_database postgres'
  [ "$output" = 'decide foreign postgres' ]
  [ "$(ls -A "$PGDATA")" = other ]
  [ ! -s "$CALLS" ]
}

@test "init_database: one who leaves it to us has it made, or refused" {
  POSTGRES_PASSWORD=x DECIDES=none run -0 with_postgresql "$decider"'init_database postgres'
  [[ $output == 'decide new postgres'*'PostgreSQL init process complete; ready for start up.' ]]
  rm "$PGDATA/global/pg_control"
  DECIDES=none run -1 with_postgresql "$decider"'init_database postgres'
  [[ $output == 'decide foreign postgres'*'without global/pg_control'* ]]
}

@test "init_database: nobody is asked about a cluster, or about a broken-off initialisation" {
  make_cluster 17
  DECIDES=cluster run -0 with_postgresql "$decider"'init_database postgres'
  [[ $output == *'Skipping initialization' && $output != *decide* ]]
  touch "$PGDATA/strata.initialising"
  DECIDES=incomplete run -1 with_postgresql "$decider"'init_database postgres'
  [[ $output == *'was broken off'* && $output != *decide* ]]
}

@test "init_database: wiping with one who decides leaves an empty folder, and makes nothing" {
  make_cluster 17
  touch "$PGDATA/strata.initialising" "$PGDATA/strata.journal"
  owned_by_user "$PGDATA"
  POSTGRES_PASSWORD=x INIT_ON_INCOMPLETE=wipe run -0 with_postgresql "$decider"'init_database postgres; echo "${DATABASE_MADE-none}"'
  [[ $output == *'INIT_ON_INCOMPLETE is wipe'*none ]]
  [ -z "$(ls -A "$PGDATA")" ]
  [[ $(<"$CALLS") != *initdb* ]]
}

@test "02-database.sh: can be run alone" {
  make_cluster 17
  run -0 as_user bash "$SCRIPTS/init/02-database.sh"
  [[ $output == *'02-database: PostgreSQL Database directory appears to contain a database'* ]]
}
