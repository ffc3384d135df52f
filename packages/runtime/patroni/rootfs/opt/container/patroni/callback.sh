#!/usr/bin/env bash
# shellcheck disable=SC2034 # LOG_NAME is read by the logger
# What Patroni calls when the server was started, stopped, reloaded or got another role; needs the action, the role and the
# scope. Runs the scripts in callbacks.d, in name order, with the same arguments; one that fails stops nothing.
# The role is primary, replica or standby_leader in all versions of Patroni (before 4 the first one was called master).
set -Eeuo pipefail

CALLBACK_HOME=${CALLBACK_HOME:-/opt/container}
CALLBACK_SCRIPTS=$CALLBACK_HOME/entrypoint.d/scripts
# shellcheck source=/dev/null
source "$CALLBACK_SCRIPTS/utils/logging.sh"
LOG_NAME=patroni-callback

# Runs them all.
callback_main() {
  local action=$1 role=$2 scope=${3-} file
  if [[ $role == master ]]; then role=primary; fi
  log_debug "$action as $role"
  for file in "$CALLBACK_SCRIPTS"/callbacks.d/*.sh; do
    if [[ ! -f $file ]]; then continue; fi
    "$BASH" "$file" "$action" "$role" "$scope" || log_warn "callback ${file##*/} failed with code $? at $action as $role; see above"
  done
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || callback_main "$@"
