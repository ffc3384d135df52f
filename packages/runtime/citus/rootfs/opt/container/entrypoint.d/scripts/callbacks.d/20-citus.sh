#!/usr/bin/env bash
# Callback of Patroni: a primary of a cluster that was made without Citus, such as a single server's volume that was adopted, gets
# its database and extension. Patroni registers the node once they are there.
set -Eeuo pipefail

CITUS_SCRIPTS=${BASH_SOURCE[0]%/*}/..
# shellcheck source=/dev/null
source "$CITUS_SCRIPTS/utils/state.sh"

# Runs psql as the superuser on the socket; needs the fields that configuration.py left, the database and psql's options.
citus_callback_psql() {
  local password=$1 user=$2 database=$3
  shift 3
  PGPASSWORD=$password PGDATABASE=$database PGCONNECT_TIMEOUT=10 psql -XAtq --no-password --set=ON_ERROR_STOP=1 --host="${ADDRESS[1]}" \
    --port="${ADDRESS[0]}" --username="$user" "$@" >/dev/null
}

# Makes sure of them.
citus_callback_main() {
  local -a fields=() lines=()
  case $1-$2 in
    on_start-primary | on_role_change-primary | on_restart-primary) ;;
    *) return 0 ;;
  esac
  state_find || return 0
  if [[ ! -r $STATE_DIR/citus ]]; then return 0; fi
  mapfile -t lines <"$STATE_DIR/citus"
  mapfile -t -d '' fields <"$STATE_DIR/patroni/roles"
  mapfile -t ADDRESS <"$STATE_DIR/postgresql.address"
  # Patroni calls when it has asked for the promotion. A replica may not be there yet.
  citus_callback_psql "${fields[1]}" "${fields[0]}" postgres --set="name=${lines[1]}" <<'SQL'
DO $$ BEGIN FOR i IN 1..600 LOOP EXIT WHEN NOT pg_is_in_recovery(); PERFORM pg_sleep(0.1); END LOOP; END $$;
SET synchronous_commit = local;
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
  citus_callback_psql "${fields[1]}" "${fields[0]}" "${lines[1]}" <<'SQL'
SET synchronous_commit = local;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS citus;
SQL
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || citus_callback_main "$@"
