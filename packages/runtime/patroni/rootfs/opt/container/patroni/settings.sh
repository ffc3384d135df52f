#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# The settings that the container gives to Patroni, as data. Sourced by node.sh.

PATRONI_PARAMETERS=(max_connections max_worker_processes max_prepared_transactions max_locks_per_transaction
  max_wal_senders max_replication_slots wal_level track_commit_timestamp wal_keep_size)

# Adds one setting to PATRONI_SETTINGS, for configuration.py; needs path, type (text, number, flag) and value.
patroni_put() { PATRONI_SETTINGS+=("$1" "$2" "$3"); }

# Gives in REPLY an address of this container that others can reach it at, as it stands before a port.
patroni_own_address() {
  address_own PATRONI_ADDRESS
  if [[ $REPLY == *:* && $REPLY != \[* ]]; then REPLY="[$REPLY]"; fi
}

# Adds who this node is and where it is.
patroni_put_node() {
  local address port listen
  patroni_own_address
  address=$REPLY
  patroni_ask port
  port=${REPLY:-5432}
  patroni_ask listen_addresses
  listen=${REPLY// /}
  patroni_put name text "${PATRONI_NAME:-$HOSTNAME}"
  patroni_put scope text "$PATRONI_SCOPE"
  patroni_put restapi/listen text '*:8008'
  patroni_put restapi/authentication/username text patroni
  patroni_put postgresql/listen text "${listen:-*}:$port"
  # The ports come later: Patroni's own variables may name others.
  patroni_put address text "$address"
}

# Adds where the server's files are, and what it reads.
patroni_put_server() {
  # Patroni would replace a link by a folder.
  folders_resolve "$PGDATA"
  patroni_put postgresql/data_dir text "$REPLY"
  patroni_put postgresql/bin_dir text "$PATRONI_DIR/bin"
  patroni_put postgresql/config_dir text "$PATRONI_DIR"
  patroni_put postgresql/custom_conf text "$STATE_DIR/postgresql.conf"
  patroni_put postgresql/pgpass text "$PATRONI_DIR/pgpass"
  # Without it a copy would wait for the next regular checkpoint, which may be minutes away.
  patroni_put postgresql/basebackup/checkpoint text fast
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then patroni_put postgresql/basebackup/waldir text "$POSTGRES_INITDB_WALDIR"; fi
  patroni_put postgresql/use_unix_socket flag true
  patroni_put postgresql/use_unix_socket_repl flag false
  patroni_put postgresql/remove_data_directory_on_rewind_failure flag true
  patroni_put postgresql/remove_data_directory_on_diverged_timelines flag true
  patroni_put postgresql/parameters/unix_socket_directories text "$DATABASE_SOCKETS"
  patroni_put postgresql/parameters/hba_file text "$HBA_WRITTEN"
  patroni_ask ident_file
  patroni_put postgresql/parameters/ident_file text "${REPLY:-$PGDATA/pg_ident.conf}"
  patroni_put postgresql/authentication/superuser/username text "$POSTGRES_USER"
  patroni_put postgresql/authentication/superuser/password text "${PATRONI_SUPERUSER_PASSWORD:-$POSTGRES_PASSWORD}"
  patroni_put postgresql/authentication/replication/username text replicator
  patroni_put postgresql/authentication/rewind/username text rewind
  local action
  for action in on_start on_stop on_restart on_reload on_role_change; do
    patroni_put "postgresql/callbacks/$action" text "$PATRONI_HOME/callback.sh"
  done
}

# Gives in PATRONI_CHOSEN the settings of the cluster that somebody chose for this node.
patroni_chosen() {
  local entry name
  PATRONI_CHOSEN=()
  while IFS= read -r -d '' entry; do
    name=${entry%%=*}
    # Without a value it counts as not set; the variable itself has its default by now.
    if [[ $entry == "$name=" ]]; then continue; fi
    case $name in
      PATRONI_TTL | PATRONI_LOOP_WAIT | PATRONI_RETRY_TIMEOUT | PATRONI_MAXIMUM_LAG_ON_FAILOVER) ;;
      PATRONI_SYNCHRONOUS_MODE) PATRONI_CHOSEN+=(synchronous_mode_strict) ;;
      PATRONI_SYNCHRONOUS_NODE_COUNT | PATRONI_PRIMARY_START_TIMEOUT | PATRONI_FAILSAFE_MODE) ;;
      POSTGRESQL_*)
        config_parameter "$name"
        PATRONI_CHOSEN+=("postgresql.parameters.$REPLY")
        continue
        ;;
      *) continue ;;
    esac
    name=${name#PATRONI_}
    PATRONI_CHOSEN+=("${name,,}")
  done </proc/self/environ
}

# Adds what a new cluster agrees on; later it is changed by patronictl edit-config.
patroni_put_cluster() {
  local at=bootstrap/dcs mode=${PATRONI_SYNCHRONOUS_MODE:-off} start=${PATRONI_PRIMARY_START_TIMEOUT-} strict=false name
  if [[ -z $start && $mode == off ]]; then start=300; fi
  patroni_put $at/ttl number "$PATRONI_TTL"
  patroni_put $at/loop_wait number "$PATRONI_LOOP_WAIT"
  patroni_put $at/retry_timeout number "$PATRONI_RETRY_TIMEOUT"
  patroni_put $at/maximum_lag_on_failover number "$PATRONI_MAXIMUM_LAG_ON_FAILOVER"
  patroni_put $at/primary_start_timeout number "${start:-0}"
  patroni_put $at/failsafe_mode flag "$PATRONI_FAILSAFE_MODE"
  case $mode in
    quorum) patroni_put $at/synchronous_mode text quorum ;;
    off) patroni_put $at/synchronous_mode flag false ;;
    *) patroni_put $at/synchronous_mode flag true ;;
  esac
  if [[ $mode == strict ]]; then strict=true; fi
  patroni_put $at/synchronous_mode_strict flag "$strict"
  patroni_put $at/synchronous_node_count number "$PATRONI_SYNCHRONOUS_NODE_COUNT"
  patroni_put $at/postgresql/use_pg_rewind flag true
  patroni_put $at/postgresql/use_slots flag true
  for name in "${PATRONI_PARAMETERS[@]}"; do
    patroni_ask "$name"
    # None by itself, but replicas that are away for a moment are to find the log again: Patroni's own default counts.
    if [[ $name == wal_keep_size && $REPLY == 0 ]]; then continue; fi
    if [[ $REPLY =~ ^[0-9]+$ ]]; then
      patroni_put "$at/postgresql/parameters/$name" number "$REPLY"
    elif [[ -n $REPLY ]]; then
      patroni_put "$at/postgresql/parameters/$name" text "$REPLY"
    fi
  done
  patroni_put bootstrap/method text strata
  patroni_put bootstrap/strata/command text "$PATRONI_HOME/bootstrap.sh"
  patroni_put bootstrap/strata/no_params flag true
}

# Adds how Patroni itself behaves.
patroni_put_daemon() {
  local level=${LOG_LEVEL:-info}
  if [[ -z ${PATRONI_LOG_LEVEL-} ]]; then
    if [[ $level == warn ]]; then level=warning; fi
    patroni_put log/level text "${level^^}"
  fi
  patroni_put watchdog/mode text "$PATRONI_WATCHDOG_MODE"
  patroni_put watchdog/device text "$PATRONI_WATCHDOG_DEVICE"
  # It must not fire before a leader that finds no store has stepped down by itself.
  patroni_put watchdog/safety_margin number "$((PATRONI_TTL - PATRONI_LOOP_WAIT - PATRONI_RETRY_TIMEOUT - 1))"
}
