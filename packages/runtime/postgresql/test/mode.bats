#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "mode_postgres_rank, mode_postgres_needs_init: last, and with init" {
  run -0 with_postgresql 'mode_postgres_rank; mode_postgres_needs_init; echo "$REPLY"'
  [ "$output" = 50 ]
}

@test "mode_postgres_args: only options are completed" {
  run -0 with_postgresql 'mode_postgres_args -c "a b"; printf "<%s>" "${ENTRYPOINT_ARGS[@]}"'
  [ "$output" = '<postgres><-c><a b>' ]
  run -1 with_postgresql 'mode_postgres_args bash'
  run -1 with_postgresql 'mode_postgres_args'
}

@test "mode_postgres_wants: a server that serves" {
  run -0 with_postgresql 'mode_postgres_wants postgres; mode_postgres_wants /usr/bin/postgres -c x=y'
  local args
  for args in '' bash 'postgres --version' 'postgres -c x=y --help' 'postgres --single' 'postgres -C port' 'postgres-x'; do
    run -1 with_postgresql "mode_postgres_wants $args"
  done
}

@test "mode_postgres_start, mode_postgres_publish, mode_postgres_stop: address for all, INT and QUIT" {
  run -0 with_postgresql 'mode_postgres_start postgres -c x=y; phase_get; echo "$REPLY"; mode_postgres_stop TERM; wait "$CHILD_PID"'
  [ "$output" = running ]
  [ "$(<"$STATE_FOLDERS/postgresql.address")" = $'5432\n/sockets\n*\npostgres' ]
  [ "$(stat -c %a "$STATE_FOLDERS/postgresql.address")" = 644 ]
  [[ $(<"$CALLS") == *"<config_file=$STATE_FOLDERS/postgresql.conf> <-c> <x=y>"*'signal INT' ]]
  run -0 with_postgresql 'mode_postgres_start postgres; mode_postgres_stop QUIT; wait "$CHILD_PID"'
  [[ $(<"$CALLS") == *'signal QUIT' ]]
}

@test "mode_postgres_publish: a server that ends is no reason to wait" {
  POSTGRES_FAILS=yes run -1 with_postgresql 'mode_postgres_start postgres; wait "$CHILD_PID"'
}

@test "probe_address, probe_host: what was published" {
  printf '5433\n/s\n*\nu\n' >"$STATE_FOLDERS/postgresql.address"
  run -0 as_user bash -c 'source "$1"; probe_address "$2"; probe_host "$PROBE_LISTEN"; echo "$PROBE_PORT $PROBE_SOCKETS $PROBE_USER $REPLY"
    for h in 0.0.0.0 :: 10.0.0.1; do probe_host $h; echo "$REPLY"; done' x "$SCRIPTS/healthcheck.d/10-postgresql.sh" "$STATE_FOLDERS"
  [ "$output" = $'5433 /s u 127.0.0.1\n127.0.0.1\n::1\n10.0.0.1' ]
}

@test "probe_ask: a word for every answer" {
  stub pg_isready <<<'exit "$ANSWER"'
  local answer
  for answer in 1 2 3; do
    ANSWER=$answer run -1 as_user bash -c 'source "$1"; PROBE_PORT=1 PROBE_USER=u; probe_ask h "TCP"' x "$SCRIPTS/healthcheck.d/10-postgresql.sh"
    [[ $output == *TCP* ]]
  done
}

@test "probe main: both ways have to answer; nothing published is not well" {
  probe=$SCRIPTS/healthcheck.d/10-postgresql.sh
  stub pg_isready <<<'[[ "$*" != *"--host=$DEAD"* ]] || exit 2'
  DEAD=none run -1 as_user bash "$probe" "$STATE_FOLDERS"
  printf '5433\n/s\n*\nu\n' >"$STATE_FOLDERS/postgresql.address"
  DEAD=none run -0 as_user bash "$probe" "$STATE_FOLDERS"
  [ "$output" = 'the server takes connections on TCP port 5433 and the socket in /s' ]
  DEAD=127.0.0.1 run -1 as_user bash "$probe" "$STATE_FOLDERS"
  DEAD=/s run -1 as_user bash "$probe" "$STATE_FOLDERS"
}
