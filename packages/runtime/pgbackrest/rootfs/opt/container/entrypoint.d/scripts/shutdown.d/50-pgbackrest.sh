#!/usr/bin/env bash
# shellcheck disable=SC2034 # LOG_NAME is read by the logger
# Shutdown step: a repository that hangs must not hold up the end of the server, which waits for the archiving of its
# last segment. After half of TIMEOUT it is broken off; the segment is kept, and archived after the next start.
set -Eeuo pipefail

ARCHIVE_SCRIPTS=${BASH_SOURCE[0]%/*}/..
ARCHIVE_PROC=${ARCHIVE_PROC:-/proc}
# shellcheck source=/dev/null
source "$ARCHIVE_SCRIPTS/utils/logging.sh"
# shellcheck source=/dev/null
source "$ARCHIVE_SCRIPTS/utils/state.sh"
LOG_NAME=50-pgbackrest

# Gives in REPLY_LIST the numbers of all processes that push a segment to the repository.
archive_find() {
  local folder
  local -a words
  REPLY_LIST=()
  for folder in "$ARCHIVE_PROC"/[0-9]*; do
    words=()
    # A process may end while it is looked at.
    { mapfile -t -d '' words <"$folder/cmdline"; } 2>/dev/null || continue
    [[ ${words[0]-} == */pgbackrest && " ${words[*]} " == *' archive-push '* ]] && REPLY_LIST+=("${folder##*/}")
  done
  return 0
}

# Waits SECONDS, then breaks off what still pushes. Killed, not asked: then the server does not try again.
archive_break_off() {
  sleep "$1"
  archive_find
  if ((${#REPLY_LIST[@]} == 0)); then return 0; fi
  log_warn "the archiving of the last segment is broken off after $1 s (half of TIMEOUT), because the repository does not" \
    "take it; nothing is lost, it is archived after the next start"
  kill -KILL "${REPLY_LIST[@]}" 2>/dev/null || :
}

# Leaves the waiting to a process of its own, because the server is stopped only after the steps.
archive_main() {
  state_find || return 0
  if [[ ! -e $STATE_DIR/pgbackrest.conf ]]; then return 0; fi
  archive_break_off $(((${TIMEOUT:-30} + 1) / 2)) </dev/null &
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || archive_main "$@"
