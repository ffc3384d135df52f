#!/usr/bin/env bash
# Probe: the server takes connections, over TCP and on its socket, at the addresses that it published itself.
set -Eeuo pipefail

# Gives in PROBE_PORT, PROBE_SOCKETS, PROBE_LISTEN and PROBE_USER what the mode wrote; 1 if there is nothing yet.
probe_address() {
  local -a lines=()
  if [[ -r $1/postgresql.address ]]; then mapfile -t lines <"$1/postgresql.address"; fi
  PROBE_PORT=${lines[0]-} PROBE_SOCKETS=${lines[1]-} PROBE_LISTEN=${lines[2]-} PROBE_USER=${lines[3]-postgres}
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

# Asks the server at a host or socket folder; needs the host and the words for it. Gives 1 and says why if it refuses.
probe_ask() {
  local status=0
  pg_isready --quiet --host="$1" --port="$PROBE_PORT" --username="$PROBE_USER" --dbname=postgres || status=$?
  case $status in
    0) return 0 ;;
    1) printf 'the server refuses connections on %s: it starts, recovers or stops\n' "$2" ;;
    2) printf 'the server does not answer on %s\n' "$2" ;;
    *) printf 'pg_isready failed with code %s on %s\n' "$status" "$2" ;;
  esac
  return 1
}

# Runs the probe; needs the state folder.
main() {
  local words="" sockets
  if ! probe_address "${1:-${STATE_DIR:-/run/container}}"; then
    printf 'the server has not opened its port yet\n'
    return 1
  fi
  if [[ -n $PROBE_LISTEN ]]; then
    probe_host "$PROBE_LISTEN"
    probe_ask "$REPLY" "TCP port $PROBE_PORT"
    words="TCP port $PROBE_PORT"
  fi
  sockets=${PROBE_SOCKETS%%,*}
  if [[ -n $sockets ]]; then
    probe_ask "$sockets" "the socket in $sockets"
    words+="${words:+ and }the socket in $sockets"
  fi
  printf 'the server takes connections on %s\n' "${words:-no address at all}"
  [[ -n $words ]]
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
