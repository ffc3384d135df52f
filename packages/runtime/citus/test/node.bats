#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { citus_setup; }

# Lets the configuration be what a text says, and puts Citus in front of its libraries.
preload() { with_citus 'CONFIG_CHECKED=${CHECKED-yes} CONFIG_TEXT="$TEXT"; config_write; citus_preload && tail -n 1 "$STATE_DIR/postgresql.conf"'; }

@test "sourcing the script registers its hooks where Citus is on, and nothing else" {
  run -0 with_citus 'echo "${CONFIG_HOOKS[*]} ${CONFIG_MADE_HOOKS[*]} ${DATABASE_HOOKS[*]} ${NODE_HOOKS[*]} ${STARTED_HOOKS[*]}"; printf "%s" "$CONFIG_DEFAULTS"'
  [[ $output == $'citus_check citus_preload citus_create citus_patroni citus_started\nwal_level = logical\ncitus.node_conninfo = '"'sslmode=require tcp_user_timeout=10000 "* ]]
  CITUS_ENABLE=false run -0 with_citus 'echo "${#CONFIG_HOOKS[@]} ${#DATABASE_HOOKS[@]} ${#STARTED_HOOKS[@]} <$CONFIG_DEFAULTS>"; init_citus postgres'
  [ "$output" = '0 0 0 <>' ]
  [ ! -s "$CALLS" ]
}

@test "citus_check: a coordinator needs nothing more, a worker its coordinator and a password" {
  run -0 with_citus citus_check
  [ -z "$output" ]
  CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c run -0 with_citus citus_check
  CITUS_ROLE=worker POSTGRES_PASSWORD='' run -2 with_citus citus_check
  [ "${#lines[@]}" = 2 ]
  [[ ${lines[0]} == *'CITUS_COORDINATOR_HOST: expected the coordinator that this worker (CITUS_ROLE) registers with, found none; set it' ]]
  [[ ${lines[1]} == *'POSTGRES_PASSWORD: expected the superuser'*'found none; set it, or POSTGRES_PASSWORD_FILE, or name a password file with PGPASSFILE' ]]
  CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c POSTGRES_PASSWORD='' PGPASSFILE=/f run -0 with_citus citus_check
}

@test "citus_check: an image without Citus, an address with a port, a group that counts for nothing" {
  CITUS_ADDRESS=h:5432 CITUS_GROUP=3 run -2 with_citus citus_check
  [[ $output == *'WARN  t: CITUS_GROUP: counts with PATRONI_ENABLE only'*"ERROR t: CITUS_ADDRESS: expected a host name or an IP, without a port, found 'h:5432'"* ]]
  ADDRESSES='' run -0 with_citus citus_check
  ADDRESSES='' CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c run -2 with_citus citus_check
  [[ $output == *'CITUS_ADDRESS: expected an address at which the other nodes reach this one, found none on its interfaces; set it' ]]
  rm "$LIBRARY"
  run -4 with_citus citus_check
  [[ $output == *'CITUS_ENABLE: expected an image with Citus, found one that was built without it'* ]]
}

@test "citus_check: with Patroni the group has to fit the role" {
  local role group code
  while read -r role group code; do
    CITUS_ROLE=$role CITUS_GROUP=${group/none/} run "-$code" with_citus 'patroni_enabled() { :; }; citus_check'
    [ "$code" = 0 ] || [[ $output == *'CITUS_GROUP: expected '* ]]
  done <<'E'
coordinator none 0
coordinator 0 0
coordinator 1 2
worker 1 0
worker 0 2
worker none 2
E
}

@test "citus_in_front: Citus comes first and once, the others stay in their order" {
  local list wanted
  while IFS='|' read -r list wanted; do
    LIST=$list run -0 with_citus 'citus_in_front "$LIST"; echo "$REPLY"'
    [ "$output" = "$wanted" ]
  done <<'E'
|citus
citus|citus
pg_stat_statements|citus, pg_stat_statements
pg_stat_statements,citus ,  auto_explain|citus, pg_stat_statements, auto_explain
"citus", "x y"|citus, "x y"
E
}

