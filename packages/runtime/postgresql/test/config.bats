#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "config_quote: quotes and backslashes doubled" {
  run -0 with_postgresql "config_quote \"it's \\\\ \\\"x\\\" \\\$(y)\"; echo \"\$REPLY\""
  [ "$output" = "'it''s \\\\ \"x\" \$(y)'" ]
}

@test "config_parameter: lower case, a dot for two underscores" {
  run -0 with_postgresql 'config_parameter POSTGRESQL_PG_STAT_STATEMENTS__MAX; echo "$REPLY"'
  [ "$output" = pg_stat_statements.max ]
}

@test "config_check_environment: line breaks, names, and what is ours, all by name" {
  POSTGRESQL_A=$'x\ny' POSTGRESQL_1B=x POSTGRESQL_DATA_DIRECTORY=/x POSTGRESQL_FINE=1 run -2 with_postgresql 'config_check_environment'
  [[ $output == *POSTGRESQL_1B* && $output == *'POSTGRESQL_A: '* && $output == *POSTGRESQL_DATA_DIRECTORY* && $output != *FINE* ]]
}

@test "config_build: defaults, the user's file, the folder, the environment, in that order" {
  export PGCONFIG=$BATS_TEST_TMPDIR/conf\'ig
  mkdir "$PGCONFIG"
  POSTGRESQL_WORK_MEM="8'MB" run -0 with_postgresql 'config_build; echo "$CONFIG_TEXT$CONFIG_CHECKED"'
  [[ $output == *"listen_addresses = '*'"*"include_if_exists '$PGDATA/postgresql.conf'"*"include_dir '$BATS_TEST_TMPDIR/conf''ig'"*"work_mem = '8''MB'"$'\nyes' ]]
}

@test "config_build: the file that was asked for instead of the cluster's; nothing to check; a socket elsewhere" {
  run -0 with_postgresql 'POSTGRES_CONFIG_FILE=/x/y.conf DATABASE_SOCKETS=/tmp; config_build; echo "$CONFIG_TEXT<$CONFIG_CHECKED>"'
  [[ $output == *"unix_socket_directories = '/tmp'"*"include '/x/y.conf'"*'<>' && $output != *"$PGDATA"* ]]
}

@test "config_blame: the variables of the parameters that are named" {
  POSTGRESQL_WORK_MEM=x POSTGRESQL_DATESTYLE=y POSTGRESQL_PORT=1 run -0 with_postgresql 'config_blame "bad \"work_mem\", bad \"DateStyle\""; echo "$REPLY"; config_blame "else"; echo "<$REPLY>"'
  [[ $output == *POSTGRESQL_WORK_MEM* && $output == *POSTGRESQL_DATESTYLE* && $output != *PORT* && $output == *'<>' ]]
}

@test "config_complaint: without time stamps and missing files" {
  run -0 with_postgresql 'config_complaint $'"'"'2026-11-21 00:49:29.204 GMT [9] LOG:  skipping missing configuration file "x"\n2026-11-21 00:49:29.204 GMT [9] LOG:  bad\nplain'"'"'; echo "$REPLY"'
  [ "$output" = 'LOG:  bad; plain' ]
}

@test "config_check: the server's word, with the variable's name" {
  run -0 with_postgresql 'config_check'
  POSTGRESQL_WORK_MEM=x POSTGRES_COMPLAINS='invalid value for parameter "work_mem"' run -2 with_postgresql 'config_check'
  [[ $output == *'POSTGRESQL_WORK_MEM: expected settings that the server accepts, found: invalid value'* ]]
}

@test "init_config: a private file, written once, checked only if need be" {
  run -0 with_postgresql 'init_config postgres; rm "$STATE_DIR/postgresql.conf"; init_config postgres; [ ! -e "$STATE_DIR/postgresql.conf" ]; CONFIG_DONE=; init_config postgres'
  [ "$(stat -c %a "$STATE_FOLDERS/postgresql.conf")" = 600 ]
  [ ! -s "$CALLS" ]
  POSTGRESQL_WORK_MEM=1 run -0 with_postgresql 'init_config postgres -c x=y'
  [[ $(<"$CALLS") == *'<-c> <x=y> <-C> <port>' ]]
}
