#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Mode haproxy: HAProxy with a master that starts another worker at a hang-up; the command's options go to it.

# Gives the rank: that of a server.
mode_haproxy_rank() { REPLY=50; }

# Completes a command that is options only, as HAProxy's own image does; gives 1 if there is nothing to complete.
mode_haproxy_args() {
  [[ ${1-} == -* ]] || return 1
  ENTRYPOINT_ARGS=(haproxy "$@")
}

# Gives 0 if the command is a proxy that is to serve, not one that is asked a question.
mode_haproxy_wants() {
  local option
  [[ ${1-} == haproxy || ${1-} == */haproxy ]] || return 1
  for option in "${@:2}"; do
    case $option in
      -v* | -h* | --help | -c | -cc | -dK*) return 1 ;;
    esac
  done
}

# Gives 0 if the init scripts are to run first: always.
mode_haproxy_needs_init() { return 0; }

# Starts HAProxy. It stays in the foreground whatever its configuration says.
mode_haproxy_start() {
  state_write haproxy.address ""
  if [[ -z $PROXY_OWN ]]; then
    HANGUP_HOOK=proxy_renew
    log_info "writes go to the primary on port $HAPROXY_WRITE_PORT, reads to replicas on port $HAPROXY_READ_PORT, of the" \
      "nodes ${PROXY_NAMES[*]}; each counts as down until Patroni has answered for it"
  fi
  startup_child "$PROXY_PROGRAM" -W -db "${PROXY_ARGS[@]}"
  phase_set running
  mode_haproxy_publish
}

# Gives 0 if HAProxy listens and takes a hang-up: its master has a worker then, and a handler for the signal.
mode_haproxy_ready() {
  local key mask children=""
  { read -r children <"/proc/$CHILD_PID/task/$CHILD_PID/children" || :; } 2>/dev/null
  [[ -n $children ]] || return 1
  while read -r key mask; do
    if [[ $key == SigCgt: ]] && ((16#${mask: -8} & 1)); then return 0; fi
  done 2>/dev/null <"/proc/$CHILD_PID/status" || :
  return 1
}

# Writes where HAProxy answers, for health checks of any user: its number, and the port of the statistics if it is ours.
mode_haproxy_publish() {
  local port=$HAPROXY_STATS_PORT
  [[ -z $PROXY_OWN ]] || port=""
  while [[ -z $STOP_SIGNAL ]] && kill -0 "$CHILD_PID" 2>/dev/null; do
    if mode_haproxy_ready; then
      state_write haproxy.address "$CHILD_PID" "$port"
      startup_child_hears
      return 0
    fi
    startup_pause 0.02
  done
}

# Stops HAProxy: with USR1 it takes no new connections, with TERM it ends, open ones or not. Clients of a database keep
# theirs for hours, so nobody is waited for unless it was asked for.
mode_haproxy_stop() {
  local seconds=${HAPROXY_DRAIN_SECONDS:-0}
  if [[ $1 == QUIT ]] || ((seconds == 0)); then
    kill -TERM "$CHILD_PID" 2>/dev/null
    return
  fi
  log_info "no new connections are taken; open ones may go on for $seconds s (HAPROXY_DRAIN_SECONDS)"
  kill -USR1 "$CHILD_PID" 2>/dev/null
  # In the background: a QUIT meanwhile ends it at once.
  (sleep "$seconds" && kill -TERM "$CHILD_PID") >/dev/null 2>&1 &
}
