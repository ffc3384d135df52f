#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "started_collations: a warning for each database, with what mends it" {
  run -0 with_postgresql 'started_collations'
  [ -z "$output" ]
  PSQL_SAYS=$'app\n"x y"' run -0 with_postgresql 'started_collations'
  [ "$(grep -c WARN <<<"$output")" = 2 ]
  [[ $output == *'the collations of database "app"'*'REINDEX DATABASE "app"'*'ALTER DATABASE "app" REFRESH COLLATION VERSION'* ]]
}

@test "started_collations: silent without a login, and not asked before version 15" {
  PSQL_FAILS=yes run -0 with_postgresql 'started_collations'
  [ -z "$output" ]
  : >"$CALLS"
  PG_MAJOR=14 run -0 with_postgresql 'started_collations'
  [ ! -s "$CALLS" ]
}

@test "started_outdated: on the socket, without the password, not for long" {
  stub psql <<<'echo "$PGDATABASE $PGPORT $PGCONNECT_TIMEOUT $PGOPTIONS ${PGPASSWORD-none}"'
  POSTGRES_DB=app POSTGRES_PASSWORD=x run -0 with_postgresql '(STARTED_PORT=5433; started_outdated)'
  [ "$output" = 'postgres 5433 5 -c statement_timeout=10s none' ]
}

@test "started_await: until the server takes connections, or has ended" {
  run -0 with_postgresql 'printf "%s\n" 1 2 3 4 5 6 7 starting >"$PGDATA/postmaster.pid"
    (sleep 0.3; printf "%s\n" 1 2 3 4 5 6 7 "ready   " >"$PGDATA/postmaster.pid") & started_await $$; echo "after $(tail -n 1 "$PGDATA/postmaster.pid")"'
  [ "$output" = 'after ready   ' ]
  run -0 with_postgresql 'printf "%s\n" 1 2 3 4 5 6 7 standby >"$PGDATA/postmaster.pid"; started_await $$'
  run -1 with_postgresql 'sleep 0 & wait; started_await "$!"'
}

@test "started_run: nothing of a server that has ended" {
  run -0 with_postgresql 'a() { echo a; }; STARTED_HOOKS=(a); sleep 0 & wait; (started_run 5433 "$!")'
  [ -z "$output" ]
}

@test "started_run: every hook, whatever one of them does" {
  run -0 with_postgresql 'a() { false; echo "a $STARTED_PORT"; return 1; }; b() { echo b; }; STARTED_HOOKS=(a b)
    startup_traps; printf "%s\n" 1 2 3 4 5 6 7 ready >"$PGDATA/postmaster.pid"; (started_run 5433 $$); wait'
  [ "$output" = $'a 5433\nb' ]
}
