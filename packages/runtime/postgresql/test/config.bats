#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  export PGCONFIG=$BATS_TEST_TMPDIR/conf\'ig
}

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

@test "config_add, config_include: a line each, which has to be checked" {
  touch "$BATS_TEST_TMPDIR/it's.conf"
  run -0 with_postgresql 'CONFIG_TEXT= CONFIG_CHECKED=; config_add a "b'"'"'c"; config_include "$PGDATA/../it'"'"'s.conf"; echo "$CONFIG_TEXT$CONFIG_CHECKED"'
  [ "$output" = "a = 'b''c'"$'\n'"include '$PGDATA/../it''s.conf'"$'\nyes' ]
  run -3 with_postgresql 'config_include /none'
  [[ $output == *'/none: expected a file that user '* ]]
}

@test "config_folder: as a whole, or file by file where some of them hold no parameters" {
  local ask='CONFIG_TEXT=; config_folder; echo "$CONFIG_TEXT"'
  run -0 with_postgresql "$ask"
  [ -z "$output" ]
  mkdir "$PGCONFIG"
  touch "$PGCONFIG/b.conf" "$PGCONFIG/a.conf" "$PGCONFIG/readme"
  run -0 with_postgresql "$ask"
  local quoted=$BATS_TEST_TMPDIR/conf\'\'ig
  [ "$output" = "include_dir '$quoted'" ]
  touch "$PGCONFIG/pg_hba.conf" "$PGCONFIG/pg_ident.conf"
  ln -s /none "$PGCONFIG/c.conf"
  run -0 with_postgresql "$ask"
  [ "$output" = "include '$quoted/a.conf'"$'\n'"include '$quoted/b.conf'"$'\n'"hba_file = '$quoted/pg_hba.conf'"$'\n'"ident_file = '$quoted/pg_ident.conf'" ]
}

@test "config_folder: a file or a folder that cannot be read is named" {
  mkdir "$PGCONFIG"
  touch "$PGCONFIG/a.conf"
  chmod 000 "$PGCONFIG/a.conf"
  run -3 with_postgresql 'CONFIG_TEXT=; config_folder'
  [[ $output == *'/a.conf: expected a file that user '* ]]
  chmod 000 "$PGCONFIG"
  run -3 with_postgresql 'CONFIG_TEXT=; config_folder'
  chmod 700 "$PGCONFIG"
  [[ $output == *'PGCONFIG: expected a folder that user '* ]]
}

@test "config_build: defaults, the user's file, the folder, what is switched on, the environment, in that order" {
  mkdir "$PGCONFIG"
  POSTGRESQL_WORK_MEM="8'MB" ARCHIVE_TIMEOUT=60 run -0 with_postgresql 'hook() { config_add hooked yes; }; CONFIG_HOOKS+=(hook); config_build; echo "$CONFIG_TEXT$CONFIG_CHECKED"'
  [[ $output == *"listen_addresses = '*'"*"include_if_exists '$PGDATA/postgresql.conf'"*"include_dir '$BATS_TEST_TMPDIR/conf''ig'"*"archive_timeout = '60'"*"hooked = 'yes'"*"work_mem = '8''MB'"$'\nyes' ]]
}

@test "config_build: the defaults of fragments stand below all that the user says" {
  run -0 with_postgresql 'CONFIG_DEFAULTS+="wal_sender_timeout = 10s"$'"'\\n'"'; config_build; echo "$CONFIG_TEXT<$CONFIG_CHECKED>"'
  [[ $output == *$'\nwal_sender_timeout = 10s\n'*include_if_exists*'<>' ]]
}

@test "config_build: nothing to check where nobody chose anything" {
  run -0 with_postgresql 'config_build; echo "<$CONFIG_CHECKED>"'
  [ "$output" = '<>' ]
}

@test "config_build: the file that was asked for instead of the cluster's; a socket elsewhere" {
  run -0 with_postgresql 'POSTGRES_CONFIG_FILE=/x/y.conf DATABASE_SOCKETS=/tmp; config_build; echo "$CONFIG_TEXT<$CONFIG_CHECKED>"'
  [[ $output == *"unix_socket_directories = '/tmp'"*"include '/x/y.conf'"*'<yes>' && $output != *"$PGDATA"* ]]
}

