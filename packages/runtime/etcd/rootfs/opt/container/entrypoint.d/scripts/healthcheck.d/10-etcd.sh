#!/usr/bin/env bash
# shellcheck disable=SC2153 # what is read of the file beside it is set there
# Probe: etcd answers, its cluster has a leader and enough nodes, and authentication is on where it is to be.
# It asks etcd's own /health, which needs no user and reads through the whole cluster.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../utils/etcd-client.sh"

PROBE_LIMIT_MS=${PROBE_LIMIT_MS:-600} # below that of all probes, so that there are words

# Gives in PROBE_ANSWER what etcd says of its health over TCP; 1 if nobody takes the connection, 2 if there is no answer.
probe_plain() {
  local fd host=${CLIENT_HOST//[\[\]]/} status=0
  { exec {fd}<>"/dev/tcp/$host/$CLIENT_PORT"; } 2>/dev/null || return 1
  printf 'GET /health HTTP/1.0\r\nHost: %s\r\n\r\n' "$CLIENT_HOST" >&"$fd"
  IFS= read -r -d '' -t "$PROBE_LIMIT" -u "$fd" PROBE_ANSWER || status=$?
  exec {fd}>&-
  # 1 is the end of the answer, more is the end of the time.
  if ((status > 1)); then return 2; fi
}

# The same over TLS, with the node's own certificate. Its own server is not worth checking.
probe_tls() {
  local status=0
  local -a own=()
  if [[ -n $CLIENT_CERT && -r $CLIENT_KEY ]]; then own=(-cert "$CLIENT_CERT" -key "$CLIENT_KEY"); fi
  PROBE_ANSWER=$(printf 'GET /health HTTP/1.0\r\nHost: %s\r\n\r\n' "$CLIENT_HOST" \
    | timeout "$PROBE_LIMIT" openssl s_client -quiet -connect "$CLIENT_HOST:$CLIENT_PORT" "${own[@]}" 2>/dev/null) || status=$?
  if [[ -n $PROBE_ANSWER ]]; then return 0; fi
  if ((status == 124)); then return 2; fi
  return 1
}

# Asks in the way that etcd listens.
probe_ask() {
  PROBE_ANSWER=""
  if [[ $CLIENT_URL == https://* ]]; then probe_tls; else probe_plain; fi
}

# Gives in REPLY the reason in an answer that says no; needs the state folder. Releases before 3.5 give none, but etcdctl
# knows the one that counts, and needs no user for that.
probe_reason() {
  local said=""
  REPLY=""
  if [[ $PROBE_ANSWER =~ \"reason\":\"([^\"]*)\" ]]; then REPLY=${BASH_REMATCH[1]}; fi
  if [[ -n $REPLY ]]; then return 0; fi
  etcd_client_env "$1"
  said=$(timeout "$PROBE_LIMIT" "$CLIENT_PROGRAM" endpoint status 2>/dev/null) || :
  if [[ $said == *'no leader'* ]]; then REPLY="NO LEADER"; fi
}

# Says what an answer that says no means; needs the reason.
probe_tell() {
  case $1 in
    *'NO LEADER'*) printf 'the cluster has no leader: it elects one, or too few of its nodes are there (no quorum)\n' ;;
    *ALARM*NOSPACE*) printf 'etcd takes no more writes (alarm NOSPACE): compact, defragment, then etcdctl alarm disarm\n' ;;
    *ALARM*) printf 'etcd raised an alarm: %s; look with etcdctl alarm list\n' "$1" ;;
    *) printf 'the cluster does not answer a read: too few of its nodes are there (no quorum), or it is overloaded%s\n' "${1:+ ($1)}" ;;
  esac
}

# Says in what state authentication is; needs the state folder. 10 is a warning.
probe_auth() {
  local state=""
  if [[ -r $1/etcd.auth ]]; then read -r state <"$1/etcd.auth" || :; fi
  case $state in
    pending)
      printf 'authentication is not on yet (ETCD_ROOT_PASSWORD)\n'
      return 1
      ;;
    wrong)
      printf 'ETCD_ROOT_PASSWORD is not the password of user root\n'
      return 10
      ;;
  esac
}

# Runs the probe; needs the state folder.
main() {
  local status=0
  if ! etcd_read_address "${1-}"; then
    printf 'etcd is not started yet\n'
    return 1
  fi
  printf -v PROBE_LIMIT '%d.%03d' "$((PROBE_LIMIT_MS / 1000))" "$((PROBE_LIMIT_MS % 1000))"
  probe_ask || status=$?
  if ((status == 1)); then
    printf 'etcd does not take connections on %s:%s: it starts, or it ended\n' "$CLIENT_HOST" "$CLIENT_PORT"
    return 1
  elif ((status == 2)); then
    printf 'etcd does not answer within %s ms: it waits for enough nodes of its cluster (quorum), or is overloaded\n' \
      "$PROBE_LIMIT_MS"
    return 1
  elif [[ $PROBE_ANSWER != *'"health":"true"'* ]]; then
    probe_reason "$1"
    probe_tell "$REPLY"
    return 1
  fi
  probe_auth "$1" || return
  printf 'etcd answers on port %s, with a leader and a quorum\n' "$CLIENT_PORT"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
