#!/usr/bin/env bash
# Probe: warns before clients find no free connection.
# Asking the server takes a connection and several milliseconds. What it allows stays the same until it starts anew, and
# it has no more clients than child processes: so it is asked only where that number is not far from the limit.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/10-postgresql.sh"

# Gives in REPLY which run of the server this is (number and time of its start), and its number in CONNECTIONS_SERVER; 1 if
# we may not know.
connections_run() {
  local -a lines=()
  REPLY="" CONNECTIONS_SERVER=""
  if [[ -r $PROBE_DATA/postmaster.pid ]]; then mapfile -t lines <"$PROBE_DATA/postmaster.pid"; fi
  [[ ${lines[0]-} =~ ^[0-9]+$ && ${lines[2]-} =~ ^[0-9]+$ ]] || return 1
  CONNECTIONS_SERVER=${lines[0]}
  REPLY="${lines[0]} ${lines[2]}"
}

# Gives in CONNECTIONS_ALL how many clients an earlier probe heard that this run of the server takes; needs the state
# folder and the run. 1 if none was told.
connections_recall() {
  local run="" all=""
  if [[ -r $1/postgresql.connections ]]; then { read -r run && read -r all; } <"$1/postgresql.connections" || :; fi
  [[ -n $2 && $run == "$2" && $all =~ ^[0-9]{1,7}$ ]] || return 1
  CONNECTIONS_ALL=$all
}

# Keeps that number for the next probe; needs the state folder and the run. Only in a folder of our own: root must not
# write where somebody else could have put a link.
connections_remember() {
  if [[ -n $2 && -O $1 ]]; then printf '%s\n' "$2" "$CONNECTIONS_ALL" 2>/dev/null >"$1/postgresql.connections" || :; fi
}

# Gives in CONNECTIONS_USED the number of the server's child processes; needs its number. 1 if the kernel does not tell.
connections_children() {
  local -a children=()
  [[ -r /proc/$1/task/$1/children ]] || return 1
  # The file has one line without an end.
  read -r -a children <"/proc/$1/task/$1/children" || :
  CONNECTIONS_USED=${#children[@]}
}

# Gives 0 if fewer connections are free than should be; needs CONNECTIONS_ALL and CONNECTIONS_USED.
connections_scarce() { (((CONNECTIONS_ALL - CONNECTIONS_USED) * 100 < CONNECTIONS_LIMIT * CONNECTIONS_ALL)); }

# Asks the server for CONNECTIONS_ALL and CONNECTIONS_USED; 1 if it does not tell, why is then in REPLY.
connections_ask() {
  REPLY=$(psql --no-psqlrc --no-password --tuples-only --no-align --quiet --field-separator=' ' \
    --host="${PROBE_SOCKETS%%,*}" --port="$PROBE_PORT" --username="$PROBE_USER" --dbname=postgres --command="
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true), '0')::int,
      (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid())" 2>&1) \
    || return 1
  [[ $REPLY =~ ^([0-9]+)\ ([0-9]+)$ ]] || return 1
  CONNECTIONS_ALL=${BASH_REMATCH[1]} CONNECTIONS_USED=${BASH_REMATCH[2]}
}

# Runs the probe; needs the state folder.
main() {
  local run free
  CONNECTIONS_LIMIT=${HEALTH_CONNECTIONS_MIN_PERCENT-} CONNECTIONS_ALL=0 CONNECTIONS_USED=0
  # Whoever wrote it was told at the start; a health check that ends with an error would help nobody.
  [[ $CONNECTIONS_LIMIT =~ ^0*([0-9]{1,2}|100)$ ]] && CONNECTIONS_LIMIT=${BASH_REMATCH[1]} || CONNECTIONS_LIMIT=10
  if ! probe_address "${1-}" || [[ -z $PROBE_SOCKETS ]]; then
    printf 'the server has no socket to ask it on\n'
    return 0
  fi
  connections_run || :
  run=$REPLY
  if connections_recall "${1-}" "$run" && connections_children "$CONNECTIONS_SERVER" && ! connections_scarce; then
    printf 'at least %s of %s connections are free\n' "$((CONNECTIONS_ALL - CONNECTIONS_USED))" "$CONNECTIONS_ALL"
    return 0
  fi
  probe_client_env
  if ! connections_ask; then
    if [[ $REPLY == *'too many clients'* || $REPLY == *'remaining connection slots'* ]]; then
      printf 'no connection is free; close some, use a pool, or raise max_connections\n'
      return 10
    fi
    printf 'free connections are not counted: %s cannot log in on the socket\n' "$PROBE_USER"
    return 0
  fi
  connections_remember "${1-}" "$run"
  free=$((CONNECTIONS_ALL - CONNECTIONS_USED))
  # Superusers, and the probes beside this one, may sit in the reserved places.
  if ((free < 0)); then free=0; fi
  if connections_scarce; then
    printf '%s of %s connections are free, expected at least %s %% (HEALTH_CONNECTIONS_MIN_PERCENT); close some, use a pool, or raise max_connections\n' \
      "$free" "$CONNECTIONS_ALL" "$CONNECTIONS_LIMIT"
    return 10
  fi
  printf '%s of %s connections are free\n' "$free" "$CONNECTIONS_ALL"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
