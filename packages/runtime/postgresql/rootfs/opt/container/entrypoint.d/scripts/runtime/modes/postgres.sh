#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Mode postgres: one server, the container's command is its command line.

# Gives the rank: after every mode that drives the server itself.
mode_postgres_rank() { REPLY=50; }

# Completes a command that is options only, as the official image does; gives 1 if there is nothing to complete.
mode_postgres_args() {
  [[ ${1-} == -* ]] || return 1
  ENTRYPOINT_ARGS=(postgres "$@")
}

# Gives 0 if the command is a server that is to serve, not one that is asked a question or works on its own files.
mode_postgres_wants() {
  local option
  [[ ${1-} == postgres || ${1-} == */postgres ]] || return 1
  case ${2-} in
    --single | --boot | --check | --describe-config) return 1 ;;
  esac
  for option in "${@:2}"; do
    case $option in
      '-?' | --help | -V | --version | -C | --describe-config) return 1 ;;
    esac
  done
}

# Gives 0 if the init scripts are to run first: always.
mode_postgres_needs_init() { return 0; }

# Starts the server.
mode_postgres_start() {
  database_split_args "$@"
  unset -v PGPASSWORD
  preflight_clear_locks
  state_write postgresql.address ""
  startup_child "$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}"
  phase_set running
  mode_postgres_publish
}

# Gives in REPLY the superuser's name for a line of a file.
mode_postgres_user_line() {
  REPLY=${POSTGRES_USER:-postgres}
  # Who asks whether the server is ready needs no name that is right.
  if has_control "$REPLY"; then REPLY=postgres; fi
}

# Writes where the server listens, as it says itself, for health checks of any user (the lock file is private).
mode_postgres_publish() {
  local -a lines=()
  local patience=200
  while kill -0 "$CHILD_PID" 2>/dev/null; do
    # Asked to stop now, wait a little for the server all the same: a process that is still to become it could miss the
    # signal, and would then be taken for one that hangs.
    if [[ -n $STOP_SIGNAL ]] && ((patience-- == 0)); then return 0; fi
    lines=()
    if [[ -r $PGDATA/postmaster.pid ]]; then mapfile -t lines 2>/dev/null <"$PGDATA/postmaster.pid" || :; fi
    if [[ ${lines[0]-} == "$CHILD_PID" && -n ${lines[7]-} ]]; then
      mode_postgres_user_line
      state_write postgresql.address "${lines[3]}" "${lines[4]}" "${lines[5]}" "$REPLY" "$PGDATA"
      startup_child_hears
      # The server serves; who looks at it now has to go with it, so it is in a group that is stopped at the end.
      started_run "${lines[3]}" "$CHILD_PID" &
      return 0
    fi
    startup_pause 0.01
  done
}

# Stops the server: INT is its fast way (nobody is waited for), QUIT its immediate one (recovery at the next start).
mode_postgres_stop() {
  case $1 in
    QUIT) kill -QUIT "$CHILD_PID" 2>/dev/null ;;
    *) kill -INT "$CHILD_PID" 2>/dev/null ;;
  esac
}
