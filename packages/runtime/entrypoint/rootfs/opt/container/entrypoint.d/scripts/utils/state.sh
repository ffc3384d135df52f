#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Where the container keeps what it knows about itself until it stops: its phase, written configuration.
# Phases: starting, initialising, restoring, running, paused, stopping.

# In order of preference; the second is for any other user and for read-only roots.
STATE_FOLDERS=${STATE_FOLDERS:-/run/container:/tmp/container}
STATE_DIR=""

# Gives in STATE_LIST the folders to look at.
state_list() { IFS=: read -r -a STATE_LIST <<<"$STATE_FOLDERS"; }

# Gives in STATE_DIR the first folder that we own and can write, made if need be; 1 if there is none.
state_prepare() {
  local folder
  state_list
  for folder in "${STATE_LIST[@]}"; do
    # A link in a shared /tmp could lead us to write over somebody's files.
    [[ -L $folder ]] && continue
    [[ -d $folder ]] || mkdir -p -- "$folder" 2>/dev/null || continue
    [[ -w $folder ]] || continue
    [[ -O $folder ]] || ((EUID == 0)) || continue
    STATE_DIR=$folder
    return 0
  done
  return 1
}

# Gives in STATE_DIR the folder that a running entrypoint, perhaps of another user, writes to; 1 if there is none.
state_find() {
  local folder
  state_list
  for folder in "${STATE_LIST[@]}"; do
    if [[ -r $folder/phase ]]; then
      STATE_DIR=$folder
      return 0
    fi
  done
  return 1
}

# Writes lines to a file of the state folder; needs its name and the lines. A full folder must not end the server.
state_write() {
  local file=$STATE_DIR/$1
  shift
  # As root: the folder belongs to the server's user, who could have left a link there that leads elsewhere.
  if ((EUID == 0)) && [[ -L $file ]]; then rm -f -- "$file"; fi
  { printf '%s\n' "$@" >"$file"; } 2>/dev/null && return 0
  log_warn "cannot write $file: expected room and the right to write there, so the health check may tell what is old;" \
    "free space in $STATE_DIR"
}

# Writes the phase, and perhaps what it waits for; needs STATE_DIR.
phase_set() {
  log_debug "phase: $1${2:+, $2}"
  state_write phase "$@"
}

# Gives in REPLY the phase, or "unknown", and in PHASE_WAITS what it waits for, if it said; needs STATE_DIR.
phase_get() {
  local i
  REPLY="" PHASE_WAITS=""
  # An empty file is one that is just being written, which takes longer where the writer has to wait for a processor; on a
  # full disk it stays empty.
  for ((i = 0; i < 10; i++)); do
    if [[ -z $STATE_DIR || ! -r $STATE_DIR/phase ]]; then break; fi
    { read -r REPLY && IFS= read -r PHASE_WAITS; } <"$STATE_DIR/phase" || :
    if [[ -n $REPLY ]]; then break; fi
    sleep 0.01 || :
  done
  REPLY=${REPLY:-unknown}
}