@test "citus_preload: Citus in front of what the configuration, the user or nobody says" {
  TEXT='' run -0 preload
  [ "$output" = "shared_preload_libraries = 'citus'" ]
  LIBRARIES=auto_explain TEXT='' run -0 preload
  [ "$output" = "shared_preload_libraries = 'citus, auto_explain'" ]
  TEXT=$'shared_preload_libraries = \'a, b\'\n' run -0 preload
  [ "$output" = "shared_preload_libraries = 'citus, a, b'" ]
}

@test "citus_preload: the server is not asked where nobody can have named libraries; initdb's settings are looked at" {
  stub postgres <<<'exit 1'
  TEXT='' run -0 with_citus 'CONFIG_CHECKED=""; citus_libraries() { echo asked; }; CONFIG_TEXT=""; citus_preload; tail -n 1 "$STATE_DIR/postgresql.conf"'
  [ "$output" = "shared_preload_libraries = 'citus'" ]
  local args
  for args in '-c shared_preload_libraries=x' "--set='shared_preload_libraries=x' --no-sync" '-cshared_preload_libraries=y -c shared_preload_libraries=x'; do
    CHECKED='' POSTGRES_INITDB_ARGS=$args TEXT='' run -0 preload
    [ "$output" = "shared_preload_libraries = 'citus, x'" ]
  done
}

@test "citus_preload: what stands above our configuration, the command or ALTER SYSTEM, keeps its libraries behind Citus" {
  local settle='CONFIG_TEXT=""; config_write; citus_preload; echo "${POSTGRES_ARGS[*]}"; database_split_args postgres -c a=b; echo "${POSTGRES_ARGS[*]}"'
  WINNING='x, citus' run -0 with_citus "POSTGRES_ARGS=(-c shared_preload_libraries=x,citus); $settle"
  [ "$output" = $'-c shared_preload_libraries=x,citus -c shared_preload_libraries=citus, x\n-c a=b -c shared_preload_libraries=citus, x' ]
  echo "shared_preload_libraries = 'x'" >"$PGDATA/postgresql.auto.conf"
  WINNING='x, citus' run -0 with_citus "$settle"
  [ "$output" = $'-c shared_preload_libraries=citus, x\n-c a=b -c shared_preload_libraries=citus, x' ]
}

@test "citus_password_file: the superuser's password for every node, in a file of its owner alone, whatever is in it" {
  POSTGRES_USER='a:b' POSTGRES_PASSWORD='c\d:e' run -0 with_citus 'citus_password_file; echo "$PGPASSFILE"; cat "$PGPASSFILE"; stat -c %a "$PGPASSFILE"'
  [ "$output" = "$STATE_FOLDERS/pgpass"$'\n''*:*:*:a\:b:c\\d\:e'$'\n600' ]
  PGPASSFILE=/mine run -0 with_citus 'citus_password_file; echo "$PGPASSFILE"'
  [ "$output" = /mine ]
  POSTGRES_PASSWORD='' run -0 with_citus 'citus_password_file; echo "${PGPASSFILE-none}"'
  [ "$output" = none ]
}

@test "citus_publish: what the health check has to know" {
  CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c POSTGRES_DB=app run -0 with_citus 'citus_publish; cat "$STATE_DIR/citus"'
  [ "$output" = $'worker\napp\nc\n5432\n192.0.2.7' ]
  CITUS_DATABASE='x y' CITUS_COORDINATOR_HOST=c run -0 with_citus 'patroni_enabled() { :; }; citus_publish; cat "$STATE_DIR/citus"'
  [ "$output" = $'coordinator\nx y\n\n5432\n192.0.2.7' ]
}

# Has the data of a cluster that was stopped well say something, and checks the role.
role() {
  make_cluster 17
  stub pg_controldata <<<'[[ "$*" == "-D $PGDATA" && $LC_ALL == C ]] || exit 1; echo "Database cluster state:               ${STATE-shut down}"'
  SINGLE_SAYS=$1 with_citus 'citus_check_role; echo "${POSTGRES_ARGS[*]-}"'
}

