#!/usr/bin/env bash
# Mode sleep (SLEEP_MODE=true): nothing is initialised or started, the container stays alive for maintenance.

# Gives the rank: before every mode that would start something.
mode_sleep_rank() { REPLY=10; }

# Gives 0 if this mode is to start.
mode_sleep_wants() { [[ ${SLEEP_MODE:-false} == true ]]; }

# Gives 0 if the init scripts are to run first: never.
mode_sleep_needs_init() { return 1; }

# Starts the child that does nothing.
mode_sleep_start() {
  startup_child sleep infinity
  phase_set paused
  log_info "SLEEP_MODE is on: nothing was initialised and nothing runs; stop the container and unset it to go on"
}

# Stops the child: there is nothing that a gentle way could save.
mode_sleep_stop() { kill -TERM "$CHILD_PID" 2>/dev/null; }