@test "config_build: the limit of memory wins over initdb's choice, not over the user's" {
  echo 268435456 >"$MEMORY_CGROUP/memory.max"
  printf 'shared_buffers = 128MB\t\t\t# min 128kB\n' >"$PGDATA/postgresql.conf"
  run -0 with_postgresql 'config_build; echo "$CONFIG_TEXT"'
  [ "$(grep -c '^shared_buffers = 64MB$' <<<"$output")" = 2 ]
  echo 'shared_buffers = 32MB' >"$PGDATA/postgresql.conf"
  run -0 with_postgresql 'config_build; echo "$CONFIG_TEXT"'
  [ "$(grep -c '^shared_buffers = 64MB$' <<<"$output")" = 1 ]
}

@test "config_warn_auto: what ALTER SYSTEM set above the environment" {
  POSTGRESQL_WORK_MEM=1MB run -0 with_postgresql 'config_check_environment; config_warn_auto'
  [ -z "$output" ]
  printf '# x\nwork_mem = '"'8MB'"'\nport = 1\n' >"$PGDATA/postgresql.auto.conf"
  POSTGRESQL_WORK_MEM=1MB POSTGRESQL_DATESTYLE=x run -0 with_postgresql 'config_check_environment; config_warn_auto'
  [ "${#lines[@]}" = 1 ]
  [[ $output == *WARN*'POSTGRESQL_WORK_MEM: ALTER SYSTEM set work_mem too'* ]]
}

@test "config_blame: the variables of the parameters that are named, each once" {
  POSTGRESQL_WORK_MEM=x POSTGRESQL_DATESTYLE=y POSTGRESQL_PORT=1 run -0 with_postgresql 'config_check_environment; CONFIG_LEFT_OUT=
    config_blame "bad \"work_mem\", bad \"DateStyle\""; echo "$REPLY"; config_blame "else"; echo "<$REPLY>"
    CONFIG_LEFT_OUT=" POSTGRESQL_WORK_MEM"; config_blame "bad \"work_mem\""; echo "<$REPLY>"'
  [[ ${lines[0]} == *POSTGRESQL_WORK_MEM* && ${lines[0]} == *POSTGRESQL_DATESTYLE* && ${lines[0]} != *PORT* ]]
  [ "${lines[1]} ${lines[2]}" = '<> <>' ]
}

@test "config_complaint: without time stamps and missing files; long ones are cut" {
  run -0 with_postgresql 'config_complaint $'"'"'2026-11-21 00:49:29.204 GMT [9] LOG:  skipping missing configuration file "x"\n2026-11-21 00:49:29.204 GMT [9] LOG:  bad\nplain'"'"'; echo "$REPLY"'
  [ "$output" = 'LOG:  bad; plain' ]
  run -0 with_postgresql 'printf -v long "%0300d" 1; config_complaint "$long"; echo "${#REPLY} ${REPLY:200}"; for i in 1 2 3; do long+=$'"'\n'"'$long; done
    config_complaint "$long"; echo "${REPLY:800}"'
  [[ ${lines[0]} == *' …' && ${lines[1]} == '…' ]]
}

@test "config_check: the server's word for every variable, one after the other" {
  run -0 with_postgresql 'config_build; config_write; config_check'
  printf '%s\n' 'work_mem|LOG: invalid value for parameter "work_mem"' 'port|LOG: bad "port"' >"$COMPLAINTS"
  POSTGRESQL_WORK_MEM=x POSTGRESQL_PORT=y POSTGRESQL_DATESTYLE=z run -2 with_postgresql 'config_build; config_write; config_check'
  [ "${#lines[@]}" = 2 ]
  [[ ${lines[0]} == *'POSTGRESQL_WORK_MEM: expected settings that the server accepts, found: LOG: invalid value'* ]]
  [[ ${lines[1]} == *'POSTGRESQL_PORT: expected settings'*'correct POSTGRESQL_PORT' ]]
}

