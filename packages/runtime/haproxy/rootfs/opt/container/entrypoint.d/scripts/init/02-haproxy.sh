#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 02: HAProxy's configuration, either the user's as it is or one made out of HAPROXY_*, and judged by HAProxy.

PROXY_DEFAULT=${PROXY_DEFAULT:-/usr/local/etc/haproxy/haproxy.cfg} # where a configuration may be without being named

# Gives in PROXY_ARGS the options of the command, and PROXY_OWN if they name a configuration; needs the command.
proxy_split_args() {
  local word
  PROXY_ARGS=("${@:2}") PROXY_OWN=""
  for word in "${PROXY_ARGS[@]}"; do
    case $word in
      -f | -f?* | --) PROXY_OWN=yes ;;
    esac
  done
}

# Gives in PROXY_FILE the user's configuration, if there is one that the command does not name; else 1.
proxy_find_own() {
  PROXY_FILE=$HAPROXY_CONFIG
  if [[ ! -e $PROXY_FILE ]]; then
    [[ $PROXY_FILE == "$PROXY_DEFAULT" ]] \
      || die 2 "HAPROXY_CONFIG: expected a configuration, found nothing at '$PROXY_FILE'; mount it there, or leave it out"
    return 1
  fi
  [[ -r $PROXY_FILE ]] || die 3 "HAPROXY_CONFIG: expected a file that user $EUID can read, found '$PROXY_FILE', which it" \
    "cannot; change its mode"
  if [[ -n ${HAPROXY_NODES-} ]]; then
    log_warn "HAPROXY_NODES has no effect, because the configuration $PROXY_FILE is used as it is; leave one of them out"
  fi
  PROXY_OWN=yes
  PROXY_ARGS=(-f "$PROXY_FILE" "${PROXY_ARGS[@]}")
}

# Lets HAProxy judge the user's configuration, and ends if it refuses it.
proxy_check_own() {
  local alert
  proxy_ask "${PROXY_ARGS[@]}"
  ((PROXY_STATUS != 0)) || return 0
  for alert in "${PROXY_ALERTS[@]}"; do
    log_error "HAPROXY_CONFIG: expected a configuration that HAProxy takes, found: ${alert:0:300}; correct it"
  done
  exit 2
}

# Makes the configuration out of the variables, and ends with all that is wrong with them.
proxy_configure() {
  PROXY_FILE=$STATE_DIR/haproxy.cfg
  if ! proxy_make || ! proxy_save; then
    proxy_report || exit "$PROXY_CODE"
  fi
  PROXY_ARGS=(-f "$PROXY_FILE" "${PROXY_ARGS[@]}")
}

# Runs the step; needs the command.
init_haproxy() {
  [[ ${1##*/} == haproxy ]] || return 0
  proxy_split_args "$@"
  # A name that nobody knows is not to hold up the start.
  export RES_OPTIONS=${RES_OPTIONS:-timeout:1 attempts:1}
  if [[ -n $PROXY_OWN ]] || proxy_find_own; then
    proxy_check_own
  else
    proxy_configure
  fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
