#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  citus_setup
  server_answers
}

# Runs what runs once the server serves, without pauses.
started() { with_citus 'startup_pause() { echo "pause $1"; }; export PGPASSFILE=/p; STARTED_PORT=5433; citus_started'; }

@test "citus_started: a coordinator makes the extension, and tells its address; it says so where that is new" {
  answer here.5 0 new
  run -0 started
  [[ $output == *'INFO  citus: this coordinator is at 192.0.2.7:5433 and takes shards itself until there are workers' ]]
  [[ $(<"$CALLS") == *'CREATE EXTENSION IF NOT EXISTS citus'*'<--set=address=192.0.2.7> <--set=port=5433> <--file='*'/citus/coordinator.sql>'* ]]
  [[ $(<"$CALLS") != *there* ]]
}

@test "citus_started: where the extension is there nothing is made" {
  answer here.1 0 '0|3'
  answer here.2 0 known
  run -0 started
  [ -z "$output" ]
  [[ $(<"$CALLS") != *'CREATE EXTENSION'* && $(<"$CALLS") == *'/citus/state.sql>'*'/citus/coordinator.sql>'* ]]
  : >"$CALLS"
  answer here.1 0 bare
  answer here.2 2
  run -0 started
  [[ $output == *'ERROR citus: cannot make the extension citus:'* ]]
}

@test "citus_started: a coordinator that moved says so, one that did not says nothing" {
  answer here.5 0 moved
  CITUS_ADDRESS=db1 run -0 started
  [[ $output == *'this coordinator has moved to db1:5433, its workers are told' ]]
  : >"$CALLS"
  answer here.5 0 occupied
  run -0 started
  [[ $output == *'ERROR citus: expected no other node at 192.0.2.7:5433 (CITUS_ADDRESS), found one; give each its own' ]]
  : >"$CALLS"
  answer here.5 0 known
  run -0 started
  [ -z "$output" ]
}

@test "citus_started: what cannot be done is said with what to do, and ends nothing" {
  answer here.2 2
  run -0 started
  [[ $output == *'ERROR citus: cannot make the extension citus: expected to log in'*'make it yourself: CREATE EXTENSION citus' ]]
  : >"$CALLS"
  rm "$ANSWERS/here.2"
  local number
  for number in 5 6 7 8 9 10 11 12 13; do answer "here.$number" 3 'ERROR:  no'; done
  run -0 started
  [[ ${lines[*]} == 'pause 1 pause 2 pause 3 pause 4 pause 5 pause 5 pause 5 pause 5 '*"cannot tell Citus this coordinator's address, 192.0.2.7 (CITUS_ADDRESS): ERROR:  no; run SELECT citus_set_coordinator_host('192.0.2.7', 5433)" ]]
}

@test "citus_started: tells the coordinator's address again after a deadlock" {
  answer here.5 3 'ERROR:  deadlock detected'
  answer here.6 0 moved
  run -0 started
  [[ ${lines[0]} == 'pause 1' && ${lines[1]} == *'this coordinator has moved to 192.0.2.7:5433, its workers are told' ]]
}

@test "citus_started: data of another role are not registered" {
  local role said
  while read -r role said; do
    : >"$CALLS"
    answer here.4 0 "$said"
    CITUS_ROLE=$role CITUS_COORDINATOR_HOST=c run -0 started
    [[ $output == *"CITUS_ROLE: expected what the data in PGDATA belong to, found $role: nothing is registered"* ]]
    [[ $(<"$CALLS") != *there* && $(<"$CALLS") != *coordinator.sql* ]]
  done <<'E'
coordinator 3|2
worker 0|2
E
}

@test "citus_started: a server in recovery, such as a restored one, waits until it may write" {
  answer here.1 0 standby
  answer here.2 0 standby
  answer here.3 0 '0|2'
  answer here.4 0 moved
  run -0 started
  [[ $output == 'pause 1'$'\n''pause 2'$'\n'*'this coordinator has moved to 192.0.2.7:5433, its workers are told' ]]
}

@test "citus_started: a node of Patroni does nothing" {
  run -0 with_citus 'patroni_enabled() { :; }; citus_started'
  [ ! -s "$CALLS" ]
}

@test "citus_started: a worker waits for its coordinator, says for what once, and registers" {
  export CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c CITUS_DATABASE=app
  answer here.4 0 '0|0'
  answer here 0 0
  answer there.1 2 'psql: error: connection refused'
  answer there.2 2 'psql: error: connection refused'
  answer there.3 0 early
  answer there.4 0 registered
  run -0 started
  [ "$(grep -c 'WARN' <<<"$output")" = 2 ]
  [[ $output == *'waits for the coordinator at c:5432: psql: error: connection refused'*'pause 1'*'pause 2'*'it has not told Citus its own address yet'*'pause 3'*'INFO  citus: registered as a worker at 192.0.2.7:5433' ]]
  [[ $(<"$CALLS") == *'there '*'<--username=postgres> <--host=c> <--port=5432> <--set=address=192.0.2.7> <--set=port=5433> <--set=group=0> <--file='*'/citus/worker.sql> db=app pass=/p'* ]]
}

@test "citus_started: a worker that was registered names its group" {
  export CITUS_ROLE=worker CITUS_COORDINATOR_HOST=c
  answer here.4 0 '3|2'
  answer here 0 3
  answer there 0 moved
  run -0 started
  [[ $output == *'this worker has moved to 192.0.2.7:5433, the coordinator knows' ]]
  [[ $(<"$CALLS") == *'<--set=group=3>'* ]]
}

@test "citus_joined: what the coordinator makes of a worker, in words" {
  local word wanted
  while IFS='|' read -r word wanted; do
    WORD=$word run -0 with_citus 'STARTED_PORT=5432 CITUS_SELF=w; citus_joined "$WORD"'
    [[ $output == *"$wanted"* ]]
  done <<'E'
disabled|WARN  t: the coordinator has this worker disabled; run there: SELECT citus_activate_node('w', 5432)
removed|to know this worker, found that it does not: it was removed
known|
E
  for word in bare early taken occupied whatever; do WORD=$word run -1 with_citus 'CITUS_SELF=w; citus_joined "$WORD"'; done
}
