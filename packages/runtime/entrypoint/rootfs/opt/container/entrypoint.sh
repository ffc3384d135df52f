#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Process 1 of the container: checks the environment, picks a mode, initialises, starts, forwards signals, ends.
# It knows no fragment by name: modes, init scripts, contracts and shutdown steps are found in their folders.
set -Eeuo pipefail
umask 022

ENTRYPOINT_SELF=${BASH_SOURCE[0]}
[[ $ENTRYPOINT_SELF == */* ]] || ENTRYPOINT_SELF=./$ENTRYPOINT_SELF
ENTRYPOINT_HOME=${ENTRYPOINT_SELF%/*}
ENTRYPOINT_SCRIPTS=$ENTRYPOINT_HOME/entrypoint.d/scripts
ENTRYPOINT_CONTRACTS=${ENTRYPOINT_CONTRACTS:-$ENTRYPOINT_HOME/environment.d}
ENTRYPOINT_ARGS=()
ENTRYPOINT_MODE=""

for ENTRYPOINT_FILE in "$ENTRYPOINT_SCRIPTS"/utils/*.sh "$ENTRYPOINT_SCRIPTS"/runtime/{startup,shutdown}.sh; do
  # shellcheck source=/dev/null
  source "$ENTRYPOINT_FILE"
done

# Loads the files of all modes; gives their names in ENTRYPOINT_MODES, lowest rank first.
entrypoint_load_modes() {
  local file name
  local -a order=()
  ENTRYPOINT_MODES=()
  for file in "$ENTRYPOINT_SCRIPTS"/runtime/modes/*.sh; do
    if [[ ! -f $file ]]; then continue; fi
    name=${file##*/}
    name=${name%.sh}
    # shellcheck source=/dev/null
    source "$file"
    "mode_${name}_rank"
    # A sparse array keeps its numbers in order; equal ranks stay in name order.
    order[REPLY]="${order[REPLY]-} $name"
  done
  # shellcheck disable=SC2206 # names of modes are words, one element may hold several
  ENTRYPOINT_MODES=(${order[@]})
}

# Gives in ENTRYPOINT_ARGS the command; the first mode that wants to change it may (options only: its server's name).
entrypoint_complete_args() {
  local name
  ENTRYPOINT_ARGS=("$@")
  for name in "${ENTRYPOINT_MODES[@]}"; do
    if declare -F "mode_${name}_args" >/dev/null && "mode_${name}_args" "$@"; then return 0; fi
  done
}

# Gives in ENTRYPOINT_MODE the first mode that takes the command, or nothing.
entrypoint_pick_mode() {
  local name
  ENTRYPOINT_MODE=""
  for name in "${ENTRYPOINT_MODES[@]}"; do
    if "mode_${name}_wants" "${ENTRYPOINT_ARGS[@]}"; then
      ENTRYPOINT_MODE=$name
      return 0
    fi
  done
}

# Takes the traps away before another program takes the shell's place; a stop that came before is carried out now.
entrypoint_drop_traps() {
  trap - TERM INT QUIT HUP URG EXIT ERR
  [[ -n $STOP_SIGNAL ]] || return 0
  startup_signal_code "$STOP_SIGNAL"
  exit "$REPLY"
}

