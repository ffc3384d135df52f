#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  python_stub
  export PATRONI_ENABLE=true POSTGRES_PASSWORD=hunter2
  # What node.py said, which waits.
  export CONFIGURATION_SAYS='api\t8009\th\thttps\nserver\t5433\t10.0.0.1\n'
  PUBLISHED='PATRONI_SETTINGS=(); patroni_load; (patroni_prepare "" 17); '
  prelude+='until_ready() { for i in {1..1500}; do if grep -q "^ready$" "$CALLS"; then break; fi; sleep 0.02; done; }; '
}

# Starts a stand-in for the server in the background that notes a QUIT and how Patroni is then, and leaves its lock file.
server() {
  cat >"$BATS_TEST_TMPDIR/server" <<'S'
#!/usr/bin/env bash
trap 'read -r -a stat <"/proc/$(<"$2/pid")/stat"; echo "server QUIT, Patroni is ${stat[2]}" >>"$CALLS"; rm "$1/postmaster.pid"; exit 0' QUIT
printf '%s\n' "$$" "$1" 0 5433 /sockets '*' 1 ready >"$1/postmaster.pid"
while :; do sleep 0.05 3>&-; done
S
  chmod 755 "$BATS_TEST_TMPDIR/server"
  # A shell's background ignores QUIT.
  in_background env --default-signal=QUIT "$BATS_TEST_TMPDIR/server" "$PGDATA" "$STATE_FOLDERS"
  disown "$PID"
  eventually test -s "$PGDATA/postmaster.pid"
}

@test "mode_patroni_rank, mode_patroni_needs_init: before the mode that starts the server itself, and with init" {
  run -0 with_patroni 'mode_patroni_rank; rank=$REPLY; mode_postgres_rank; ((rank < REPLY)); mode_patroni_needs_init'
}

@test "mode_patroni_wants: a server that serves, where Patroni is on" {
  run -0 with_patroni 'mode_patroni_wants postgres; mode_patroni_wants /usr/bin/postgres -c x=y'
  PATRONI_ENABLE='' USE_PATRONI=true run -0 with_patroni 'mode_patroni_wants postgres'
  PATRONI_ENABLE=false run -1 with_patroni 'mode_patroni_wants postgres'
  local args
  for args in '' bash 'postgres --version' 'postgres -C port' 'postgres --single' patronictl; do
    run -1 with_patroni "mode_patroni_wants $args"
  done
}

@test "mode_patroni_publish: server and REST API, for health checks of any user" {
  POSTGRES_USER='the "user"' run -0 with_patroni "$PUBLISHED"'mode_patroni_publish'
  [ "$(<"$STATE_FOLDERS/postgresql.address")" = "5433"$'\n'"$DATABASE_SOCKETS"$'\n10.0.0.1\nthe "user"\n'"$PGDATA" ]
  [ "$(<"$STATE_FOLDERS/patroni.address")" = $'8009\nh\nhttps' ]
  [ "$(stat -c %a "$STATE_FOLDERS"/{postgresql,patroni}.address)" = $'644\n644' ]
  [ ! -e "$STATE_FOLDERS/patroni.address.new" ]
}

@test "mode_patroni_start: what a dead server left is out of the way, the phase is running, no password is left" {
  printf '%s\n' 4000001 d 0 5432 s l 1 ready >"$PGDATA/postmaster.pid"
  owned_by_user "$PGDATA"
  PGPASSWORD=x run -0 with_patroni "$PUBLISHED"'started_run() { :; }; mode_patroni_start postgres; phase_get; echo "$REPLY"
    mode_patroni_stop TERM; wait "$CHILD_PID"; wait'
  [ "$output" = running ]
  [ ! -e "$PGDATA/postmaster.pid" ]
  [[ $(<"$CALLS") == *"python3 <-I> <$PATRONI_HOME/node.py> "*" <$STATE_FOLDERS/patroni/patroni.yml>"*'password <none>'*$'\nready\nsignal TERM' ]]
}

