#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load ../../entrypoint/test/helper

setup() {
  merge_image entrypoint healthcheck
  rm -f "$SCRIPTS"/healthcheck.d/*
  check=$SCRIPTS/runtime/healthcheck.sh
}

# Adds a probe; needs its name, its text comes from stdin.
probe() { cat >"$SCRIPTS/healthcheck.d/$1.sh"; }

# Sets the phase.
phase() { echo "$1" >"$STATE_FOLDERS/phase"; }

# Runs code with the functions of the script at hand.
with_check() { as_user bash -c 'source "$1"; STATE_DIR=$STATE_FOLDERS; '"$1" x "$check"; }

@test "health_of_phase: only running asks, only paused is healthy without" {
  run -0 with_check 'for p in starting initialising restoring running paused stopping unknown "x y"; do health_of_phase "$p"; echo -n "$REPLY "; done'
  [ "$output" = 'unhealthy unhealthy unhealthy probe healthy unhealthy unhealthy unhealthy ' ]
}

@test "health_phase_text: a sentence for each" {
  run -0 with_check 'for p in starting initialising restoring running paused stopping unknown; do health_phase_text "$p"; echo "$REPLY"; done'
  [ "${#lines[@]}" = 7 ]
  [[ ${lines[4]} == *SLEEP_MODE* ]]
}

@test "health_run_probe: words and code; gets the state folder" {
  probe a <<<'echo "words $1"; exit 3'
  run -0 with_check 'health_run_probe "$HEALTH_SCRIPTS/healthcheck.d/a.sh"'
  [[ $output == "words $STATE_FOLDERS"*$'\n3' ]]
}

@test "health_start_probes, health_collect: all at once, words and code of each" {
  # Each waits for the other: one after the other, neither would end within its limit.
  local meet=$BATS_TEST_TMPDIR/meet
  mkdir -m 777 "$meet"
  probe a <<<": >'$meet/a'; until [[ -e '$meet/b' ]]; do sleep 0.02; done; echo first; echo last; exit 0"
  probe b <<<": >'$meet/b'; until [[ -e '$meet/a' ]]; do sleep 0.02; done; exit 7"
  run -0 with_check 'HEALTH_LIMIT=5; HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 5000000)); health_start_probes; echo "${HEALTH_NAMES[*]}"
    for fd in "${HEALTH_FDS[@]}"; do health_collect $fd; echo "$HEALTH_CODE $REPLY"; done'
  [ "$output" = $'a b\n0 last\n7 no words, code 7' ]
}

@test "health_probe_all: one that is not well decides, and stands first" {
  probe a <<<'echo fine'
  probe b <<<'echo broken; exit 1'
  probe c <<<'echo nearly full; exit 10'
  run -0 with_check 'health_probe_all; echo "$HEALTH_STATUS"; health_join "${HEALTH_REASONS[@]}"; echo "$REPLY"'
  [ "$output" = $'unhealthy\nb: broken; a: fine; c: warning: nearly full' ]
}

@test "health_probe_json: JSON whatever the words" {
  run -0 with_check 'health_probe_json a true 10 $'"'"'q"\\ \n$(x)'"'"'; printf "%s" "$REPLY"'
  node -e 'const o = JSON.parse(process.argv[1]); if (!o.ok || !o.warning || o.message !== "q\"\\ \n$(x)") process.exit(1)' "$output"
}

@test "health_print: text on one line, JSON as one object" {
  run -0 with_check 'HEALTH_PROBES=(); health_print healthy running $'"'"'a\nb'"'"
  [ "$output" = 'healthy: a\nb' ]
  run -0 with_check 'HEALTH_PROBES=("{}" "{}") HEALTH_JSON=yes; health_print healthy running x'
  [ "$output" = '{"status":"healthy","phase":"running","message":"x","probes":[{},{}]}' ]
}

@test "health_join: reasons in one sentence" {
  run -0 with_check 'health_join a "b c"; echo "$REPLY"; health_join; echo "<$REPLY>"'
  [ "$output" = $'a; b c\n<>' ]
}

@test "main: never healthy before the server runs, nor after" {
  probe a <<<'exit 0'
  local phase
  for phase in starting initialising restoring stopping nonsense ''; do
    phase "$phase"
    run -1 as_user "$BASH" "$check"
    [[ $output == unhealthy:* ]]
  done
  rm "$STATE_FOLDERS/phase"
  run -1 as_user "$BASH" "$check"
}

@test "main: paused is healthy and says so" {
  phase paused
  run -0 as_user "$BASH" "$check"
  [[ $output == 'healthy: paused'* ]]
}

@test "main: running without probes is healthy; with them they decide" {
  phase running
  run -0 as_user "$BASH" "$check"
  probe a <<<'echo broken; exit 1'
  run -1 as_user "$BASH" "$check" --json
  node -e 'const o = JSON.parse(process.argv[1]); if (o.status !== "unhealthy" || o.probes[0].ok || o.phase !== "running") process.exit(1)' "$output"
}

@test "main: a probe that hangs, and one whose helper holds the line, are not waited for" {
  phase running
  probe a <<<'sleep 9'
  probe b <<<'setsid sleep 9 & exit 0'
  local began=${EPOCHREALTIME/[.,]/}
  run -1 as_user "$BASH" "$check"
  ((${EPOCHREALTIME/[.,]/} - began < 4000000))
  [[ $output == *'a: no answer within 0.8 s'* ]]
}

@test "main: an argument it does not know is refused" {
  run -2 as_user "$BASH" "$check" '--xml $(x)'
}
