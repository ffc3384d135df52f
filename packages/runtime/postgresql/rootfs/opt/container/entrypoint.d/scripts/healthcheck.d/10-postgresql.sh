#!/usr/bin/env bash
# Probe: the server takes connections, over TCP and on its socket, at the addresses that it published itself.
set -Eeuo pipefail

# Gives in PROBE_PORT, PROBE_SOCKETS, PROBE_LISTEN, PROBE_USER and PROBE_DATA what the mode wrote; needs the state folder
# (none: whoever started the server did it without us, and what it wrote itself has to do). 1 if there is nothing yet.
probe_address() {
  local -a lines=()
  if [[ -r $1/postgresql.address ]]; then
    mapfile -t lines <"$1/postgresql.address"
  elif [[ -z $1 && -r ${PGDATA-}/postmaster.pid ]]; then
    mapfile -t lines <"$PGDATA/postmaster.pid"
    lines=("${lines[@]:3:3}" "${POSTGRES_USER:-postgres}" "$PGDATA")
  fi
  PROBE_PORT=${lines[0]-} PROBE_SOCKETS=${lines[1]-} PROBE_LISTEN=${lines[2]-} PROBE_USER=${lines[3]-postgres}
  # shellcheck disable=SC2034 # for the probes that read this file
  PROBE_DATA=${lines[4]:-${PGDATA-}}
  [[ -n $PROBE_PORT ]]
}

# Gives in REPLY a host to connect to for an address to listen at.
probe_host() {
  case $1 in
    '*' | 0.0.0.0) REPLY=127.0.0.1 ;;
    ::) REPLY=::1 ;;
    *) REPLY=$1 ;;
  esac
}

# Takes out of the environment what would lead a client elsewhere, or make it ask for more than an answer.
probe_client_env() {
  unset -v PGHOST PGHOSTADDR PGPORT PGSERVICE PGSERVICEFILE PGOPTIONS PGSSLMODE PGSSLNEGOTIATION PGSSLROOTCERT PGSSLCERT
  unset -v PGSSLKEY PGREQUIREAUTH PGREQUIREPEER PGCHANNELBINDING PGTARGETSESSIONATTRS PGLOADBALANCEHOSTS
  export PGGSSENCMODE=disable PGCONNECT_TIMEOUT=2 PGAPPNAME=healthcheck
}

# Asks the server at a host or socket folder; needs the host. Its answer is pg_isready's exit code.
probe_ask() { pg_isready --quiet --host="$1" --port="$PROBE_PORT" --username="$PROBE_USER" --dbname=postgres; }

# Says what an answer means; needs the answer and the words for who was asked. Gives 1 if it is not well.
probe_tell() {
  case $1 in
    0) return 0 ;;
    1) printf 'the server refuses connections on %s: it starts, recovers or stops\n' "$2" ;;
    2) printf 'the server does not answer on %s\n' "$2" ;;
    *) printf 'pg_isready failed with code %s on %s\n' "$1" "$2" ;;
  esac
  return 1
}

# Says whether the server is what was asked for; needs the state folder and primary or standby.
# Its lock file says "ready" of either, so the file that makes it a standby decides, which promotion removes.
probe_role() {
  local -a lines=()
  local role=primary
  probe_address "$1" || :
  if [[ -n $PROBE_DATA && -r $PROBE_DATA/postmaster.pid ]]; then mapfile -t lines 2>/dev/null <"$PROBE_DATA/postmaster.pid" || :; fi
  if [[ ${lines[7]-} != ready* && ${lines[7]-} != standby* ]] || [[ ! -d /proc/${lines[0]} ]]; then
    printf 'the server does not run, or this user may not read its lock file\n'
    return 1
  fi
  if [[ -e $PROBE_DATA/standby.signal || -e $PROBE_DATA/recovery.signal ]]; then role=standby; fi
  if [[ $role == "$2" ]]; then
    printf 'the server is a %s\n' "$role"
    return 0
  fi
  printf 'the server is a %s, not a %s\n' "$role" "$2"
  return 1
}

# Runs the probe; needs the state folder.
main() {
  local tcp="" socket="" tcp_pid tcp_answer=0 socket_answer=0
  if ! probe_address "${1-}"; then
    printf 'the server has not opened its port yet\n'
    return 1
  fi
  probe_client_env
  # Both at the same time: either takes as long as it takes to start a program.
  if [[ -n $PROBE_LISTEN ]]; then
    tcp="TCP port $PROBE_PORT"
    probe_host "$PROBE_LISTEN"
    probe_ask "$REPLY" &
    tcp_pid=$!
  fi
  if [[ -n $PROBE_SOCKETS ]]; then
    socket="the socket in ${PROBE_SOCKETS%%,*}"
    probe_ask "${PROBE_SOCKETS%%,*}" || socket_answer=$?
  fi
  if [[ -n $tcp ]]; then wait "$tcp_pid" || tcp_answer=$?; fi
  probe_tell "$socket_answer" "$socket"
  probe_tell "$tcp_answer" "$tcp"
  printf 'the server takes connections on %s\n' "${tcp:-${socket:-no address at all}}${tcp:+${socket:+ and $socket}}"
  [[ -n $tcp$socket ]]
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