@test "mode_patroni_await_hangup: one that came early reaches Patroni once it takes it" {
  run -0 with_patroni "$PUBLISHED"'started_run() { :; }; startup_on_hangup; mode_patroni_start postgres; [[ -n $CHILD_HEARS ]]
    for i in {1..1500}; do if grep -q HUP "$CALLS"; then break; fi; sleep 0.02; done; kill -0 "$CHILD_PID"; mode_patroni_stop TERM; wait "$CHILD_PID"; wait'
  [[ $(<"$CALLS") == *$'signal HUP\nsignal TERM' ]]
}

@test "mode_patroni_await_hangup: not for one that ends, nor after a stop" {
  run -0 with_patroni 'startup_child sleep 0.1; mode_patroni_await_hangup; echo "<$CHILD_HEARS>"'
  [ "$output" = '<>' ]
  run -0 with_patroni 'startup_child sleep 60 >/dev/null 2>&1 3>&-; STOP_SIGNAL=TERM mode_patroni_await_hangup; echo "<$CHILD_HEARS>"; kill "$CHILD_PID"'
  [ "$output" = '<>' ]
}

# What happens at each look of mode_patroni_started is in the functions step_1 and so on.
steps='lock() { printf "%s\n" 77 d 0 5433 s l 1 "$1" >"$PGDATA/postmaster.pid"; }; startup_pause() { step=$((${step:-0} + 1)); "step_$step"; }
  patroni_get() { PATRONI_CODE=${LEADER:-503} ASKED=$2; }; started_run() { echo "started on $1, server $2, step $step"; }; CHILD_PID=$$; '

@test "mode_patroni_started: looks once, at the server that serves" {
  run -0 with_patroni "$steps"'phase_set running; step_1() { :; }; step_2() { lock starting; }; step_3() { lock "ready   "; }; mode_patroni_started'
  [ "$output" = 'started on 5433, server 77, step 3' ]
  run -0 with_patroni "$steps"'phase_set running; step_1() { lock standby; }; mode_patroni_started'
  [ "$output" = 'started on 5433, server 77, step 1' ]
}

@test "mode_patroni_started: while the cluster is made the server that serves for a moment is not meant; a leader ends that" {
  run -0 with_patroni "$steps"'phase_set initialising; lock ready; step_1() { :; }; step_2() { phase_get; echo "$REPLY $ASKED"; LEADER=200; }
    step_3() { phase_get; echo "$REPLY"; }; mode_patroni_started'
  [ "$output" = $'initialising /replica\nrunning\nstarted on 5433, server 77, step 3' ]
}

@test "mode_patroni_started: a phase that cannot be read for a moment does not end it" {
  run -0 with_patroni "$steps"'phase_set running; lock ready; step_1() { : >"$STATE_DIR/phase"; }; step_2() { :; }
    step_3() { rm "$STATE_DIR/phase"; }; step_4() { phase_set running; }; mode_patroni_started'
  [ "$output" = 'started on 5433, server 77, step 4' ]
}

@test "mode_patroni_started: another may have taken the lead when the cluster is made" {
  run -0 with_patroni "$steps"'phase_set initialising; patroni_get() { PATRONI_CODE=503; [[ $2 != /replica ]] || PATRONI_CODE=200; }
    step_1() { :; }; step_2() { lock standby; }; mode_patroni_started; phase_get; echo "$REPLY"'
  [ "$output" = $'started on 5433, server 77, step 2\nrunning' ]
}

@test "mode_patroni_started: a stop that comes while Patroni is asked keeps its phase" {
  run -0 with_patroni "$steps"'phase_set initialising; step_1() { :; }; step_2() { :; }
    patroni_get() { phase_set stopping; PATRONI_CODE=200; }; mode_patroni_started; phase_get; echo "$REPLY"'
  [ "$output" = stopping ]
}

