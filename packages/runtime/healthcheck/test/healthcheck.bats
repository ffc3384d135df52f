#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load ../../entrypoint/test/helper

setup() {
  merge_image entrypoint healthcheck
  rm -f "$SCRIPTS"/healthcheck.d/*
  check=$SCRIPTS/runtime/healthcheck.sh
}

# Adds a probe; needs its name, which may begin with that of a question's folder; its text comes from stdin.
probe() {
  mkdir -p "$SCRIPTS/healthcheck.d/$(dirname "$1")"
  cat >"$SCRIPTS/healthcheck.d/$1.sh"
}

# Sets the phase, and perhaps what it waits for.
phase() { printf '%s\n' "$@" >"$STATE_FOLDERS/phase"; }

# Asks a question with more time than there is; needs the arguments.
ask() { as_user bash -c 'source "$1"; HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 60000000)); main "${@:2}"' x "$check" "$@"; }

# Runs code with the functions of the script at hand.
with_check() { as_user bash -c 'source "$1"; STATE_DIR=$STATE_FOLDERS; '"$1" x "$check"; }

@test "health_of_phase: only running asks, only paused is healthy without" {
  run -0 with_check 'for p in starting initialising restoring running paused stopping unknown "x y"; do health_of_phase "$p"; echo -n "$REPLY "; done'
  [ "$output" = 'unhealthy unhealthy unhealthy probe healthy unhealthy unhealthy unhealthy ' ]
}

@test "health_of_phase: where no entrypoint ever wrote a phase, the probes decide" {
  run -0 with_check 'STATE_DIR=""; for p in unknown starting; do health_of_phase "$p"; echo -n "$REPLY "; done'
  [ "$output" = 'probe unhealthy ' ]
}

@test "health_of_phase: whatever takes its time is alive; no other question is answered before the server runs" {
  local phases='for p in starting initialising restoring running paused stopping unknown; do health_of_phase "$p"; echo -n "$REPLY "; done'
  run -0 with_check "HEALTH_QUESTION=live; $phases"
  [ "$output" = 'healthy healthy healthy probe healthy healthy unhealthy ' ]
  run -0 with_check "HEALTH_QUESTION=ready; $phases"
  [ "$output" = 'unhealthy unhealthy unhealthy probe unhealthy unhealthy unhealthy ' ]
  run -0 with_check "HEALTH_QUESTION=primary; $phases"
  [ "$output" = 'unhealthy unhealthy unhealthy probe unhealthy unhealthy unhealthy ' ]
}

@test "health_phase_text: a sentence for each" {
  run -0 with_check 'for p in starting initialising restoring running paused stopping unknown; do health_phase_text "$p"; echo "$REPLY"; done'
  [ "${#lines[@]}" = 7 ]
  [[ ${lines[4]} == *SLEEP_MODE* ]]
}

@test "health_source: a probe runs as the program it is, from its own file" {
  probe a <<<'set -Eeuo pipefail; main() { echo "main $0 $*"; false; echo not; }; if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi'
  run -1 with_check '(health_source "$HEALTH_SCRIPTS/healthcheck.d/a.sh")'
  [ "$output" = "main $SCRIPTS/runtime/../healthcheck.d/a.sh $STATE_FOLDERS" ]
  probe b <<<'echo "${unset_name}on"; false; echo "options $-"'
  run -0 with_check 'health_source "$HEALTH_SCRIPTS/healthcheck.d/b.sh"'
  [[ ${lines[0]} == on && ${lines[1]} == 'options '* && ${lines[1]#options } != *[eu]* ]]
}

@test "health_start_probes, health_collect: all at once, words and code of each" {
  # Each waits for the other: one after the other, neither would end within its limit.
  local meet=$BATS_TEST_TMPDIR/meet
  mkdir -m 777 "$meet"
  probe a <<<": >'$meet/a'; until [[ -e '$meet/b' ]]; do sleep 0.02; done; echo first; echo last; exit 0"
  probe b <<<": >'$meet/b'; until [[ -e '$meet/a' ]]; do sleep 0.02; done; exit 7"
  run -0 with_check 'HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 60000000)); health_start_probes; echo "${HEALTH_NAMES[*]}"
    for i in 0 1; do health_collect "${HEALTH_PIDS[i]}" "${HEALTH_FDS[i]}"; echo "$HEALTH_CODE $REPLY"; done'
  [ "$output" = $'a b\n0 last\n7 no words, code 7' ]
}

@test "health_collect: what ends in any way has its code, what is broken says why" {
  probe a <<<'set -e; f() { local x; echo words; return 10; }; f'
  probe b <<<'echo "$('
  probe c <<<'set -u; echo "$nothing"'
  probe d <<<'trap "echo bye" EXIT; exit 3'
  run -0 with_check 'HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 60000000)); health_start_probes
    for i in 0 1 2 3; do health_collect "${HEALTH_PIDS[i]}" "${HEALTH_FDS[i]}"; echo "$HEALTH_CODE $REPLY"; done'
  [ "${lines[0]}" = '10 words' ]
  [[ ${lines[1]} =~ ^[1-9][0-9]*\ .*b\.sh ]]
  [[ ${lines[2]} =~ ^[1-9][0-9]*\ .*nothing ]]
  [ "${lines[3]}" = '3 bye' ]
}

@test "health_run, health_collect: the code is the probe's own each time, also where somebody kills it" {
  local i
  for i in a b c d; do probe "$i" <<<'echo fine'; done
  probe e <<<'echo warned; exit 10'
  # Where several run at once, bash loses the code of one process substitution in some hundred.
  run -0 with_check 'rounds() { for i in {1..60}; do
      HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 60000000)); health_probe_all; health_join "${HEALTH_REASONS[@]}"
      [[ "$HEALTH_STATUS $REPLY" == "healthy e: warning: warned; a: fine; b: fine; c: fine; d: fine" ]] || echo "$i $HEALTH_STATUS $REPLY"
    done; }; for i in 1 2 3 4; do rounds & done; wait'
  [ -z "$output" ]
  probe e <<<'echo half; read -r _ _ _ parent _ </proc/$BASHPID/stat; kill -KILL "$parent"'
  run -0 with_check 'health_probe_all; health_join "${HEALTH_REASONS[@]}"; echo "$HEALTH_STATUS $REPLY"'
  [[ $output == 'unhealthy e: half; '* ]]
}

@test "health_collect, health_kill: what does not answer is killed with all that it started" {
  probe a <<<"(sleep 300 & echo \$! >'$BATS_TEST_TMPDIR/pid'; wait); echo never"
  run -0 with_check 'HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 1000000)); health_start_probes
    until [[ -s $STATE_DIR/../pid ]]; do sleep 0.02; done; health_collect "${HEALTH_PIDS[0]}" "${HEALTH_FDS[0]}"; echo "$HEALTH_CODE $REPLY"'
  [ "$output" = '137 no answer within 800 ms: it hangs, or the machine is overloaded' ]
  gone() { [[ ! -e /proc/$(<"$BATS_TEST_TMPDIR/pid")/exe ]]; }
  eventually gone
}

@test "health_kill: a process that is gone is no failure" {
  run -0 with_check 'health_kill 99999999'
  [ -z "$output" ]
}

@test "health_collect: who left somebody behind that holds the line keeps its code" {
  probe a <<<'setsid sleep 20 & echo words; exit 3'
  run -0 with_check 'HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 10000000)); health_start_probes
    health_collect "${HEALTH_PIDS[0]}" "${HEALTH_FDS[0]}"; echo "$HEALTH_CODE $REPLY"' 3>&-
  [ "$output" = '3 words' ]
}

@test "health_probe_all: one that is not well decides, and stands first, then what warns" {
  probe a <<<'echo fine'
  probe b <<<'echo broken; exit 1'
  probe c <<<'echo nearly full; exit 10'
  probe d <<<'exit 7'
  run -0 with_check 'HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 60000000)); health_probe_all; echo "$HEALTH_STATUS"; health_join "${HEALTH_REASONS[@]}"; echo "$REPLY"'
  [ "$output" = $'unhealthy\nb: broken; d: no words, code 7; c: warning: nearly full; a: fine' ]
}

@test "health_probe_all: a probe that is well and says nothing is not listed; all of them quiet is well" {
  probe a <<<'echo fine'
  probe b <<<'exit 0'
  run -0 with_check 'health_probe_all; health_join "${HEALTH_REASONS[@]}"; echo "$HEALTH_STATUS ${#HEALTH_PROBES[@]} $REPLY"'
  [ "$output" = 'healthy 1 a: fine' ]
  rm "$SCRIPTS/healthcheck.d/a.sh"
  phase running
  run -0 as_user "$BASH" "$check"
  [ "$output" = 'healthy: the container is running' ]
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
}

@test "main: where no phase was ever written the probes decide, and without any it is not well" {
  run -1 as_user "$BASH" "$check"
  [[ $output == 'unhealthy: the phase of the container is unknown'* ]]
  probe a <<<'echo "fine <$1>"'
  run -0 as_user "$BASH" "$check"
  [ "$output" = 'healthy: a: fine <>' ]
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
  probe a <<<'sleep 300'
  probe b <<<'setsid sleep 20 & exit 0'
  local began=${EPOCHREALTIME/[.,]/}
  run -1 as_user "$BASH" "$check" 3>&-
  # On a machine at rest it takes 0.81 s; the image's tests look at that.
  ((${EPOCHREALTIME/[.,]/} - began < 15000000))
  [[ $output == *'a: no answer within 800 ms'* ]]
}

@test "main: what a phase waits for is said, as text and as JSON" {
  phase initialising 'waits for the store: no "server" of etcd3'
  run -1 as_user "$BASH" "$check"
  [ "$output" = 'unhealthy: the container is initialising: waits for the store: no "server" of etcd3' ]
  run -0 as_user "$BASH" "$check" live
  [ "$output" = 'healthy: the container is initialising: waits for the store: no "server" of etcd3' ]
  run -1 as_user "$BASH" "$check" --json
  node -e 'const o = JSON.parse(process.argv[1]); if (o.phase !== "initialising" || !o.message.endsWith("no \"server\" of etcd3")) process.exit(1)' "$output"
}

@test "main: live is answered in every image and in every phase, without the probes of others" {
  local phase
  probe a <<<'exit 1'
  for phase in starting initialising restoring running paused stopping; do
    phase "$phase"
    run -0 ask live
    [[ $output == 'healthy: '* ]]
  done
  phase ''
  run -1 ask live
}

@test "main: live is answered by the probes of its folder, once the server runs" {
  probe a <<<'echo no; exit 1'
  probe live/b <<<'echo "alive <$1>"'
  phase running
  run -0 ask live
  [ "$output" = "healthy: b: alive <$STATE_FOLDERS>" ]
  probe live/b <<<'echo stuck; exit 1'
  run -1 ask live
  [ "$output" = 'unhealthy: b: stuck' ]
  phase initialising
  run -0 ask live
}

@test "main: ready is answered by all probes, or by those of its folder" {
  probe a <<<'echo broken; exit 1'
  phase running
  run -1 ask ready
  [ "$output" = 'unhealthy: a: broken' ]
  probe ready/b <<<'echo fine'
  run -0 ask ready
  [ "$output" = 'healthy: b: fine' ]
  phase initialising
  run -1 ask ready
  phase paused
  run -1 ask ready
}

@test "main: a question that a fragment answers; its probes are not asked otherwise" {
  probe a <<<'echo all'
  probe primary/b <<<'echo leads; exit 10'
  phase running
  run -0 ask primary
  [ "$output" = 'healthy: b: warning: leads' ]
  run -0 ask
  [ "$output" = 'healthy: a: all' ]
}

@test "main: a question as JSON, in either order" {
  probe primary/b <<<'echo "no \"leader\""; exit 1'
  phase running
  local order
  for order in '--json primary' 'primary --json'; do
    # shellcheck disable=SC2086 # two words
    run -1 ask $order
    node -e 'const o = JSON.parse(process.argv[1]); if (o.status !== "unhealthy" || o.probes.length !== 1 || o.probes[0].message !== "no \"leader\"") process.exit(1)' "$output"
  done
  phase initialising
  run -0 ask --json live
  node -e 'const o = JSON.parse(process.argv[1]); if (o.status !== "healthy" || o.probes.length !== 0) process.exit(1)' "$output"
}

@test "main: what it does not know is refused, with what it knows" {
  local word
  probe primary/b <<<'exit 0'
  probe replica/b <<<'exit 0'
  touch "$SCRIPTS/healthcheck.d/file"
  phase running
  for word in '--xml $(x)' standby file ../healthcheck.d primary/ . Live ''; do
    run -2 ask "$word"
    [[ $output == 'usage: healthcheck.sh [--json] [live | ready | primary | replica]; found '* ]]
  done
  run -2 ask live ready
  run -2 ask live live
  rm -r "$SCRIPTS"/healthcheck.d/*
  run -2 ask standby
  [ "$output" = 'usage: healthcheck.sh [--json] [live | ready]; found standby' ]
}
