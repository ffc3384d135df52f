#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  printf 'var|%s\n' 'POSTGRES_PASSWORD|string||secret|' 'POSTGRES_USER|string||file|' 'TIMEOUT|integer|30||1..' \
    >"$CONTRACTS/test.contract"
  export DOCKER_ENTRYPOINT_HOME=$CONTAINER
  unset -v POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD_FILE TIMEOUT
  # A wrapper, as people write them for the official image.
  WRAPPER=$BATS_TEST_TMPDIR/wrapper.sh
  BY_PATH=$IMAGE/usr/local/bin/docker-entrypoint.sh
}

# The user that the tests run as has no entry on this machine; how that is helped is another file's test.
no_user='security_known_user() { REPLY=/; }'

# Runs a wrapper that sources the official path and goes on with the code on stdin; arguments are the wrapper's.
wrapper() {
  { printf 'source "%s"\n' "$BY_PATH" && cat; } >"$WRAPPER"
  chmod 644 "$WRAPPER"
  as_user bash "$WRAPPER" "$@"
}

@test "docker-entrypoint.sh: executed, it is the entrypoint with the very arguments" {
  printf '#!/usr/bin/env bash\nprintf "<%%s>" "$@"\n' >"$CONTAINER/entrypoint.sh"
  run -0 bash "$BY_PATH" postgres -c 'a b' ''
  [ "$output" = '<postgres><-c><a b><>' ]
}

