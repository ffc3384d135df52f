#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Stops the container: the steps that fragments add, then the mode's process in its own right way, in time or by force.

SHUTDOWN_STATUS=0 # the code the container ends with
SHUTDOWN_MODE=""  # the mode that is being stopped
SHUTDOWN_DIR=""   # where the steps are

# Gives in REPLY the seconds left until a point in time, which is in microseconds; at least one.
shutdown_left() {
  local left=$(($1 - ${EPOCHREALTIME/[.,]/}))
  if ((left < 1000000)); then left=1000000; fi
  printf -v REPLY '%d.%06d' "$((left / 1000000))" "$((left % 1000000))"
}

# Runs the steps of shutdown.d in name order, each with what is left of the time; one that fails stops nothing.
shutdown_steps() {
  local deadline=$1 step
  for step in "$SHUTDOWN_DIR"/*.sh; do
    if [[ ! -f $step ]]; then continue; fi
    log_debug "shutdown step ${step##*/}"
    startup_spawn "$BASH" "$step" "$STOP_SIGNAL"
    local pid=$SPAWNED_PID
    shutdown_left "$deadline"
    if ! startup_wait_until "$pid" "$REPLY"; then
      log_warn "shutdown step ${step##*/} was not done within TIMEOUT=${TIMEOUT:-30} s and is broken off"
      startup_kill_group KILL "$pid"
      startup_reap "$pid"
    elif ((WAIT_STATUS != 0)); then
      log_warn "shutdown step ${step##*/} failed with code $WAIT_STATUS; stopping goes on"
    fi
  done
}

# Asks the mode to stop its process in the way the signal says.
shutdown_stop_child() { "mode_${SHUTDOWN_MODE}_stop" "$STOP_SIGNAL" || :; }

# Gives in SHUTDOWN_STATUS the container's code for the code its process ended with: a death we asked for is success.
shutdown_judge() {
  case $1 in
    129 | 130 | 131 | 143) SHUTDOWN_STATUS=0 ;;
    *) SHUTDOWN_STATUS=$1 ;;
  esac
}

# Lets a mode care for what its process left running when it ended; needs the mode's name and the seconds that are left.
shutdown_after() {
  if declare -F "mode_$1_after" >/dev/null; then "mode_$1_after" "$2" || :; fi
}

# Stops the mode's process within TIMEOUT, then by force; needs the mode's name and STOP_SIGNAL.
shutdown_run() {
  local deadline=$((${EPOCHREALTIME/[.,]/} + ${TIMEOUT:-30} * 1000000))
  SHUTDOWN_MODE=$1
  phase_set stopping
  shutdown_steps "$deadline"
  STARTUP_ESCALATE=shutdown_stop_child
  shutdown_stop_child
  shutdown_left "$deadline"
  if ! startup_wait_until "$CHILD_PID" "$REPLY"; then
    log_error "the $1 process did not stop within TIMEOUT=${TIMEOUT:-30} s and is killed;" \
      "the next start may take longer; raise TIMEOUT, and the engine's own limit (docker stop -t) above it"
    startup_kill_group KILL "$CHILD_PID"
    startup_reap "$CHILD_PID"
    SHUTDOWN_STATUS=137
    return 0
  fi
  shutdown_judge "$WAIT_STATUS"
  shutdown_left "$deadline"
  shutdown_after "$1" "$REPLY"
  log_info "stopped with code $SHUTDOWN_STATUS"
}
