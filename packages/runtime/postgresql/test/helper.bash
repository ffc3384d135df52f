#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2034,SC2016 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../entrypoint/test/helper.bash"

# Merges the image and puts stand-ins for the server's programs onto PATH.
postgresql_setup() {
  merge_image entrypoint healthcheck postgresql
  export PGDATA=$BATS_TEST_TMPDIR/data STATE_DIR=$STATE_FOLDERS PG_MAJOR=17 CALLS=$BATS_TEST_TMPDIR/calls
  export DATABASE_SOCKETS=$BATS_TEST_TMPDIR/sockets DATABASE_SCRIPTS=$BATS_TEST_TMPDIR/initdb.d
  # What the machine is like must not decide a test: no limit of memory, no other process, this boot.
  export MEMORY_CGROUP=$BATS_TEST_TMPDIR/cgroup PREFLIGHT_PROC=$BATS_TEST_TMPDIR/proc DATABASE_BOOT=$BATS_TEST_TMPDIR/boot
  mkdir -p "$PGDATA" "$DATABASE_SOCKETS" "$DATABASE_SCRIPTS" "$MEMORY_CGROUP" "$PREFLIGHT_PROC"
  echo this-boot >"$DATABASE_BOOT"
  : >"$PREFLIGHT_PROC/mounts"
  owned_by_user "$PGDATA" "$DATABASE_SOCKETS"
  : >"$CALLS"
  chmod 666 "$CALLS"
  postgresql_stubs
  # What the mode and the init scripts set before the function that a test calls; not fails as a plain ! does not;
  # whoever runs the tests has an entry in /etc/passwd.
  prelude='for file in "$ENTRYPOINT_SCRIPTS"/init/[0-9][0-9]-*.sh "$ENTRYPOINT_SCRIPTS"/runtime/modes/postgres.sh; do source "$file"; done
not() { ! "$@"; }; ENV_PRESENT=($(compgen -e)); LOG_NAME=t; POSTGRES_USER=${POSTGRES_USER-postgres} POSTGRES_DB=${POSTGRES_DB-postgres}
POSTGRES_COMMAND=postgres POSTGRES_ARGS=() POSTGRES_CONFIG_FILE=; security_known_user() { REPLY=/; }
if [[ -n ${TRAPS-} ]]; then startup_traps; fi; '
}

# Stand-ins that note in CALLS how they were called. They do what a test asks for by variables:
# *_FAILS a failure; COMPLAINS a complaint about any configuration; complaints (a file) what the server says of a
# parameter, as "name|text"; *_SAYS the answer.
postgresql_stubs() {
  export COMPLAINTS=$BATS_TEST_TMPDIR/complaints
  stub initdb <<'S'
printf 'initdb' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; echo >>"$CALLS"
for word; do case $word in --pwfile=*) printf 'password <%s>\n' "$(<"${word#*=}")" >>"$CALLS" ;; --sync-only) [[ -z ${SYNC_FAILS-} ]]; exit ;; esac; done
[[ -z ${INITDB_FAILS-} ]] || exit 1
dir=${*: -1}; mkdir -p "$dir/global"; echo 17 >"$dir/PG_VERSION"; touch "$dir/global/pg_control" "$dir/pg_hba.conf" "$dir/postgresql.conf"
S
  stub postgres <<'S'
printf 'postgres' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; echo >>"$CALLS"
case " $* " in
  *' -V '*) echo 'postgres (PostgreSQL) 16.3 (Debian)'; exit 0 ;;
  *' --single '*)
    sed 's/^/  single: /' >>"$CALLS"
    printf '%s\n' "${SINGLE_SAYS-PostgreSQL stand-alone backend 17.0}"
    [[ -z ${SINGLE_FAILS-} ]]; exit ;;
  *' -C '*)
    [[ -z ${POSTGRES_COMPLAINS-} ]] || { echo "$POSTGRES_COMPLAINS" >&2; exit 1; }
    if [[ -r $COMPLAINTS ]]; then
      while IFS='|' read -r name text; do
        if grep -q "^$name = " "$STATE_DIR/postgresql.conf"; then echo "$text" >&2; exit 1; fi
      done <"$COMPLAINTS"
    fi
    case ${*: -1} in hba_file) echo "${HBA_SAYS-$2/pg_hba.conf}" ;; *) echo md5 ;; esac
    exit 0 ;;
esac
[[ -z ${POSTGRES_FAILS-} ]] || exit 1
trap 'echo "signal INT" >>"$CALLS"; kill "$!"; exit 0' INT
trap 'echo "signal QUIT" >>"$CALLS"; kill "$!"; exit 0' QUIT
sleep 60 >/dev/null 2>&1 3>&- &
printf '%s\n' "$$" "$2" 0 5432 /sockets '*' 1 ready >"$2/postmaster.pid"
wait
S
  stub psql <<'S'
{ printf 'psql'; printf ' <%s>' "$@"; printf ' db=%s pw=%s\n' "${PGDATABASE-}" "${PGPASSWORD-}"; } >>"$CALLS"
if [[ " $* " != *' -c '* ]]; then sed 's/^/  sql: /' >>"$CALLS"; fi
if [[ -n ${PSQL_SAYS-} ]]; then printf '%s\n' "$PSQL_SAYS"; fi
[[ -z ${PSQL_FAILS-} ]] || exit 3
S
}

# Runs code with all functions of the fragment at hand.
with_postgresql() { with_entrypoint "$prelude$1"; }

# Puts a whole cluster of a version into PGDATA.
make_cluster() {
  mkdir -p "$PGDATA/global"
  echo "$1" >"$PGDATA/PG_VERSION"
  touch "$PGDATA/global/pg_control"
  owned_by_user "$PGDATA"
}
