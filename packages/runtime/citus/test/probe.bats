#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  citus_setup
  export SAYS='13.2-1|0|f|t|t|c|0'
  stub psql <<<'cat >/dev/null; echo "$PGDATABASE ${PGPASSFILE-}" >>"$CALLS"; echo "$SAYS"; exit "${CODE-0}"'
  stub pg_isready <<<'echo "ready <$*>" >>"$CALLS"; exit "${AWAY-0}"'
  printf '%s\n' 5433 /s '*' postgres "$PGDATA" >"$STATE_FOLDERS/postgresql.address"
  printf '%s\n' coordinator app '' 5432 c >"$STATE_FOLDERS/citus"
}

probe() { as_user bash "$SCRIPTS/healthcheck.d/50-citus.sh" "$STATE_FOLDERS"; }

@test "50-citus.sh: nothing where Citus is off" {
  rm "$STATE_FOLDERS/citus"
  run -0 probe
  [ -z "$output" ]
  [ ! -s "$CALLS" ]
}

@test "50-citus.sh: a coordinator in its place; with the password file where there is one" {
  run -0 probe
  [ "$output" = 'Citus 13.2-1, coordinator, in its place' ]
  [ "$(<"$CALLS")" = 'app ' ]
  touch "$STATE_FOLDERS/pgpass"
  chmod 644 "$STATE_FOLDERS/pgpass"
  run -0 probe
  [[ $(<"$CALLS") == *"app $STATE_FOLDERS/pgpass" ]]
}

@test "50-citus.sh: no extension, or no database, is not well; not to be let in is not looked at" {
  SAYS=none run -1 probe
  [ "$output" = 'the database app has no extension citus' ]
  CODE=2 SAYS='psql: error: FATAL:  database "app" does not exist' run -1 probe
  CODE=2 SAYS='psql: error: fe_sendauth: no password supplied' run -0 probe
  [ "$output" = 'Citus is not looked at: postgres cannot log in on the socket' ]
}

@test "50-citus.sh: a worker that is not registered is not well; one whose coordinator is away is warned of" {
  printf '%s\n' worker app c 5555 w >"$STATE_FOLDERS/citus"
  SAYS='13.2-1|0|f|f|f||0' run -1 probe
  [ "$output" = 'Citus 13.2-1, worker: not registered with its coordinator; see the log' ]
  [[ $(<"$CALLS") == *'--host=c --port=5555>'* ]]
  AWAY=2 SAYS='13.2-1|0|f|f|f||0' run -10 probe
  [ "$output" = 'Citus 13.2-1, worker; its coordinator at c:5555 does not answer' ]
  SAYS='13.2-1|2|f|t|t|w|0' run -0 probe
  [ "$output" = 'Citus 13.2-1, worker, group 2, in its place' ]
  SAYS='13.2-1|2|f|f|t|w|0' run -10 probe
  SAYS='13.2-1|2|f|t|f|w|0' run -10 probe
  [[ $output == *'its metadata are behind' ]]
  SAYS='13.2-1|2|f|t|t|old|0' run -1 probe
  [ "$output" = 'Citus 13.2-1, worker, group 2: its coordinator knows it at old only, not at w; see the log' ]
}

@test "50-citus.sh: a coordinator whose nodes are behind is warned of" {
  SAYS='13.2-1|0|f|t|t|c|2' run -10 probe
  [[ $output == *'the metadata of 2 node(s) are behind' ]]
}
