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

@test "docker_process_init_files: every kind, in order" {
  cd "$DATABASE_SCRIPTS"
  echo 'echo sourced' >1.sh
  printf '#!/bin/sh\necho executed\n' >2.sh && chmod 755 2.sh
  echo 'select 3' >3.sql
  echo 'select 4' | gzip >4.sql.gz
  echo 'select 5' | xz >5.sql.xz
  stub zstd <<<'cat "$2"'
  echo 'select 6' >6.sql.zst
  echo x >'7 $(x).txt'
  run -0 with_postgresql 'docker_process_init_files "$DATABASE_SCRIPTS"/*'
  [[ $output == *sourced*executed*'ignoring '*'7 $(x).txt' ]]
  [ "$(grep -c 'sql: select' "$CALLS")" = 3 ]
  [[ $(<"$CALLS") == *'/3.sql>'* ]]
}

@test "database_owner_is_late, database_rename_owner: only for a double quote in the name; no password in arguments" {
  POSTGRES_USER=plain run -0 with_postgresql 'database_rename_owner'
  [ ! -s "$CALLS" ]
  POSTGRES_USER='a"b' POSTGRES_PASSWORD=hunter2 run -0 with_postgresql 'database_rename_owner'
  run -0 grep '^psql' "$CALLS"
  [[ ${lines[0]} == *'<--username=strata_first_owner>'* ]]
  [[ ${lines[1]} == *'<--username=strata_renamer>'*'<--set=name=a"b>'* ]]
  [[ ${lines[2]} == *'<--username=a"b>'* ]]
  [[ $output != *'hunter2>'* ]]
}

@test "database_as_role: the statements stay out of the server's log" {
  stub psql <<<'echo "$PGOPTIONS"; cat'
  POSTGRES_PASSWORD=hunter2 run -0 with_postgresql 'database_as_role r <<<"select 1"'
  [[ $output == *log_statement=none*'\set password'*'select 1' && $output != *hunter2* ]]
}
