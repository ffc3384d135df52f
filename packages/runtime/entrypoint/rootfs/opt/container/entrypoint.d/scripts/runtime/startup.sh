#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Starts processes and waits for them so that a signal is answered at once, whatever runs.
# bash answers a signal only between commands: so all that may take long runs in the background, and we wait for it.

CHILD_PID=""        # the process of the mode
SPAWNED_PID=""      # the process startup_spawn started last
SPAWNING=""         # set while one is being started and its number is not known yet
WAKE_OWED=""        # set when startup_wake has to wait until it is
WAIT_STATUS=0       # how the process that startup_wait waited for ended
RUN_STATUS=0        # how the process that startup_run ran ended
STOP_SIGNAL=""      # the signal that asked us to stop, without SIG
INTERRUPTED=""      # set by every signal: a wait that it ended has to be repeated
STOP_ESCALATED=""   # set when QUIT came after another signal, until it was dealt with
STARTUP_ESCALATE="" # function that deals with it
ABORT_HOOKS=()      # functions that stop what init started, run when init ends early
CHILD_HEARS=""      # set when the process of the mode takes a hang-up
HANGUP_WAITS=""     # set when a hang-up came before that
HANGUP_HOOK=:       # function that writes anew what the process is about to read again; gives 1 if it is not to read it

# Installs what happens at signals, at an unexpected error and at the end.
# Bash (5.2.15 and 5.2.37) loses a signal that waits for its trap when it expands a $( ) or <( ): it reads the trap as part of
# that, and complains of "unexpected EOF". The trap of one that came in a $( ) runs after its command; so no command of
# process 1 has two of them.
startup_traps() {
  local signal
  # shellcheck disable=SC2064 # the signal's name is to be put in now
  for signal in TERM INT QUIT; do trap "startup_on_signal $signal" "$signal"; done
  trap startup_on_hangup HUP
  # Only wakes a wait; a process without the trap ignores it.
  trap 'INTERRUPTED=URG' URG
  trap startup_on_exit EXIT
  # shellcheck disable=SC2154 # set in the trap itself
  trap 'startup_on_error "$?" "${BASH_SOURCE[0]-}" "$LINENO" "$BASH_COMMAND"' ERR
}

# Remembers a request to stop. Only QUIT (at once) changes one that was made before.
startup_on_signal() {
  INTERRUPTED=$1
  if [[ -z $STOP_SIGNAL || ($1 == QUIT && $STOP_SIGNAL != QUIT) ]]; then
    log_info "received SIG$1, stopping"
    if [[ -n $STOP_SIGNAL ]]; then STOP_ESCALATED=yes; fi
    STOP_SIGNAL=$1
    startup_wake
  else
    log_info "received SIG$1, already stopping"
  fi
}

# Sends a signal of our own, soon: one in the very moment before a wait begins does not end that wait; this one does.
# Never between the start of a process and the look at its number, which would be the number of the sender.
startup_wake() {
  WAKE_OWED=$SPAWNING
  if [[ -z $SPAWNING ]]; then (sleep 0.1 && kill -URG $$) >/dev/null 2>&1 & fi
}

# Forwards a hang-up (read the configuration again) to the mode's process, at once or when that can take it.
startup_on_hangup() {
  INTERRUPTED=HUP
  if [[ -z $CHILD_HEARS ]]; then
    HANGUP_WAITS=yes
    return 0
  fi
  "$HANGUP_HOOK" || return 0
  kill -HUP "$CHILD_PID" 2>/dev/null || :
}

# Says that the mode's process takes a hang-up from now on (before, it would die of it), and gives it one that waited.
startup_child_hears() {
  CHILD_HEARS=yes
  if [[ -n $HANGUP_WAITS ]]; then startup_on_hangup; fi
  HANGUP_WAITS=""
}

# Says where a command failed that no function expected to fail.
startup_on_error() {
  log_error "unexpected failure with code $1 at ${2##*/}:$3 (${4%%$'\n'*}); please report it with this line"
}

