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
  run -0 with_postgresql 'started_run() { echo "started on $1"; }; mode_postgres_start postgres -c x=y; phase_get; echo "$REPLY"
    mode_postgres_stop TERM; wait "$CHILD_PID"; wait'
  [ "$(sort <<<"$output")" = $'running\nstarted on 5432' ]
  [ "$(<"$STATE_FOLDERS/postgresql.address")" = $'5432\n/sockets\n*\npostgres\n'"$PGDATA" ]
  [ "$(stat -c %a "$STATE_FOLDERS/postgresql.address")" = 644 ]
  [[ $(<"$CALLS") == *"<config_file=$STATE_FOLDERS/postgresql.conf> <-c> <x=y>"*'signal INT' ]]
  run -0 with_postgresql 'started_run() { :; }; mode_postgres_start postgres; mode_postgres_stop QUIT; wait "$CHILD_PID"'
  [[ $(<"$CALLS") == *'signal QUIT' ]]
}

@test "mode_postgres_start: what a dead server left is out of the way, no password is left in the environment" {
  printf '%s\n' 4000001 d 0 5432 s l 1 ready >"$PGDATA/postmaster.pid"
  owned_by_user "$PGDATA"
  PGPASSWORD=x run -0 with_postgresql 'startup_child() { echo "${PGPASSWORD-none}"; CHILD_PID=4000002; }; mode_postgres_start postgres'
  [ "$output" = none ]
  [ ! -e "$PGDATA/postmaster.pid" ]
  [ "$(<"$STATE_FOLDERS/postgresql.address")" = '' ]
}

@test "mode_postgres_user_line: the name, unless it would break the line" {
  POSTGRES_USER='a "b" é' run -0 with_postgresql 'mode_postgres_user_line; echo "$REPLY"; POSTGRES_USER=$'"'a\nb'"'; mode_postgres_user_line
    echo "$REPLY"; POSTGRES_USER=; mode_postgres_user_line; echo "$REPLY"'
  [ "$output" = $'a "b" é\npostgres\npostgres' ]
}

@test "mode_postgres_publish: a server that ends is no reason to wait" {
  POSTGRES_FAILS=yes run -1 with_postgresql 'mode_postgres_start postgres; wait "$CHILD_PID"'
}

@test "mode_postgres_publish: a stop that was asked for waits a little for the server, not for ever" {
  run -0 with_postgresql 'count=0; startup_pause() { count=$((count + 1)); }; CHILD_PID=$$ STOP_SIGNAL=TERM; mode_postgres_publish; echo "$count"'
  [ "$output" = 200 ]
}