@test "citus_check_role: data of another role are refused, others and new ones taken" {
  run -0 role $'\t 1: ?column? = "strata group 0"\n\t 1: ?column? = "strata nodes 0"'
  [ -z "$output" ]
  [[ $(<"$CALLS") == *'<-c> <shared_preload_libraries=>'*'SELECT '*"'strata group ' || groupid"* ]]
  run -0 role $'"strata group 0"\n"strata nodes 3"'
  run -2 role $'"strata group 4"\n"strata nodes 3"'
  [[ $output == *'CITUS_ROLE: expected worker, which the data in PGDATA belong to, found coordinator;'*'nothing was changed' ]]
  export CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c
  run -0 role $'"strata group 4"\n"strata nodes 3"'
  run -0 role $'"strata group 0"\n"strata nodes 0"'
  run -2 role $'"strata group 0"\n"strata nodes 3"'
  [[ $output == *'CITUS_ROLE: expected coordinator, which the data in PGDATA belong to (they know its nodes), found worker;'* ]]
}

@test "citus_check_role: a volume without Citus tells nothing; a copy, a new cluster and one of Patroni are not asked" {
  SINGLE_FAILS=1 run -0 role 'ERROR:  relation "pg_catalog.pg_dist_local_group" does not exist'
  : >"$CALLS"
  STATE='in production' run -0 role '"strata group 4"'
  STATE='shut down in recovery' run -0 role '"strata group 4"'
  touch "$PGDATA/standby.signal"
  run -0 role '"strata group 4"'
  rm "$PGDATA/standby.signal"
  run -0 with_citus 'DATABASE_MADE=yes; citus_check_role; DATABASE_MADE=; patroni_enabled() { :; }; citus_check_role'
  [[ $(<"$CALLS") != *single* ]]
}

@test "citus_create: database and extension, before the user's scripts" {
  CITUS_DATABASE='a=b' run -0 with_citus citus_create
  [[ $(<"$CALLS") == *'<--set=name=a=b> db=postgres'*'CREATE DATABASE'*'db=a=b'*'CREATE EXTENSION IF NOT EXISTS citus'* ]]
  PSQL_FAILS=1 run -1 with_citus citus_create
  [[ $output == *'cannot make the extension citus, see above' ]]
}

@test "citus_create: passes Citus' event triggers over, and packs views by lz4" {
  stub psql <<<'{ echo "options=${PGOPTIONS-}"; cat; } >>"$CALLS"'
  PGOPTIONS='-c work_mem=1MB' run -0 with_citus citus_create
  [[ $(<"$CALLS") == *'options=-c work_mem=1MB -c session_replication_role=replica'*'SET default_toast_compression = lz4'* ]]
  : >"$CALLS"
  run -0 with_citus citus_make_all
  [[ $(<"$CALLS") != *session_replication_role* ]]
}

