#!/usr/bin/env bash
# Probe: HAProxy answers; warns where no node takes writes or no replica takes reads.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../utils/haproxy-stats.sh"

# Gives in PROBE_MASTER the number of HAProxy's first process and in PROBE_PORT the port of its statistics, none if the
# configuration is the user's; needs the state folder. 1 if there is nothing yet.
probe_address() {
  local -a lines=()
  if [[ -r $1/haproxy.address ]]; then mapfile -t lines <"$1/haproxy.address"; fi
  PROBE_MASTER=${lines[0]-} PROBE_PORT=${lines[1]-}
  [[ -n $PROBE_MASTER ]]
}

# Gives 0 if HAProxy has a process that works; needs the number of its first one.
probe_works() {
  local children=""
  { read -r children <"/proc/$1/task/$1/children" || :; } 2>/dev/null
  [[ -n $children ]]
}

# Says what the numbers of nodes mean; 10 if one of them is a warning.
probe_tell() {
  if ((PROXY_PRIMARIES == 0)); then
    printf 'no node is known as the primary, so writes are refused; look at Patroni (patronictl list), and whether port and REST port in HAPROXY_NODES are right\n'
    return 10
  elif ((PROXY_PRIMARIES > 1)); then
    printf '%s nodes say that they are the primary, expected one; are they of one cluster (HAPROXY_NODES)?\n' "$PROXY_PRIMARIES"
    return 10
  elif ((PROXY_REPLICAS == 0)); then
    printf 'no replica takes reads, so they go to the primary; look at Patroni (patronictl list) and at HAPROXY_MAX_LAG\n'
    return 10
  fi
  printf 'HAProxy answers: 1 primary, %s for reads\n' "$PROXY_REPLICAS"
}

# Runs the probe; needs the state folder.
main() {
  if ! probe_address "${1-}"; then
    printf 'HAProxy has not opened its ports yet\n'
    return 1
  elif [[ -n $PROBE_PORT ]]; then
    if ! proxy_count "$PROBE_PORT"; then
      printf 'HAProxy does not answer on port %s\n' "$PROBE_PORT"
      return 1
    fi
    probe_tell
    return
  elif ! probe_works "$PROBE_MASTER"; then
    printf 'HAProxy has no process that works\n'
    return 1
  fi
  printf 'HAProxy works, with a configuration of your own\n'
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
