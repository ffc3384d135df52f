#!/usr/bin/env bash
# shellcheck disable=SC2034 # LOG_NAME is read by the logger
# Callback: a primary has the roles that replicas and pg_rewind connect as. Patroni makes them in a cluster that it made
# itself; one that was a single server's before, or whose roles somebody dropped, gets them here. With
# POSTGRES_PASSWORD_RECONCILE the passwords of all three become those of the variables.
set -Eeuo pipefail

ROLES_SCRIPTS=${BASH_SOURCE[0]%/*}/..
# shellcheck source=/dev/null
source "$ROLES_SCRIPTS/utils/logging.sh"
# shellcheck source=/dev/null
source "$ROLES_SCRIPTS/utils/state.sh"
LOG_NAME=10-roles

# Gives in REPLY a value as psql's \set takes it.
roles_quote() {
  local value=${1//\\/\\\\}
  value=${value//\'/\\\'}
  REPLY="'${value//$'\n'/\\n}'"
}

# Prints the statements; needs the six fields that configuration.py left, and whether passwords are to be set anew.
roles_statements() {
  local -a names=(superuser superuser_password replication replication_password rewind rewind_password) values=("$@")
  local i
  for i in "${!names[@]}"; do
    roles_quote "${values[i]}"
    printf '\\set %s %s\n' "${names[i]}" "$REPLY"
  done
  printf '\\set anew %s\n' "${values[6]}"
  cat <<'SQL'
\set ON_ERROR_STOP on
-- Patroni calls when it has asked for the promotion.
DO $$ BEGIN FOR i IN 1..600 LOOP EXIT WHEN NOT pg_is_in_recovery(); PERFORM pg_sleep(0.1); END LOOP; END $$;
-- A replica may not be there yet, and the statements hold passwords.
SET synchronous_commit = local; SET log_statement = none; SET log_min_duration_statement = -1; SET log_min_error_statement = panic;
SELECT count(*) = 0 AS lacks_replication FROM pg_roles WHERE rolname = :'replication' \gset
\if :lacks_replication
CREATE ROLE :"replication" LOGIN REPLICATION PASSWORD :'replication_password';
\elif :anew
ALTER ROLE :"replication" LOGIN REPLICATION PASSWORD :'replication_password';
\endif
-- Only now: the two may be one.
SELECT count(*) = 0 AS lacks_rewind, NOT has_function_privilege(coalesce((SELECT oid FROM pg_roles WHERE rolname = :'rewind'), 10),
  'pg_catalog.pg_read_binary_file(text)', 'EXECUTE') AS lacks_right FROM pg_roles WHERE rolname = :'rewind' \gset
\if :lacks_rewind
CREATE ROLE :"rewind" LOGIN PASSWORD :'rewind_password';
\set lacks_right true
\elif :anew
ALTER ROLE :"rewind" LOGIN PASSWORD :'rewind_password';
\endif
\if :lacks_right
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean), pg_catalog.pg_stat_file(text, boolean),
  pg_catalog.pg_read_binary_file(text), pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO :"rewind";
\endif
\if :anew
ALTER ROLE :"superuser" PASSWORD :'superuser_password';
\endif
SQL
}

# Makes sure of the roles.
roles_main() {
  local -a fields=() address=()
  case $1-$2 in
    on_start-primary | on_role_change-primary | on_restart-primary) ;;
    *) return 0 ;;
  esac
  state_find || return 0
  mapfile -t -d '' fields <"$STATE_DIR/patroni/roles"
  mapfile -t address <"$STATE_DIR/postgresql.address"
  roles_statements "${fields[@]}" "${POSTGRES_PASSWORD_RECONCILE:-false}" \
    | PGPASSWORD=${fields[1]} PGCONNECT_TIMEOUT=10 psql -XAtq --no-password --host="${address[1]}" --port="${address[0]}" \
      --username="${fields[0]}" --dbname=postgres >/dev/null
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || roles_main "$@"
