#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  citus_setup
  stub psql <<<'{ printf "psql"; printf " <%s>" "$@"; printf " db=%s pw=%s\n" "$PGDATABASE" "$PGPASSWORD"; sed "s/^/  sql: /"; } >>"$CALLS"; exit "${PSQL_CODE-0}"'
  mkdir -p "$STATE_FOLDERS/patroni"
  echo running >"$STATE_FOLDERS/phase"
  printf '%s\0' 'the "su"' "it's" replicator r rewind w >"$STATE_FOLDERS/patroni/roles"
  printf '%s\n' 5433 '/the sockets' '*' postgres "$PGDATA" >"$STATE_FOLDERS/postgresql.address"
  printf '%s\n' coordinator 'a=b' '' 5432 c >"$STATE_FOLDERS/citus"
  owned_by_user "$STATE_FOLDERS"
}

call() { as_user bash "$SCRIPTS/callbacks.d/20-citus.sh" "$@" main; }

@test "20-citus: a primary has database and extension, made as the superuser on the socket; no password is in an argument" {
  local action
  for action in on_start on_restart on_role_change; do
    : >"$CALLS"
    run -0 call "$action" primary
    [ -z "$output" ]
    [[ $(<"$CALLS") == *'<--host=/the sockets> <--port=5433> <--username=the "su"> <--set=name=a=b> db=postgres pw=it'*'CREATE DATABASE'*'db=a=b pw='*'CREATE EXTENSION IF NOT EXISTS citus'* ]]
    [[ $(grep -o '<[^>]*>' "$CALLS") != *"it's"* ]]
  done
}

@test "20-citus: nothing as a replica, at another action, or where Citus is off; a failure is one" {
  run -0 call on_start replica
  run -0 call on_stop primary
  PSQL_CODE=2 run -2 call on_start primary
  : >"$CALLS"
  rm "$STATE_FOLDERS/citus"
  run -0 call on_start primary
  [ ! -s "$CALLS" ]
}