@test "mode_patroni_started: ends with the container" {
  run -0 with_patroni "$steps"'phase_set stopping; lock ready; step_1() { :; }; mode_patroni_started'
  [ -z "$output" ]
}

@test "mode_patroni_started: ends with Patroni" {
  run -0 with_patroni 'started_run() { echo no; }; sleep 0 & CHILD_PID=$!; wait; mode_patroni_started'
  [ -z "$output" ]
}

@test "mode_patroni_stop: TERM and INT go to Patroni as TERM, which stops the server itself" {
  local signal
  for signal in TERM INT; do
    : >"$CALLS"
    run -0 with_patroni 'startup_child python3 launch.py; until_ready; mode_patroni_stop '"$signal"'; wait "$CHILD_PID"'
    [[ $(<"$CALLS") == *'signal TERM' ]]
  done
}

@test "mode_patroni_stop: QUIT stops the server at once, while Patroni is held, and then Patroni" {
  server
  run -0 with_patroni 'startup_child python3 launch.py; echo "$CHILD_PID" >"$STATE_DIR/pid"; until_ready; mode_patroni_stop QUIT; wait "$CHILD_PID"'
  [[ $(<"$CALLS") == *$'\nready\nserver QUIT, Patroni is T\nsignal TERM' ]]
}

@test "mode_patroni_stop: QUIT without a server, or with a lock file that names none" {
  local lock
  for lock in '' x 4000001; do
    : >"$CALLS"
    echo "$lock" >"$PGDATA/postmaster.pid"
    run -0 with_patroni 'startup_child python3 launch.py; until_ready; mode_patroni_stop QUIT; wait "$CHILD_PID"'
    [[ $(<"$CALLS") == *'signal TERM' ]]
  done
}

@test "mode_patroni_after: stops a server that Patroni left running, within the time, and nothing else" {
  run -0 with_patroni 'mode_patroni_after 5'
  [ -z "$output" ]
  local behind='sleep 60 >/dev/null 2>&1 3>&- & pid=$!; until [[ $(</proc/$pid/comm) == sleep ]]; do sleep 0.01; done; mkdir "$PREFLIGHT_PROC/$pid"; echo "$NAME" >"$PREFLIGHT_PROC/$pid/comm"; echo "$pid" >"$PGDATA/postmaster.pid"; '
  chmod 777 "$PREFLIGHT_PROC"
  NAME='sh' run -0 with_patroni "$behind"'mode_patroni_after 5; kill "$pid"'
  [ -z "$output" ]
  NAME=postgres run -0 with_patroni 'set -m; '"$behind"'set +m; mode_patroni_after 30; not kill -0 "$pid" 2>/dev/null; echo ended'
  [[ $output == *'WARN  t: Patroni ended and left the server running, because it is paused or was killed: stopping the server'*ended ]]
}

@test "entrypoint.sh: PATRONI_ENABLE makes the container a node; a stop reaches Patroni; no secret is left in its environment" {
  single_user
  PATRONI_TTL=30 in_background "$CONTAINER/entrypoint.sh" postgres -c x=y
  eventually grep -q '^ready' "$CALLS"
  running() { [[ $(<"$STATE_FOLDERS/phase") == running ]]; }
  eventually running
  kill -TERM "$PID"
  wait "$PID"
  [[ $(<"$CALLS") == *'look <>'*'<ttl>'*$'\npassword <none> <none>\nready\nsignal TERM' ]]
  [[ $(<"$BATS_TEST_TMPDIR/out") != *hunter2* ]]
  [ "$(<"$STATE_FOLDERS/phase")" = stopping ]
  [ "$(<"$STATE_FOLDERS/patroni.address")" = $'8009\nh\nhttps' ]
}

@test "entrypoint.sh: a question to the server is answered without Patroni" {
  run -0 as_user "$CONTAINER/entrypoint.sh" postgres -V
  [[ $output == *'PostgreSQL'* && $(<"$CALLS") != *node.py* ]]
}
