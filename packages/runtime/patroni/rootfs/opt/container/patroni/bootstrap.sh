#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Makes the new cluster on the node that Patroni chose, as a single server's container makes it: initdb, POSTGRES_DB, the
# user's init scripts, with marker and journal. Patroni calls it, and cares for the rest.
set -Eeuo pipefail

BOOTSTRAP_HOME=${BOOTSTRAP_HOME:-/opt/container}
# shellcheck source=/dev/null
source "$BOOTSTRAP_HOME/entrypoint.sh"
LOG_NAME=patroni-bootstrap

# Takes up what process 1 left: the secrets, in ENTRYPOINT_ARGS the command, and where the socket goes.
bootstrap_take_up() {
  local entry
  local -a address=()
  mapfile -t address <"$STATE_DIR/postgresql.address"
  BOOTSTRAP_SOCKETS=${address[1]}
  mapfile -t -d '' ENTRYPOINT_ARGS <"$PATRONI_DIR/command"
  while IFS= read -r -d '' entry; do export "${entry?}"; done <"$PATRONI_DIR/secrets"
}

# Loads the init scripts with their functions; what they would do about a cluster of others is not asked here.
bootstrap_load() {
  local file
  for file in "$ENTRYPOINT_SCRIPTS"/init/[0-9][0-9]-*.sh "$ENTRYPOINT_SCRIPTS"/runtime/modes/postgres.sh; do
    # shellcheck source=/dev/null
    if [[ -f $file ]]; then source "$file"; fi
  done
  DATABASE_DECIDER="" DATABASE_SOCKETS=$BOOTSTRAP_SOCKETS
  # Process 1 wrote the configuration, and holds the lock on the folder.
  CONFIG_DONE=yes HBA_WRITTEN="" FOLDERS_LOCK=inherited
}

# Makes the cluster.
bootstrap_main() {
  startup_traps
  state_find || die 1 "the state folder is gone, expected the one that process 1 made; start the container anew"
  patroni_dir
  bootstrap_take_up
  env_load "$ENTRYPOINT_CONTRACTS"
  env_export
  bootstrap_load
  database_split_args "${ENTRYPOINT_ARGS[@]}"
  phase_set initialising
  init_database "${ENTRYPOINT_ARGS[@]}"
  # The phase stays: Patroni starts the server twice before the cluster is one, and process 1 sees when that is done.
  rm -f -- "$PATRONI_DIR/secrets"
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || bootstrap_main "$@"
