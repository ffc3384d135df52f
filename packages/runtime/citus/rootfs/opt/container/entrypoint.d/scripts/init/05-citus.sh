#!/usr/bin/env bash
# Init 05: a node of Citus. The library is loaded first, the extension is in its database, and the node is known to the others.

# Run alone, the functions are not there yet, and nobody asks the hooks.
if declare -F citus_enabled >/dev/null && citus_enabled; then
  # shellcheck source=/dev/null
  source "$CITUS_HOME/node.sh"
  CONFIG_HOOKS+=(citus_check)
  CONFIG_MADE_HOOKS+=(citus_preload)
  DATABASE_BEGIN_HOOKS+=(citus_certificate_begin)
  DATABASE_FILES_HOOKS+=(citus_certificate_end citus_server_args)
  DATABASE_HOOKS+=(citus_create)
  NODE_HOOKS+=(citus_patroni)
  STARTED_HOOKS+=(citus_started)
  # Shards move by logical replication, without keeping writers waiting.
  CONFIG_DEFAULTS+=$'wal_level = logical\n'
  CONFIG_DEFAULTS+=$CITUS_CONNINFO
fi

# Runs the step; needs the container's command.
init_citus() {
  citus_enabled || return 0
  database_split_args "$@"
  citus_password_file
  citus_publish
  citus_check_role
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
