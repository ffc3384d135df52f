#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 07: Patroni's configuration, made as data and checked, and a look at the cluster that this node is about to join.
#
# Patroni starts, stops and copies the server. What the container does for a single server it does here too, at its place:
# a new cluster is made by 02-database, but only on the node that Patroni chose (bootstrap.sh); the server reads the same
# configuration; nothing in the volume is edited, Patroni's own files lie in the state folder.

# Run alone, the functions are not there yet, and nobody asks the hooks.
if declare -F patroni_enabled >/dev/null && patroni_enabled; then
  # shellcheck source=/dev/null
  source "$PATRONI_HOME/node.sh"
  DATABASE_DECIDER=patroni_decide
  HBA_HOOKS+=(patroni_hba)
  # A synchronous replica that is cut off counts as one that streams until then, and commits wait for it: the server's own
  # minute would be longer than a failover.
  CONFIG_DEFAULTS+="wal_sender_timeout = ${PATRONI_TTL:-10}s"$'\n'"wal_receiver_timeout = ${PATRONI_TTL:-10}s"$'\n'
  # A new replica asks for a slot that the leader makes at its next look; the server's own five seconds are more than that takes.
  CONFIG_DEFAULTS+=$'wal_retrieve_retry_interval = 1s\n'
fi

# Runs the step; needs the container's command.
init_patroni() {
  patroni_enabled || return 0
  patroni_drop_empty
  patroni_dir
  patroni_check
  database_split_args "$@"
  mkdir -p -- "$PATRONI_DIR"
  chmod 0700 -- "$PATRONI_DIR"
  patroni_load
  patroni_link_programs
  patroni_hand_on "$@"
  PATRONI_SETTINGS=()
  patroni_put_node
  patroni_put_server
  patroni_put_cluster
  patroni_put_daemon
  local hook
  for hook in "${NODE_HOOKS[@]}"; do "$hook"; done
  patroni_identity
  local identity=$REPLY
  patroni_chosen
  database_server_major
  startup_run patroni_prepare "$identity" "$REPLY" "${PATRONI_CHOSEN[@]}"
  ((RUN_STATUS == 0)) || exit "$RUN_STATUS"
  phase_set initialising
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  # What it writes is what a running Patroni reads.
  if state_find && [[ -e $STATE_DIR/patroni.address ]]; then
    die 1 "Patroni runs here, expected it not to: this step makes what it reads; restart the container instead"
  fi
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