# Runs the abort hooks, last first, each once.
startup_abort_hooks() {
  local hook i
  for ((i = ${#ABORT_HOOKS[@]} - 1; i >= 0; i--)); do
    hook=${ABORT_HOOKS[i]}
    unset -v 'ABORT_HOOKS[i]'
    "$hook" || :
  done
}

# Cleans up whenever the shell ends by itself, after an error too.
startup_on_exit() {
  trap - ERR EXIT
  set +e
  startup_abort_hooks
}

# Starts a command in the background in a process group of its own; gives its number in SPAWNED_PID.
# Without the group (set -m) bash would make it ignore INT and QUIT and give it /dev/null to read.
startup_spawn() {
  SPAWNING=yes
  set -m
  "$@" &
  SPAWNED_PID=$!
  set +m
  SPAWNING=""
  if [[ -n $WAKE_OWED ]]; then startup_wake; fi
}

# Starts the mode's process; gives its number in CHILD_PID.
startup_child() {
  startup_spawn "$@"
  CHILD_PID=$SPAWNED_PID
}

# Waits until a process has ended (status in WAIT_STATUS) or a stop was asked for (then it gives 1).
# What "wait" gives says too little: a signal ends it, and in bash 5.2 even one whose trap has run before it began.
startup_wait() {
  local pid=$1
  while [[ -z $STOP_SIGNAL ]]; do
    # bash would add a line of its own about a child that was killed; traps still write where they should.
    wait "$pid" 2>/dev/null || :
    if ! kill -0 "$pid" 2>/dev/null; then
      startup_reap "$pid"
      return 0
    fi
  done
  return 1
}

# Waits up to SECONDS (a fraction will do) until a process has ended, whatever signals come; status in WAIT_STATUS, 1 if it
# still runs.
# It looks every 10 ms instead of using "wait -n": that one can miss a process that ends just before, and then waits on.
startup_wait_until() {
  local pid=$1 fraction=0 deadline
  if [[ $2 == *.* ]]; then fraction=${2#*.}; fi
  fraction=${fraction}000000
  deadline=$((${EPOCHREALTIME/[.,]/} + 10#${2%.*} * 1000000 + 10#${fraction:0:6}))
  while kill -0 "$pid" 2>/dev/null; do
    if ((${EPOCHREALTIME/[.,]/} >= deadline)); then return 1; fi
    # QUIT after TERM must not wait: the caller said what to do about it.
    if [[ -n $STOP_ESCALATED && -n $STARTUP_ESCALATE ]]; then
      STOP_ESCALATED=""
      "$STARTUP_ESCALATE"
    fi
    startup_pause 0.01
  done
  startup_reap "$pid"
}

# Gives in WAIT_STATUS how a process ended that has ended or is about to; no signal can put its own code there: bash
# remembers the true one, so the same answer twice is it. It is disowned then: bash would add a line of its own about
# one that was killed, later, among our lines.
startup_reap() {
  local before=""
  INTERRUPTED=yes
  WAIT_STATUS=none
  while [[ -n $INTERRUPTED || $before != "$WAIT_STATUS" ]]; do
    before=$WAIT_STATUS
    INTERRUPTED=""
    WAIT_STATUS=0
    wait "$1" 2>/dev/null || WAIT_STATUS=$?
  done
  disown "$1" 2>/dev/null || :
}

# Sends a signal to the whole group of a process that startup_spawn started.
startup_kill_group() { kill "-$1" -- "-$2" 2>/dev/null || :; }

# Gives in REPLY the exit code that a shell gives for a signal's name.
startup_signal_code() {
  case $1 in
    HUP) REPLY=129 ;;
    INT) REPLY=130 ;;
    QUIT) REPLY=131 ;;
    KILL) REPLY=137 ;;
    *) REPLY=143 ;;
  esac
}

# Ends init here if a stop was asked for: hooks run, the code is the signal's.
startup_checkpoint() {
  [[ -n $STOP_SIGNAL ]] || return 0
  phase_set stopping
  startup_signal_code "$STOP_SIGNAL"
  log_warn "stopped by SIG$STOP_SIGNAL before the initialisation was complete"
  exit "$REPLY"
}

# Runs a command of init to its end; its status is in RUN_STATUS. A stop ends the command first, then init.
startup_run() {
  startup_checkpoint
  startup_spawn "$@"
  local pid=$SPAWNED_PID
  if ! startup_wait "$pid"; then
    startup_kill_group TERM "$pid"
    if ! startup_wait_until "$pid" 5; then
      startup_kill_group KILL "$pid"
      startup_reap "$pid"
    fi
    startup_checkpoint
  fi
  RUN_STATUS=$WAIT_STATUS
}

# Pauses for some seconds (a fraction will do); a signal ends it within a quarter of one.
# The sleep is in the foreground on purpose, where bash answers a signal after it. In bash 5.2 a signal that interrupts
# "wait" just when its process ends leaves it waiting for good or with no status, and a "read -t" whose time is over
# before it begins to read leaves signals blocked.
startup_pause() {
  local whole=${1%.*} fraction=0 left
  if [[ $1 == *.* ]]; then fraction=${1#*.}; fi
  fraction=${fraction}000
  left=$((10#${whole:-0} * 1000 + 10#${fraction:0:3}))
  INTERRUPTED=""
  while ((left > 250)) && [[ -z $INTERRUPTED ]]; do
    sleep 0.25 || :
    left=$((left - 250))
  done
  if [[ -n $INTERRUPTED ]]; then return 0; fi
  printf -v left '0.%03d' "$left"
  sleep "$left" || :
}

# Waits for the mode's process; a stop that was asked for is carried out. Ends the shell with the code.
startup_supervise() {
  if startup_wait "$CHILD_PID"; then
    local status=$WAIT_STATUS
    phase_set stopping
    shutdown_after "$1" 5
    WAIT_STATUS=$status
    if ((WAIT_STATUS == 0)); then log_info "the $1 process ended"; fi
    if ((WAIT_STATUS != 0)); then
      log_error "the $1 process ended by itself with code $WAIT_STATUS, expected to run until a stop; see its lines above"
    fi
    exit "$WAIT_STATUS"
  fi
  shutdown_run "$1"
  exit "$SHUTDOWN_STATUS"
}
