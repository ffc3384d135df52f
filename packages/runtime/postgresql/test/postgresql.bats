#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "database_split_args: takes the configuration file out, in every spelling" {
  local args
  for args in '-c config_file=/x' '-cconfig_file=/x' '--config_file=/x' '--config-file=/x' '-c config-file=/x'; do
    run -0 with_postgresql "database_split_args postgres -N 5 $args -c 'a=b c' --d-e=f; echo \"\$POSTGRES_COMMAND \$POSTGRES_CONFIG_FILE\"; printf '<%s>' \"\${POSTGRES_ARGS[@]}\""
    [ "$output" = $'postgres /x\n<-N><5><-c><a=b c><-c><d-e=f>' ]
  done
}

@test "database_split_args: an option without its value is refused" { run -2 with_postgresql 'database_split_args postgres -c'; }

@test "database_check_folder_option: only PGDATA" {
  run -0 with_postgresql 'database_split_args postgres -D "$PGDATA/"; echo "${#POSTGRES_ARGS[@]}"'
  [ "$output" = 0 ]
  run -2 with_postgresql 'database_split_args postgres -D/else'
}

@test "database_folder_is_free: dot files count, lost+found and one name do not" {
  run -0 with_postgresql 'database_folder_is_free "$PGDATA"'
  mkdir "$PGDATA/lost+found" "$PGDATA/pgdata"
  run -1 with_postgresql 'database_folder_is_free "$PGDATA"'
  run -0 with_postgresql 'database_folder_is_free "$PGDATA" pgdata'
  ln -s /none "$PGDATA/.x"
  run -1 with_postgresql 'database_folder_is_free "$PGDATA" pgdata'
}

@test "database_server_major: from the image, else from the server, else what is missing" {
  run -0 with_postgresql 'database_server_major; echo "$REPLY"; PG_MAJOR=; database_server_major; echo "$REPLY"'
  [ "$output" = $'17\n16' ]
  rm "$STUBS/postgres"
  type -P postgres >/dev/null || PG_MAJOR='' run -4 with_postgresql 'database_server_major'
}

@test "database_is_ready: the right server, and ready" {
  run -1 with_postgresql 'database_is_ready 7'
  printf '%s\n' 7 d 0 5432 s l 1 starting >"$PGDATA/postmaster.pid"
  run -1 with_postgresql 'database_is_ready 7'
  printf '%s\n' 7 d 0 5432 s l 1 'ready   ' >"$PGDATA/postmaster.pid"
  run -0 with_postgresql 'database_is_ready 7'
  run -1 with_postgresql 'database_is_ready 8'
}

@test "database_server_start, database_server_stop: socket only, fast stop, stopping none is no failure" {
  run -0 with_postgresql 'database_server_stop; database_server_start; echo "${ABORT_HOOKS[*]}"; database_server_stop; database_server_stop'
  [ "$output" = database_server_stop ]
  [[ $(<"$CALLS") == *'<listen_addresses=>'*'<fsync=off>'*'signal INT' ]]
}

@test "database_lock_pid: a number or nothing" {
  run -0 with_postgresql 'database_lock_pid; echo "<$REPLY>"'
  [ "$output" = '<>' ]
  echo 'x$(y)' >"$PGDATA/postmaster.pid"
  run -0 with_postgresql 'database_lock_pid; echo "<$REPLY>"'
  [ "$output" = '<>' ]
  echo 42 >"$PGDATA/postmaster.pid"
  run -0 with_postgresql 'database_lock_pid; echo "<$REPLY>"'
  [ "$output" = '<42>' ]
}

@test "database_server_start: what an older server left is out of the way; a file of lines that is ours is not in force" {
  printf '%s\n' 4000001 d 0 5432 s l 1 ready >"$PGDATA/postmaster.pid"
  owned_by_user "$PGDATA"
  PGPORT=5433 run -0 with_postgresql 'POSTGRES_ARGS=(-c hba_file=/x); database_server_start; database_lock_pid; [ "$REPLY" = "$DATABASE_SERVER_PID" ]; database_server_stop'
  [[ $(<"$CALLS") == *"<hba_file=/x>"*"<hba_file=$PGDATA/pg_hba.conf>"*'<archive_mode=off> <-p> <5433>'* ]]
}

@test "database_server_stop: QUIT at once; a server that an init script started anew is stopped too" {
  run -0 with_postgresql 'database_server_start; STOP_SIGNAL=QUIT; database_server_stop'
  [[ $(<"$CALLS") == *'signal QUIT' ]]
  run -0 with_postgresql 'startup_spawn true; DATABASE_SERVER_PID=$SPAWNED_PID; wait "$SPAWNED_PID"
    startup_spawn postgres -D "$PGDATA"; new=$SPAWNED_PID; until database_is_ready "$new"; do sleep 0.02; done
    database_server_stop; not kill -0 "$new" 2>/dev/null'
  [[ $(<"$CALLS") == *'signal INT' ]]
}

@test "database_server_stop: a server that does not stop is killed after TIMEOUT" {
  TIMEOUT=1 run -1 with_postgresql 'startup_spawn bash -c '"'trap \"\" INT; : >\"\$1\"; exec sleep 60 >/dev/null 2>&1 3>&-'"' x "$STATE_DIR/deaf"
    until [[ -e $STATE_DIR/deaf ]]; do sleep 0.02; done
    DATABASE_SERVER_PID=$SPAWNED_PID; database_server_stop'
  [[ $output == *'did not stop within TIMEOUT=1 s and is killed'* ]]
}

@test "database_server_start: a server that ends is named" {
  POSTGRES_FAILS=yes run -1 with_postgresql 'database_server_start'
  [[ $output == *'did not start to initialise'* ]]
}

@test "database_client_env: no other host, the password, a socket elsewhere" {
  PGHOST=x PGHOSTADDR=y POSTGRES_PASSWORD=p run -0 with_postgresql 'database_client_env; echo "${PGHOST-none} ${PGHOSTADDR-none} $PGPASSWORD"
    DATABASE_SOCKETS=/tmp; database_client_env; echo "$PGHOST"'
  [ "$output" = $'none none p\n/tmp' ]
}

@test "docker_process_sql: stops at errors, the database by the environment, the shell unchanged" {
  POSTGRES_USER='-u "x"' POSTGRES_DB='host=evil' PGHOST=x run -0 with_postgresql 'docker_process_sql -f y <<<"select"; echo "$PGHOST"'
  [ "$output" = x ]
  [[ $(<"$CALLS") == *'<ON_ERROR_STOP=1> <--no-psqlrc> <--no-password> <--username=-u "x"> <-f> <y> db=host=evil'* ]]
}
