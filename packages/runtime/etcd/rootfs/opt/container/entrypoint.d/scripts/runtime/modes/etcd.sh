#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Mode etcd: one server, the container's command is its command line.

# Gives the rank: as that of any server that is driven by nobody else.
mode_etcd_rank() { REPLY=50; }

# Completes a command that is options only; gives 1 if there is nothing to complete.
mode_etcd_args() {
  [[ ${1-} == -* ]] || return 1
  ENTRYPOINT_ARGS=(etcd "$@")
}

# Gives 0 if the command is a server that is to serve, not one that is asked a question, nor a proxy.
mode_etcd_wants() {
  local option
  [[ ${1-} == etcd || ${1-} == */etcd ]] || return 1
  case ${2-} in
    gateway | grpc-proxy) return 1 ;;
  esac
  for option in "${@:2}"; do
    case $option in
      -h | --h | -help | --help | -version | --version) return 1 ;;
    esac
  done
}

# Gives 0 if the init scripts are to run first: always.
mode_etcd_needs_init() { return 0; }

# Starts the server. Whoever turns authentication on goes with it: it is in a group that is stopped at the end.
mode_etcd_start() {
  local pending=""
  etcd_hide_own
  etcd_write_address
  if [[ -n $AUTH_PASSWORD ]]; then pending=pending; fi
  state_write etcd.auth "$pending"
  startup_child "$MEMBER_COMMAND" "${MEMBER_ARGS[@]}"
  phase_set running
  if [[ -n $AUTH_PASSWORD ]]; then etcd_auth_run "$CHILD_PID" & fi
  AUTH_PASSWORD=""
}

# Stops the server: with TERM it hands its leadership over and closes its files. QUIT is at once: etcd would answer it
# with pages of its own state, and ends at a hang-up without a word; its log has all that was promised to anybody.
mode_etcd_stop() {
  case $1 in
    QUIT) kill -HUP "$CHILD_PID" 2>/dev/null ;;
    *) kill -TERM "$CHILD_PID" 2>/dev/null ;;
  esac
}