# A program that makes the two files it is told of.
stub_openssl() {
  stub openssl <<'S'
printf 'openssl' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"
while (($# > 0)); do case $1 in -keyout | -out) echo made >"$2" ;; esac; shift; done
[[ -z ${OPENSSL_FAILS-} ]]
S
}

@test "citus_certificate_end: one for the server alone, made beside initdb or now, and TLS is on" {
  stub_openssl
  printf '#ssl = off\n' >"$PGDATA/postgresql.conf"
  run -0 with_citus 'CONFIG_TEXT=$CONFIG_DEFAULTS$'"'\n'"'"include_if_exists '"'/p'"'"; citus_certificate_begin; citus_certificate_end; stat -c "%a %n" "$PGDATA"/server.*; cat "$PGDATA"/*.auto.conf'
  [[ $output == "600 $PGDATA/server.crt"$'\n'"600 $PGDATA/server.key"$'\n'"ssl = 'on'"$'\n'"ssl_ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:"* ]]
  [[ $(<"$CALLS") == *'<-newkey> <ec>'* ]]
  : >"$CALLS"
  run -0 with_citus 'CONFIG_TEXT=$CONFIG_DEFAULTS; citus_certificate_end; grep -c "" "$PGDATA"/*.auto.conf'
  [ "$output" = 2 ]
  [ ! -s "$CALLS" ]
  # Broken off between the two files.
  rm "$PGDATA/server.crt" "$PGDATA"/*.auto.conf
  : >"$PGDATA/server.key"
  owned_by_user "$PGDATA"
  run -0 with_citus 'CONFIG_TEXT=$CONFIG_DEFAULTS; citus_certificate_end; cat "$PGDATA"/server.{key,crt}'
  [ "$output" = $'made\nmade' ]
}

@test "citus_certificate_end: where there is no program, or the user says something of TLS, Citus does what it does" {
  stub_openssl
  OPENSSL_FAILS=yes run -0 with_citus 'CONFIG_TEXT=$CONFIG_DEFAULTS; citus_certificate_end'
  run -0 with_citus 'CONFIG_TEXT=$CONFIG_DEFAULTS$'"'\n'"'"ssl = '"'on'"'"; citus_certificate_end'
  [ -z "$(ls "$PGDATA")" ]
  local text
  while read -r text; do
    rm -f "$PGDATA"/*
    printf '#ssl = off\n' >"$PGDATA/postgresql.conf"
    owned_by_user "$PGDATA"
    TEXT=$text run -0 with_citus 'CONFIG_TEXT=$CONFIG_DEFAULTS; eval "$TEXT"; citus_certificate_end; ls "$PGDATA"'
    [ "$output" = $'postgresql.conf\nserver.crt\nserver.key' ]
  done <<'E'
unset -v CONFIG_TEXT
CONFIG_TEXT+=$'\ninclude_if_exists = \'/c/my.conf\'\n'
printf 'ssl_ciphers = x' >"$PGDATA/postgresql.conf"
CONFIG_TEXT+=$'\ninclude \'/c/my.conf\'\n'
CONFIG_TEXT+=$'\ninclude_dir \'/c\'\n'
CONFIG_TEXT+=$'\ncitus.node_conninfo = \'sslmode=prefer\'\n'
POSTGRES_ARGS=(-c ssl=off)
POSTGRES_ARGS=(-c citus.node_conninfo=)
POSTGRES_INITDB_ARGS='-c SSL=off'
E
}

@test "citus_server_args: the temporary server makes room for the transactions that init scripts could want, if there are any" {
  run -0 with_citus 'citus_server_args; echo "${DATABASE_SERVER_ARGS[*]}"'
  [ "$output" = '-c max_prepared_transactions=1' ]
  echo 'select 1' >"$DATABASE_SCRIPTS/a.sql"
  run -0 with_citus 'citus_server_args; echo "${DATABASE_SERVER_ARGS[*]}"'
  [ -z "$output" ]
}

@test "citus_patroni: Patroni gets group, database and the libraries" {
  CITUS_ROLE=worker CITUS_GROUP=2 CITUS_DATABASE=app LIBRARIES='citus, x' run -0 with_citus 'patroni_put() { echo "$1|$2|$3"; }; : >"$STATE_DIR/postgresql.conf"; citus_patroni'
  [ "$output" = $'citus/database|text|app\ncitus/group|number|2\npostgresql/parameters/shared_preload_libraries|text|citus, x' ]
}

@test "init_citus: password file, what the health check reads, and the role of the data" {
  run -0 with_citus 'init_citus postgres; ls "$STATE_DIR"'
  [[ $output == *citus*pgpass* ]]
}

@test "init_database: a new cluster gets the extension before the user's scripts run" {
  echo 'select 1' >"$DATABASE_SCRIPTS/a.sql"
  run -0 with_citus 'init_database postgres'
  [[ $(<"$CALLS") == *'CREATE EXTENSION IF NOT EXISTS citus'*"<$DATABASE_SCRIPTS/a.sql>"* ]]
  [[ $(<"$STATE_FOLDERS/postgresql.conf") == *"shared_preload_libraries = 'citus'" ]]
}
