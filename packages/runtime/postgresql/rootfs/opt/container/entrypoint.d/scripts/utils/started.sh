#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What is looked at once the server takes connections, in the background: it keeps nobody waiting and ends nothing.

STARTED_HOOKS=() # functions of the fragments

# Warns of databases whose collations another version of the C library or ICU sorts now: their indexes may be wrong.
# Needs a login without a password on the socket, and says nothing where there is none. Servers before 15 do not know.
started_collations() {
  local name
  database_server_major
  ((REPLY >= 15)) || return 0
  while IFS= read -r name; do
    if [[ -z $name ]]; then continue; fi
    log_warn "the collations of database \"$name\" are of another version than this image's, so its indexes on text may be" \
      "wrong: in it, run REINDEX DATABASE \"$name\"; then ALTER DATABASE \"$name\" REFRESH COLLATION VERSION;"
  done < <(started_outdated 2>/dev/null)
}

# Prints the names of those databases.
started_outdated() {
  local POSTGRES_DB=postgres
  unset -v POSTGRES_PASSWORD
  export PGCONNECT_TIMEOUT=5 PGPORT=${STARTED_PORT:-5432} PGOPTIONS='-c statement_timeout=10s'
  docker_process_sql -XAtq -c "SELECT datname FROM pg_database WHERE datallowconn AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid) AND datcollversion IS NOT NULL"
}

# Waits until the server with that number takes connections, as it says itself, however long it recovers; 1 if it ends.
started_await() {
  local -a lines=()
  while kill -0 "$1" 2>/dev/null; do
    mapfile -t lines 2>/dev/null <"$PGDATA/postmaster.pid" || :
    case ${lines[7]-} in
      ready* | standby*) return 0 ;;
    esac
    startup_pause 0.1
  done
  return 1
}

# Runs all, one after the other, in a process of its own; needs the port and the server's number.
started_run() {
  STARTED_PORT=$1
  trap - ERR EXIT TERM INT QUIT HUP URG
  set +e
  local hook
  started_await "$2" || return 0
  for hook in started_collations "${STARTED_HOOKS[@]}"; do "$hook"; done
}
