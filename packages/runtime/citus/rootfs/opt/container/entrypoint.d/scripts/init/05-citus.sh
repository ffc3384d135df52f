#!/usr/bin/env bash
# Init 05: a node of Citus. The library is loaded first, the extension is in its database, and the node is known to the others.

# Run alone, the functions are not there yet, and nobody asks the hooks.
if declare -F citus_enabled >/dev/null && citus_enabled; then
  # shellcheck source=/dev/null
  source "$CITUS_HOME/node.sh"
  CONFIG_HOOKS+=(citus_check)
  CONFIG_MADE_HOOKS+=(citus_preload)
  DATABASE_FILES_HOOKS+=(citus_certificate_begin)
  DATABASE_HOOKS+=(citus_create)
  NODE_HOOKS+=(citus_patroni)
  STARTED_HOOKS+=(citus_started)
  # Shards move by logical replication, without keeping writers waiting.
  CONFIG_DEFAULTS+=$'wal_level = logical\n'
  # A node that is cut off answers nothing, not even no: by itself a session would wait for it for a quarter of an hour, with the locks
  # that whoever enters its successor into the metadata needs. Ending it by force, as Patroni does a moment after a failover, does not help:
  # it tries to cancel its query there first, for two minutes. So connections have to be given up before that.
  CONFIG_DEFAULTS+="citus.node_conninfo = 'sslmode=require tcp_user_timeout=10000"
  CONFIG_DEFAULTS+=$' keepalives_idle=5 keepalives_interval=2 keepalives_count=2\'\n'
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
