#!/usr/bin/env bash
# Probe: Citus is loaded and in its database, and this node has its place among the others. A worker whose coordinator is away
# does not get well by being started anew: that is a warning.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/10-postgresql.sh"

# Gives in REPLY what the server says of Citus, its fields with | between them, or none without the extension; 1 if it does not
# answer.
citus_probe_ask() {
  REPLY=$(
    PGDATABASE=$CITUS_PROBE_DATABASE psql --no-psqlrc --no-password --tuples-only --no-align --quiet \
      --host="${PROBE_SOCKETS%%,*}" --port="$PROBE_PORT" --username="$PROBE_USER" 2>&1 <<'SQL'
\set ON_ERROR_STOP on
SELECT count(*) = 0 AS none FROM pg_catalog.pg_extension WHERE extname = 'citus' \gset
\if :none
\echo none
\q
\endif
SELECT extversion, own.groupid, pg_is_in_recovery(), coalesce(node.isactive, false), coalesce(node.metadatasynced, false), node.nodename,
  (SELECT count(*) FROM pg_catalog.pg_dist_node WHERE isactive AND NOT metadatasynced AND noderole = 'primary')
FROM pg_catalog.pg_extension, pg_catalog.pg_dist_local_group AS own
LEFT JOIN pg_catalog.pg_dist_node AS node ON node.groupid = own.groupid AND node.noderole = 'primary'
WHERE extname = 'citus' LIMIT 1;
SQL
  )
}

# Gives 0 if the coordinator takes connections, or if nobody said where it is.
citus_probe_coordinator() {
  [[ -n $CITUS_PROBE_HOST ]] || return 0
  pg_isready --quiet --timeout=1 --host="$CITUS_PROBE_HOST" --port="$CITUS_PROBE_PORT" 2>/dev/null
}

# Runs the probe; needs the state folder.
main() {
  local -a lines=() fields=()
  if [[ ! -r ${1-}/citus ]]; then return 0; fi
  mapfile -t lines <"$1/citus"
  CITUS_PROBE_ROLE=${lines[0]} CITUS_PROBE_DATABASE=${lines[1]} CITUS_PROBE_HOST=${lines[2]} CITUS_PROBE_PORT=${lines[3]} CITUS_PROBE_SELF=${lines[4]}
  if ! probe_address "$1" || [[ -z $PROBE_SOCKETS ]]; then
    printf 'the server has no socket to ask it on\n'
    return 10
  fi
  probe_client_env
  if [[ -z ${PGPASSFILE-} && -r $1/pgpass ]]; then export PGPASSFILE=$1/pgpass; fi
  local away="" away_pid
  citus_probe_coordinator &
  away_pid=$!
  if ! citus_probe_ask; then
    wait "$away_pid" || :
    citus_probe_unasked "$REPLY"
    return
  fi
  wait "$away_pid" || away=yes
  if [[ $REPLY == none ]]; then
    printf 'the database %s has no extension citus\n' "$CITUS_PROBE_DATABASE"
    return 1
  fi
  IFS='|' read -r -a fields <<<"$REPLY"
  citus_probe_tell "$away" "${fields[@]}"
}

# Says why the server told nothing; needs its words. Not to be let in is no fault of Citus.
citus_probe_unasked() {
  if [[ $1 == *'does not exist'* ]]; then
    printf 'the database %s of Citus is not there\n' "$CITUS_PROBE_DATABASE"
    return 1
  fi
  printf 'Citus is not looked at: %s cannot log in on the socket\n' "$PROBE_USER"
}

# Gives the verdict; needs whether the coordinator is away, and the fields.
citus_probe_tell() {
  local away=$1 version=$2 group=$3 standby=$4 active=$5 synced=$6 name=$7 behind=$8 place
  place="Citus $version, $CITUS_PROBE_ROLE"
  if [[ $group != 0 ]]; then place+=", group $group"; fi
  if [[ -n $away ]]; then
    printf '%s; its coordinator at %s:%s does not answer\n' "$place" "$CITUS_PROBE_HOST" "$CITUS_PROBE_PORT"
    return 10
  fi
  if [[ $CITUS_PROBE_ROLE == worker && $group == 0 && $standby == f ]]; then
    printf '%s: not registered with its coordinator; see the log\n' "$place"
    return 1
  fi
  if [[ -n $CITUS_PROBE_HOST && -n $name && $name != "$CITUS_PROBE_SELF" ]]; then
    printf '%s: its coordinator knows it at %s only, not at %s; see the log\n' "$place" "$name" "$CITUS_PROBE_SELF"
    return 1
  fi
  if [[ $CITUS_PROBE_ROLE == worker && $active == f ]]; then
    printf '%s: the coordinator has it disabled, or removed\n' "$place"
    return 10
  fi
  if [[ $CITUS_PROBE_ROLE == worker && $synced == f ]]; then
    printf '%s: its metadata are behind\n' "$place"
    return 10
  fi
  if [[ $CITUS_PROBE_ROLE == coordinator && $behind != 0 ]]; then
    printf '%s: the metadata of %s node(s) are behind\n' "$place" "$behind"
    return 10
  fi
  printf '%s, in its place\n' "$place"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
