#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  # A busy machine is slow.
  sed -i 's/^PATRONI_PATIENCE_MS=600 /PATRONI_PATIENCE_MS=30000 /' "$SCRIPTS/utils/patroni.sh"
  check=$SCRIPTS/runtime/healthcheck.sh
  echo running >"$STATE_FOLDERS/phase"
}

# Runs a probe as a program; needs its folder in healthcheck.d.
run_probe() { as_user bash "$SCRIPTS/healthcheck.d/$1/40-patroni.sh" "$STATE_FOLDERS"; }

# Asks the health check, with more time than it has; needs its arguments.
ask() {
  as_user bash -c 'source "$1"; HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 60000000)); main "${@:2}"' x "$check" "$@"
}

# Makes what a server leaves that serves.
server_serves() {
  printf '%s\n' "$$" "$PGDATA" 1 5433 /s '*' 1 'ready   ' >"$PGDATA/postmaster.pid"
  printf '%s\n' 5433 /s '*' postgres "$PGDATA" >"$STATE_FOLDERS/postgresql.address"
  owned_by_user "$PGDATA"
}

# The questions, and what Patroni is asked for each; the first is the health check without a question.
questions() { printf '%s\n' '. /readiness' 'live /liveness' 'primary /primary' 'replica /replica'; }

@test "40-patroni: nothing is asked where Patroni is off" {
  local folder path
  while read -r folder path; do
    run -0 run_probe "$folder"
    [ -z "$output" ]
  done < <(questions)
}

@test "40-patroni: Patroni is asked what the question means, and its status decides" {
  local folder path
  rest_api
  while read -r folder path; do
    rm -f "$ANSWERS"/*
    answer "$path" 200
    run -0 run_probe "$folder"
    [[ $output == 'Patroni says that '* ]]
    answer "$path" 503
    run -1 run_probe "$folder"
    [[ $output == 'Patroni says that '*@(not|no)\ * ]]
  done < <(questions)
}

@test "40-patroni: one that does not answer is not well, whatever was asked" {
  local folder path
  published 1
  while read -r folder path; do
    run -1 run_probe "$folder"
    [ "$output" = "Patroni's REST API does not answer: it starts, or hangs" ]
  done < <(questions)
}

@test "healthcheck.sh live: Patroni's loop decides, and no server" {
  rest_api
  answer /liveness 200
  run -0 ask live
  [[ $output == 'healthy: 40-patroni: Patroni says that its loop runs' ]]
  answer /liveness 503
  run -1 ask live
  [[ $output == 'unhealthy: 40-patroni: Patroni says that its loop has not run lately'* ]]
}

@test "healthcheck.sh live: while the cluster is made or the store is waited for the container is alive" {
  local phase
  for phase in starting initialising stopping; do
    echo "$phase" >"$STATE_FOLDERS/phase"
    run -0 ask live
    [[ $output == 'healthy: the container is '* ]]
  done
}

@test "healthcheck.sh: what a node waits for is said" {
  printf '%s\n' initialising 'waits for the store: no server of etcd3 can be reached' >"$STATE_FOLDERS/phase"
  run -1 ask
  [ "$output" = 'unhealthy: the container is initialising: waits for the store: no server of etcd3 can be reached' ]
}

@test "healthcheck.sh ready: Patroni decides, as without a question" {
  server_serves
  stub pg_isready <<<'exit 0'
  rest_api
  answer /readiness 503
  run -1 ask ready
  [[ $output == 'unhealthy: 40-patroni: Patroni says that this node is not ready'* ]]
  answer /readiness 200
  run -0 ask ready
  [[ $output == 'healthy: '*'40-patroni: Patroni says that this node is ready'* ]]
}

@test "healthcheck.sh ready: without Patroni the server decides" {
  server_serves
  stub pg_isready <<<'exit 2'
  run -1 ask ready
  [[ $output == 'unhealthy: 10-postgresql: the server does not answer'* ]]
  stub pg_isready <<<'exit 0'
  run -0 ask ready
}

@test "healthcheck.sh primary, replica: the server and Patroni have to agree" {
  server_serves
  rest_api
  answer /primary 200
  answer /replica 503
  answer /patroni 200 '{"state": "running", "role": "primary"}'
  run -0 ask primary
  [ "$output" = 'healthy: 10-postgresql: the server is a primary; 40-patroni: Patroni says that this node is the leader' ]
  run -1 ask replica
  [[ $output == 'unhealthy: 10-postgresql: the server is a primary, not a standby; 40-patroni: Patroni says that this node is no running replica'* ]]
  # A primary that has lost the lock.
  answer /primary 503
  run -1 ask primary
  [[ $output == 'unhealthy: 40-patroni: Patroni says that this node is not the leader'*'; 10-postgresql: the server is a primary' ]]
}

@test "healthcheck.sh primary, replica: without Patroni the server alone decides" {
  server_serves
  run -0 ask primary
  [ "$output" = 'healthy: 10-postgresql: the server is a primary' ]
  touch "$PGDATA/standby.signal"
  run -0 ask replica
  run -1 ask primary
}

@test "healthcheck.sh: one JSON object for a question too" {
  type -P node >/dev/null || skip "no node on this machine"
  rest_api
  answer /liveness 200
  run -0 ask --json live
  node -e 'const o = JSON.parse(process.argv[1]); if (o.status !== "healthy" || o.probes.length !== 1 || o.probes[0].name !== "40-patroni") process.exit(1)' "$output"
}
