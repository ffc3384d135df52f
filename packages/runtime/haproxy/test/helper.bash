#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2016,SC2034 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../entrypoint/test/helper.bash"

# Merges the image, puts a stand-in for HAProxy onto PATH and declares the variables as fragment.ts does.
haproxy_setup() {
  local name
  merge_image entrypoint healthcheck haproxy
  export STATE_DIR=$STATE_FOLDERS CALLS=$BATS_TEST_TMPDIR/calls JUDGEMENT=$BATS_TEST_TMPDIR/judgement
  export PROXY_PROGRAM=$STUBS/haproxy PROXY_RESOLV=$BATS_TEST_TMPDIR/resolv.conf PROXY_HOSTS_FILE=$BATS_TEST_TMPDIR/hosts
  export PROXY_IPV6=$BATS_TEST_TMPDIR/if_inet6 PROXY_DEFAULT=$BATS_TEST_TMPDIR/default.cfg
  for name in "${!HAPROXY_@}"; do unset -v "$name"; done
  unset -v RES_OPTIONS TIMEOUT
  printf '%s\n' 'nameserver 127.0.0.11' 'options ndots:0' >"$PROXY_RESOLV"
  printf '127.0.0.1\tlocalhost\n' >"$PROXY_HOSTS_FILE"
  : >"$CALLS"
  chmod 666 "$CALLS"
  printf '%s\n' 'var|HAPROXY_NODES|string||file|' "var|HAPROXY_CONFIG|path|$PROXY_DEFAULT||" \
    'var|HAPROXY_WRITE_PORT|port|5432||' 'var|HAPROXY_READ_PORT|port|5433||' 'var|HAPROXY_STATS_PORT|port|8404||' \
    'var|HAPROXY_MAX_LAG|string|||' 'var|HAPROXY_REST_TLS|enum|off||off,on,verify' 'var|HAPROXY_REST_CA|path|||' \
    'var|HAPROXY_IDLE_TIMEOUT|string|30m||' 'var|HAPROXY_MAX_CONNECTIONS|integer|1000||1..1000000' \
    'var|HAPROXY_DRAIN_SECONDS|integer|0||0..3599' 'prefix|HAPROXY_' >"$CONTRACTS/haproxy.contract"
  printf 'var|TIMEOUT|integer|30||1..3600\n' >"$CONTRACTS/entrypoint.contract"
  # Judges as the file JUDGEMENT says: code, then its lines. Without -c it serves until it is told to end.
  stub haproxy <<'S'
printf 'haproxy' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; echo >>"$CALLS"
if [[ $1 != -c ]]; then trap 'exit 143' TERM; trap 'echo hangup >>"$CALLS"' HUP; trap 'echo soft >>"$CALLS"' USR1
  sleep 60 & while kill -0 $!; do wait; done; exit 0; fi
[[ -e $JUDGEMENT ]] || exit 0
{ read -r code; cat; } <"$JUDGEMENT"
exit "$code"
S
  prelude='source "$ENTRYPOINT_SCRIPTS"/init/02-haproxy.sh; source "$ENTRYPOINT_SCRIPTS"/runtime/modes/haproxy.sh
env_load "$ENTRYPOINT_CONTRACTS"; PROXY_FILE=$STATE_DIR/haproxy.cfg; LOG_NAME=t; '
}

# Lets the stand-in refuse a configuration; its lines come from stdin.
refuse() { { echo 1 && cat; } >"$JUDGEMENT"; }

# Runs code with all functions of the fragment at hand.
with_haproxy() { with_entrypoint "$prelude$1" "${@:2}"; }