# Replaces the shell by a command that is no mode's, with the exit codes of a shell if that cannot be.
entrypoint_exec() {
  (($# > 0)) || die 2 "no command was given and no mode is on, expected one; name a command after the image"
  entrypoint_drop_traps
  if [[ $1 == */* ]]; then
    [[ -e $1 ]] || die 127 "command '$1' does not exist in the image; check its path"
    [[ -f $1 && -x $1 ]] || die 126 "command '$1' is no executable file; check its path and mode"
  else
    type -P -- "$1" >/dev/null || die 127 "command '$1' is not in the image (looked in $PATH); check its spelling"
  fi
  log_debug "no mode takes the command, running it as it is"
  shopt -s execfail
  exec -- "$@" || exit "$?"
}

# Gives in REPLY the function of an init script: NN-some-name.sh has init_some_name.
entrypoint_step_function() {
  local name=${1##*/}
  name=${name%.sh}
  name=${name#[0-9][0-9]-}
  REPLY=init_${name//-/_}
}

# Runs the init scripts whose names match a pattern, in NN order; the command follows as arguments.
entrypoint_run_init() {
  local pattern=$1 file
  local -a files=()
  shift
  for file in "$ENTRYPOINT_SCRIPTS"/init/[0-9][0-9]-*.sh; do
    if [[ ! -f $file ]]; then continue; fi
    # All are loaded before the first runs: a step may need a function of a later one.
    # shellcheck source=/dev/null
    source "$file"
    # shellcheck disable=SC2053 # a pattern on purpose
    if [[ ${file##*/} == $pattern ]]; then files+=("$file"); fi
  done
  for file in "${files[@]}"; do
    startup_checkpoint
    LOG_NAME=${file##*/}
    LOG_NAME=${LOG_NAME%.sh}
    entrypoint_step_function "$file"
    log_debug "begins"
    "$REPLY" "$@"
  done
  LOG_NAME=entrypoint
  startup_checkpoint
}

# Does what only root can, then starts over as the server's user.
entrypoint_leave_root() {
  if "mode_${ENTRYPOINT_MODE}_needs_init"; then entrypoint_run_init '01-*' "${ENTRYPOINT_ARGS[@]}"; fi
  if ! chown -hR "$SECURITY_UID:$SECURITY_GID" "$STATE_DIR" 2>/dev/null; then
    log_debug "cannot give $STATE_DIR to user $SECURITY_UID"
  fi
  entrypoint_drop_traps
  env_hand_on_files
  security_step_down "$BASH" "$ENTRYPOINT_SELF" "${ENTRYPOINT_ARGS[@]}"
}

# Makes the folder for the state and says what to do if none can be made.
entrypoint_prepare_state() {
  state_prepare || die 3 "no folder for the container's state: expected one of ${STATE_FOLDERS//:/, } to be writable" \
    "for user $EUID, found none; with --read-only add --tmpfs /run --tmpfs /tmp"
  phase_set starting
}

# Runs one init script alone, for somebody who started it by hand; needs its path and the command's arguments.
entrypoint_alone() {
  local file=$1
  shift
  env_load "$ENTRYPOINT_CONTRACTS"
  env_report || exit 2
  env_export
  state_find || entrypoint_prepare_state
  entrypoint_run_init "${file##*/}" "$@"
}

# The container's life, from its first to its last moment.
main() {
  startup_traps
  env_load "$ENTRYPOINT_CONTRACTS"
  entrypoint_load_modes
  entrypoint_complete_args "$@"
  entrypoint_pick_mode
  if [[ -z $ENTRYPOINT_MODE ]]; then
    env_report lenient
    entrypoint_exec "${ENTRYPOINT_ARGS[@]}"
  fi
  # Root comes by here twice, its warnings are for the second time.
  if ((EUID == 0)); then ENV_WARNINGS=(); fi
  env_report || exit 2
  entrypoint_prepare_state
  if ((EUID == 0)); then entrypoint_leave_root; fi
  log_debug "mode $ENTRYPOINT_MODE"
  if "mode_${ENTRYPOINT_MODE}_needs_init"; then
    phase_set initialising
    env_export
    entrypoint_run_init '*' "${ENTRYPOINT_ARGS[@]}"
  fi
  env_forget_secrets
  ABORT_HOOKS=()
  SHUTDOWN_DIR=$ENTRYPOINT_SCRIPTS/shutdown.d
  "mode_${ENTRYPOINT_MODE}_start" "${ENTRYPOINT_ARGS[@]}"
  startup_supervise "$ENTRYPOINT_MODE"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