@test "docker-entrypoint.sh: sourced, it runs nothing and has the functions of the official image" {
  run -0 wrapper <<'S'
for name in _is_sourced docker_create_db_directories docker_init_database_dir docker_verify_minimum_env docker_setup_env \
  docker_error_old_databases docker_process_init_files docker_process_sql docker_setup_db docker_temp_server_start \
  docker_temp_server_stop pg_setup_hba_conf file_env _pg_want_help _main; do
  # Init scripts have some of theirs, which are loaded by docker_setup_env.
  declare -F "$name"
done
S
  [ "${#lines[@]}" = 15 ]
  [ ! -s "$CALLS" ]
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "_is_sourced: only in a file that another one sources" {
  printf '_is_sourced && echo yes || echo no\n' >"$BATS_TEST_TMPDIR/inner.sh"
  run -0 wrapper <<<"source '$BATS_TEST_TMPDIR/inner.sh'"
  [ "$output" = yes ]
  run -1 wrapper <<<'_is_sourced'
}

@test "file_env: from the variable, its file, or the default; exported, and the file's name is gone" {
  printf 'from a file\n' >"$BATS_TEST_TMPDIR/secret"
  X=given run -0 wrapper <<<'file_env X other; bash -c '\''echo "<$X>"'\'
  [ "$output" = '<given>' ]
  X_FILE=$BATS_TEST_TMPDIR/secret run -0 wrapper <<<'file_env X other; bash -c '\''echo "<$X> <${X_FILE-}>"'\'
  [ "$output" = '<from a file> <>' ]
  run -0 wrapper <<<'file_env X other; file_env Y; bash -c '\''echo "<$X> <$Y>"'\'
  [ "$output" = '<other> <>' ]
}

@test "file_env: both, or a file that is none, ends with 2 and the names" {
  X=1 X_FILE=/dev/null run -2 wrapper <<<'file_env X'
  [[ $output == *'X and X_FILE are both set'* ]]
  X_FILE=/nonexistent run -2 wrapper <<<'file_env X'
  [[ $output == *"X_FILE: expected the path of a file, found '/nonexistent'"* ]]
}

@test "docker_setup_env: names and secrets are set, and it says whether there is a cluster" {
  printf 'hidden\n' >"$BATS_TEST_TMPDIR/secret"
  local code='docker_setup_env; echo "$POSTGRES_USER $POSTGRES_DB $POSTGRES_PASSWORD <$DATABASE_ALREADY_EXISTS> $TIMEOUT"'
  POSTGRES_USER='a b' POSTGRES_PASSWORD_FILE=$BATS_TEST_TMPDIR/secret run -0 wrapper <<<"$code"
  [ "$output" = 'a b a b hidden <> 30' ]
  make_cluster 17
  POSTGRES_PASSWORD=x POSTGRES_DB=app run -0 wrapper <<<"$code"
  [ "$output" = 'postgres app x <true> 30' ]
}

@test "docker_setup_env: a wrong variable ends with 2" {
  TIMEOUT=soon run -2 wrapper <<<'docker_setup_env'
  [[ $output == *"TIMEOUT: expected a whole number"* ]]
}

@test "docker_create_db_directories: the data folder is made, and narrow" {
  local inner=$PGDATA/inner
  PGDATA=$inner run -0 wrapper <<<'docker_setup_env; umask 0; docker_create_db_directories'
  [ "$(stat -c %a "$inner")" = 750 ]
}

@test "docker_verify_minimum_env: no password is an error that explains itself" {
  run -2 wrapper <<<'docker_setup_env; docker_verify_minimum_env'
  [[ $output == *'needs a password for its superuser'* ]]
  POSTGRES_PASSWORD=x run -0 wrapper <<<'docker_setup_env; docker_verify_minimum_env'
}

@test "docker_error_old_databases, pg_setup_hba_conf: nothing is left for them to do" {
  POSTGRES_PASSWORD=x run -0 wrapper <<<'docker_setup_env; docker_error_old_databases; pg_setup_hba_conf postgres'
  [ -z "$output$(ls -A "$PGDATA")" ]
  [ ! -s "$CALLS" ]
}

@test "docker_init_database_dir: a cluster with its lines for who may connect, still marked as incomplete" {
  POSTGRES_PASSWORD='s e"c' run -0 wrapper <<<"docker_setup_env; $no_user; docker_init_database_dir"
  [[ $(<"$CALLS") == *'initdb <--pwfile='*"password <s e\"c>"* ]]
  [ "$(<"$PGDATA/PG_VERSION")" = 17 ]
  [[ $(<"$PGDATA/pg_hba.conf") == *'host all all all scram-sha-256'* ]]
  [ -e "$PGDATA/strata.initialising" ]
  [ ! -e "$PGDATA/strata.initdb" ]
}

@test "docker_init_database_dir to docker_temp_server_stop: a wrapper makes a whole cluster, step by step" {
  echo 'select 1' >"$DATABASE_SCRIPTS/10.sql"
  POSTGRES_PASSWORD=x POSTGRES_DB=app run -0 wrapper postgres -c work_mem=1MB <<S
docker_setup_env
$no_user
docker_create_db_directories
docker_verify_minimum_env
docker_init_database_dir
pg_setup_hba_conf "\$@"
docker_temp_server_start "\$@"
docker_setup_db
docker_process_init_files "\$DATABASE_SCRIPTS"/*
docker_temp_server_stop
S
  local said
  said=$(<"$CALLS")
  [[ $said == *initdb*'postgres <-D>'*'<work_mem=1MB>'*'<listen_addresses=>'* ]]
  [[ $said == *'<--set=name=app>'*'CREATE DATABASE'*"<-f> <$DATABASE_SCRIPTS/10.sql>"*'signal INT'*'<--sync-only>'* ]]
  [ ! -e "$PGDATA/strata.initialising" ]
  [ ! -e "$PGDATA/strata.journal" ]
}

@test "docker_temp_server_start, docker_temp_server_stop: around a cluster that is there, nothing is marked or synced" {
  make_cluster 17
  if ((EUID == 0)); then chown -R 12345 "$PGDATA"; fi
  run -0 wrapper <<'S'
docker_setup_env
init_config postgres
docker_temp_server_start
docker_process_sql <<<'select 2'
docker_temp_server_stop
S
  [[ $(<"$CALLS") == *'postgres <-D>'*'sql: select 2'*'signal INT'* && $(<"$CALLS") != *initdb* ]]
  [ ! -e "$PGDATA/strata.initialising" ]
}

@test "docker_setup_db: the database of POSTGRES_DB, none for the one that is always there" {
  POSTGRES_PASSWORD=x POSTGRES_DB='a "b"' run -0 wrapper <<<'docker_setup_env; docker_setup_db'
  [[ $(<"$CALLS") == *'<--set=name=a "b">'* ]]
  : >"$CALLS"
  POSTGRES_PASSWORD=x run -0 wrapper <<<'docker_setup_env; docker_setup_db'
  [ ! -s "$CALLS" ]
}

@test "_pg_want_help: what answers instead of serving" {
  local word
  for word in -? --help --describe-config -V --version; do
    run -0 wrapper "$word" <<<'docker_setup_env; _pg_want_help "$@"'
  done
  run -1 wrapper -c x=y <<<'docker_setup_env; _pg_want_help "$@"'
  run -1 wrapper <<<'docker_setup_env; _pg_want_help "$@"'
}

@test "_main: the container's whole life, here of another command" {
  run -0 wrapper printf '<%s>' 'a b' <<<'_main "$@"; echo not reached'
  [ "$output" = '<a b>' ]
}

@test "docker-entrypoint.sh: sourced, it lets wrappers use variables that are not set" {
  run -0 wrapper <<<'echo "<$NOBODY_SET_THIS>"'
  [ "$output" = '<>' ]
}

@test "docker_temp_server_start: options alone are the server's" {
  POSTGRES_PASSWORD=x run -0 wrapper <<<"$no_user; docker_setup_env; docker_create_db_directories; docker_init_database_dir
    docker_temp_server_start -c work_mem=9MB; docker_temp_server_stop"
  [[ $(<"$CALLS") == *'<work_mem=9MB>'* ]]
}
