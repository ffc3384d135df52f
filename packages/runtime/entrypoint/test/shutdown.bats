#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  prelude='startup_traps; SHUTDOWN_DIR=$ENTRYPOINT_SCRIPTS/shutdown.d; mode_m_stop() { echo "stop $1"; kill -$1 "$CHILD_PID"; };'
}

@test "shutdown_left: seconds until, at least one" {
  run -0 with_entrypoint 'shutdown_left $(((EPOCHSECONDS + 5) * 1000000)); echo "$REPLY"; shutdown_left 0; echo "$REPLY"'
  [[ $output == [45].??????$'\n'1.000000 ]]
}

@test "shutdown_steps: in order, with the signal; one that fails stops nothing" {
  echo 'echo "one $1"; exit 3' >"$SCRIPTS/shutdown.d/10-one.sh"
  echo 'echo "two"' >"$SCRIPTS/shutdown.d/20-two.sh"
  run -0 with_entrypoint "$prelude"'STOP_SIGNAL=TERM; shutdown_steps $(((EPOCHSECONDS + 9) * 1000000)); trap - EXIT'
  [[ ${lines[0]} == 'one TERM' && ${lines[1]} == *'10-one.sh failed with code 3'* && ${lines[2]} == two ]]
}

@test "shutdown_steps: one that hangs is broken off" {
  echo 'sleep 99' >"$SCRIPTS/shutdown.d/10-hang.sh"
  run -0 with_entrypoint "$prelude"'STOP_SIGNAL=TERM; TIMEOUT=1; shutdown_steps $(((EPOCHSECONDS + 1) * 1000000))'
  [[ $output == *'10-hang.sh was not done within TIMEOUT=1 s'* ]]
}

@test "shutdown_stop_child: asks the mode; its failure stops nothing" {
  run -0 with_entrypoint 'mode_m_stop() { echo "$1"; return 1; }; SHUTDOWN_MODE=m STOP_SIGNAL=INT; shutdown_stop_child'
  [ "$output" = INT ]
}

@test "shutdown_judge: a death we asked for is success" {
  run -0 with_entrypoint 'for c in 0 1 130 131 137 143; do shutdown_judge $c; echo -n "$SHUTDOWN_STATUS "; done'
  [ "$output" = '0 1 0 0 137 0 ' ]
}

@test "shutdown_after: a mode cares for what its process left, within the time; without a word about it nothing happens" {
  run -0 with_entrypoint 'shutdown_after m 5; mode_m_after() { echo "after $1"; return 1; }; shutdown_after m 5; echo on'
  [ "$output" = $'after 5\non' ]
}

@test "shutdown_run, startup_supervise: that is cared for after a stop and after an end of its own, and the code stays" {
  run -0 with_entrypoint "$prelude"'mode_m_after() { echo "after, $1 s"; }; startup_child sleep 99; STOP_SIGNAL=TERM; shutdown_run m; echo "code $SHUTDOWN_STATUS"'
  [[ $output =~ 'stop TERM'.*'after, '[0-9]+.[0-9]{6}' s'.*'code 0' ]]
  run -9 with_entrypoint 'mode_m_after() { echo "after, $1 s"; startup_spawn true; startup_wait "$SPAWNED_PID"; }; startup_child bash -c "exit 9"; startup_supervise m'
  [[ $output == 'after, '*' s'*'code 9'* ]]
}

@test "shutdown_run: phase, stop, code" {
  run -0 with_entrypoint "$prelude"'startup_child sleep 99; STOP_SIGNAL=TERM; shutdown_run m; echo "code $SHUTDOWN_STATUS"'
  [[ $output == 'stop TERM'*'code 0' ]]
  [ "$(<"$STATE_FOLDERS/phase")" = stopping ]
}

@test "shutdown_run: by force when time is over, saying so; more signals change nothing" {
  run -0 with_entrypoint "$prelude"'deaf() { trap : TERM INT; : >"$STATE_DIR/deaf"; while :; do sleep 0.1; done; }
    startup_child deaf; until [[ -e $STATE_DIR/deaf ]]; do sleep 0.02; done; STOP_SIGNAL=TERM TIMEOUT=1
    (sleep 0.2; kill -TERM $$; kill -INT $$) & shutdown_run m; echo "code $SHUTDOWN_STATUS"'
  [[ $output == *'did not stop within TIMEOUT=1 s and is killed'*'code 137' ]]
  [ "$(grep -c '^stop' <<<"$output")" = 1 ]
}

@test "startup_supervise, shutdown_run: end with the right code whenever more signals come" {
  echo 'sleep 0.12' >"$SCRIPTS/shutdown.d/10-step.sh"
  local round
  for round in {1..15}; do
    # Where it hangs, it ends after a minute all the same.
    run -137 with_entrypoint "$prelude"'mode_m_stop() { kill -KILL "$CHILD_PID"; }; TIMEOUT=30; startup_child sleep 99
      (sleep 60; kill -KILL $$) >/dev/null 2>&1 3>&- & late=$!
      (for i in {1..4}; do sleep "0.0$((RANDOM % 6))1"; kill -TERM $$; done) >/dev/null 2>&1 3>&- &
      trap "kill $late" EXIT
      startup_supervise m'
    [[ $output == *'stopped with code 137'* && $output != *'not done within'* ]]
  done
}
