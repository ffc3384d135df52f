#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2034,SC2016 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../entrypoint/test/helper.bash"

# Merges the image and puts stand-ins for the server's programs onto PATH.
postgresql_setup() {
  merge_image entrypoint healthcheck postgresql
  export PGDATA=$BATS_TEST_TMPDIR/data STATE_DIR=$STATE_FOLDERS PG_MAJOR=17 CALLS=$BATS_TEST_TMPDIR/calls
  export DATABASE_SOCKETS=$BATS_TEST_TMPDIR/sockets DATABASE_SCRIPTS=$BATS_TEST_TMPDIR/initdb.d
  mkdir -p "$PGDATA" "$DATABASE_SOCKETS" "$DATABASE_SCRIPTS"
  if ((EUID == 0)); then chown 12345 "$PGDATA" "$DATABASE_SOCKETS"; fi
  : >"$CALLS"
  chmod 666 "$CALLS"
  stub initdb <<'S'
printf 'initdb' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; echo >>"$CALLS"
for word; do case $word in --pwfile=*) printf 'password <%s>\n' "$(<"${word#*=}")" >>"$CALLS" ;; --sync-only) exit 0 ;; esac; done
[[ -z ${INITDB_FAILS-} ]] || exit 1
dir=${*: -1}; mkdir -p "$dir/global"; echo 17 >"$dir/PG_VERSION"; touch "$dir/global/pg_control" "$dir/pg_hba.conf" "$dir/postgresql.conf"
S
  stub postgres <<'S'
printf 'postgres' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; echo >>"$CALLS"
case " $* " in
  *' -V '*) echo 'postgres (PostgreSQL) 16.3 (Debian)'; exit 0 ;;
  *' -C '*) [[ -z ${POSTGRES_COMPLAINS-} ]] || { echo "$POSTGRES_COMPLAINS" >&2; exit 1; }; echo md5; exit 0 ;;
esac
[[ -z ${POSTGRES_FAILS-} ]] || exit 1
trap 'echo "signal INT" >>"$CALLS"; kill "$!"; exit 0' INT
trap 'echo "signal QUIT" >>"$CALLS"; kill "$!"; exit 0' QUIT
sleep 30 >/dev/null 2>&1 3>&- &
printf '%s\n' "$$" "$2" 0 5432 /sockets '*' 1 ready >"$2/postmaster.pid"
wait
S
  stub psql <<'S'
printf 'psql' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; printf ' db=%s pw=%s\n' "${PGDATABASE-}" "${PGPASSWORD-}" >>"$CALLS"
sed 's/^/  sql: /' >>"$CALLS"
[[ -z ${PSQL_FAILS-} ]] || exit 3
S
  prelude='source "$ENTRYPOINT_SCRIPTS"/init/01-directories.sh; source "$ENTRYPOINT_SCRIPTS"/init/02-database.sh
source "$ENTRYPOINT_SCRIPTS"/init/03-config.sh; source "$ENTRYPOINT_SCRIPTS"/runtime/modes/postgres.sh
ENV_PRESENT=($(compgen -e)); LOG_NAME=t; POSTGRES_USER=${POSTGRES_USER-postgres} POSTGRES_DB=${POSTGRES_DB-postgres}
POSTGRES_COMMAND=postgres POSTGRES_ARGS=() POSTGRES_CONFIG_FILE= DATABASE_INITDB=(initdb);
if [[ -n ${TRAPS-} ]]; then startup_traps; fi; '
}

# Runs code with all functions of the fragment at hand.
with_postgresql() { with_entrypoint "$prelude$1"; }

# Puts a whole cluster of a version into PGDATA.
make_cluster() {
  mkdir -p "$PGDATA/global"
  echo "$1" >"$PGDATA/PG_VERSION"
  touch "$PGDATA/global/pg_control"
}