@test "config_check: what no variable is to blame for" {
  POSTGRES_COMPLAINS='bad file' run -2 with_postgresql 'config_build; config_write; config_check'
  [ "${#lines[@]}" = 1 ]
  [[ $output == *'the configuration: expected settings'*"or $PGDATA/postgresql.conf" ]]
}

@test "config_write: a folder that cannot be written is named" {
  STATE_FOLDERS=/proc/none run -3 with_postgresql 'CONFIG_TEXT=x; config_write 2>&1'
  [[ $output == *'cannot write /proc/none/postgresql.conf'* ]]
}

@test "init_config: a private file, written once, checked only if need be" {
  run -0 with_postgresql 'init_config postgres; rm "$STATE_DIR/postgresql.conf"; init_config postgres; [ ! -e "$STATE_DIR/postgresql.conf" ]; CONFIG_DONE=; init_config postgres'
  [ "$(stat -c %a "$STATE_FOLDERS/postgresql.conf")" = 600 ]
  [ ! -s "$CALLS" ]
  POSTGRESQL_WORK_MEM=1 run -0 with_postgresql 'init_config postgres -c x=y'
  [[ $(<"$CALLS") == *'<-c> <x=y> <-C> <port>' ]]
}

@test "init_config: the lines of who may connect, with those of the new cluster the second time" {
  POSTGRES_HBA='host x x x md5' PG_MAJOR=15 run -0 with_postgresql 'init_config postgres; echo "local all all peer" >"$PGDATA/pg_hba.conf"; init_config postgres; cat "$HBA_WRITTEN"'
  [[ $output == *'host x x x md5'*'local all all peer' ]]
}

@test "init_config: the lines of a cluster that is there are checked" {
  make_cluster 17
  POSTGRES_HBA=x run -0 with_postgresql 'hba_check() { echo "asked $1"; }; init_config postgres'
  [ "$output" = "asked $PGDATA" ]
  POSTGRES_HBA=x run -2 with_postgresql 'hba_check() { REPLY="bad line"; return 1; }; init_config postgres'
  [[ $output == *'bad line' ]]
}

@test "init_config: the lines are not asked about where another program makes or copies databases" {
  make_cluster 17
  POSTGRES_HBA=x run -0 with_postgresql 'hba_check() { REPLY=no; return 1; }; DATABASE_DECIDER=decide; init_config postgres; echo "$CONFIG_DONE $HBA_WRITTEN"'
  [ "$output" = "yes $STATE_FOLDERS/pg_hba.conf" ]
}

@test "03-config.sh: can be run alone" {
  run -0 as_user bash "$SCRIPTS/init/03-config.sh" postgres
  [ -s "$STATE_FOLDERS/postgresql.conf" ]
}

@test "config_plugins: what is installed besides the server's own, where the server knows the parameter" {
  local ask='CONFIG_TEXT=; config_plugins; echo "$CONFIG_TEXT"' list=$BATS_TEST_TMPDIR/plugins
  mkdir "$list.d"
  touch "$list.d/decoderbufs" "$list.d/citus"
  run -0 with_postgresql "CONFIG_PLUGINS='$list'; $ask"
  [ -z "$output" ]
  echo 'pgoutput, test_decoding' >"$list"
  run -0 with_postgresql "CONFIG_PLUGINS='$list'; $ask"
  [ "$output" = "output_plugin_libraries = 'pgoutput, test_decoding, citus, decoderbufs'" ]
  rm -r "$list.d"
  run -0 with_postgresql "CONFIG_PLUGINS='$list'; $ask"
  [ "$output" = "output_plugin_libraries = 'pgoutput, test_decoding'" ]
}

@test "config_build: the output plugins are a default, which files and the environment change" {
  echo pgoutput >"$BATS_TEST_TMPDIR/plugins"
  POSTGRESQL_OUTPUT_PLUGIN_LIBRARIES=mine run -0 with_postgresql "CONFIG_PLUGINS=$BATS_TEST_TMPDIR/plugins; config_build; echo \"\$CONFIG_TEXT\""
  [[ $output == *"output_plugin_libraries = 'pgoutput'"*include_if_exists*"output_plugin_libraries = 'mine'"* ]]
}
