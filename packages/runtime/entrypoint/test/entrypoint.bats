#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  printf 'var|LOG_LEVEL|enum|info||debug,info,warn,error\nvar|TIMEOUT|integer|30||1..3600\nvar|SLEEP_MODE|boolean|false||\nvar|THE_PASSWORD|string||secret|\nprefix|LOG_\n' \
    >"$CONTRACTS/entrypoint.contract"
  cat >"$SCRIPTS/runtime/modes/demo.sh" <<'M'
mode_demo_rank() { REPLY=50; }
mode_demo_args() { [[ ${1-} == -* ]] || return 1; ENTRYPOINT_ARGS=(demo "$@"); }
mode_demo_wants() { [[ ${1-} == demo ]]; }
mode_demo_needs_init() { return 0; }
mode_demo_start() { echo "start $* ${THE_PASSWORD-no password}"; startup_child sleep 99; phase_set running; }
mode_demo_stop() { kill -TERM "$CHILD_PID"; }
M
}

# Adds an init script; needs its file name, its text comes from stdin.
init_script() { cat >"$SCRIPTS/init/$1"; }

@test "entrypoint_load_modes: by rank, equal ones by name" {
  sed 's/demo/early/; s/=50/=50/' "$SCRIPTS/runtime/modes/demo.sh" | sed 's/mode_demo/mode_early/' >"$SCRIPTS/runtime/modes/early.sh"
  run -0 with_entrypoint 'entrypoint_load_modes; echo "${ENTRYPOINT_MODES[*]}"'
  [ "$output" = 'sleep demo early' ]
}

@test "entrypoint_load_modes: no modes at all is no failure" {
  rm "$SCRIPTS"/runtime/modes/*
  run -0 with_entrypoint 'entrypoint_load_modes; entrypoint_complete_args a; entrypoint_pick_mode; echo "${#ENTRYPOINT_MODES[@]}$ENTRYPOINT_MODE"'
  [ "$output" = 0 ]
}

@test "entrypoint_complete_args: options get their server, the rest stays" {
  run -0 with_entrypoint 'entrypoint_load_modes; entrypoint_complete_args -c "a b"; printf "<%s>" "${ENTRYPOINT_ARGS[@]}"
    entrypoint_complete_args bash -c; printf "<%s>" "${ENTRYPOINT_ARGS[@]}"'
  [ "$output" = '<demo><-c><a b><bash><-c>' ]
}

@test "entrypoint_pick_mode: the first that wants, or none" {
  run -0 with_entrypoint 'entrypoint_load_modes; ENTRYPOINT_ARGS=(demo); entrypoint_pick_mode; echo "$ENTRYPOINT_MODE"
    SLEEP_MODE=true; entrypoint_pick_mode; echo "$ENTRYPOINT_MODE"; SLEEP_MODE=false ENTRYPOINT_ARGS=(); entrypoint_pick_mode; echo "<$ENTRYPOINT_MODE>"'
  [ "$output" = $'demo\nsleep\n<>' ]
}

@test "entrypoint_exec: runs it as it is; 127, 126 and 2 as they should be" {
  run -5 with_entrypoint 'entrypoint_exec bash -c "echo \"\$1\"; exit 5" x "a \$(b)"'
  [ "$output" = 'a $(b)' ]
  run -127 with_entrypoint 'entrypoint_exec nonesuch'
  [[ $output == *"'nonesuch' is not in the image"* ]]
  run -127 with_entrypoint 'entrypoint_exec --version'
  run -127 with_entrypoint 'entrypoint_exec /none/such'
  run -126 with_entrypoint 'entrypoint_exec /etc/passwd'
  run -126 with_entrypoint 'entrypoint_exec /etc'
  run -2 with_entrypoint 'entrypoint_exec'
}

@test "entrypoint_drop_traps: none is left; a stop that came before counts" {
  run -0 with_entrypoint 'startup_traps; entrypoint_drop_traps; trap -p TERM EXIT ERR URG'
  [ -z "$output" ]
  run -143 with_entrypoint 'STOP_SIGNAL=TERM; entrypoint_drop_traps; echo no'
}

@test "entrypoint_step_function: from the file's name" {
  run -0 with_entrypoint 'entrypoint_step_function /x/04-some-name.sh; echo "$REPLY"'
  [ "$output" = init_some_name ]
}

@test "entrypoint_run_init: in order, by pattern, with the command; an earlier one may use a later one" {
  init_script 02-b.sh <<<'init_b() { echo "b $LOG_NAME $*"; }'
  init_script 01-a.sh <<<'init_a() { echo a; init_b early; }'
  run -0 with_entrypoint 'entrypoint_run_init "*" x "y z"; echo "$LOG_NAME"'
  [ "$output" = $'a\nb 01-a early\nb 02-b x y z\nentrypoint' ]
  run -0 with_entrypoint 'entrypoint_run_init "02-*"'
  [ "$output" = 'b 02-b ' ]
}

@test "entrypoint_run_init: stops between scripts if asked to" {
  init_script 01-a.sh <<<'init_a() { STOP_SIGNAL=TERM; }'
  init_script 02-b.sh <<<'init_b() { echo no; }'
  run -143 with_entrypoint 'entrypoint_run_init "*"'
  [[ $output != *no$'\n'* ]]
}

@test "entrypoint_leave_root: only 01 runs, then the same command as another user" {
  init_script 01-a.sh <<<'init_a() { echo a; }'
  init_script 02-b.sh <<<'init_b() { echo no; }'
  stub setpriv <<<'printf "<%s>" "${@:5}"'
  run -0 with_entrypoint 'security_capable() { return 0; }; entrypoint_load_modes; ENTRYPOINT_MODE=demo ENTRYPOINT_ARGS=(demo "a b"); entrypoint_leave_root'
  [[ $output == $'a\n<'*"entrypoint.sh><demo><a b>" ]]
}

@test "entrypoint_prepare_state: a phase, or what to do" {
  run -0 with_entrypoint 'entrypoint_prepare_state; phase_get; echo "$REPLY"'
  [ "$output" = starting ]
  STATE_FOLDERS=/proc/none run -3 with_entrypoint 'entrypoint_prepare_state'
  [[ $output == *'--tmpfs'* ]]
}

@test "entrypoint_alone: one script with the environment checked" {
  init_script 01-a.sh <<<'init_a() { echo no; }'
  init_script 02-b.sh <<<'init_b() { echo "b $TIMEOUT $*"; }'
  run -0 with_entrypoint 'entrypoint_alone /x/02-b.sh "c d"'
  [ "$output" = 'b 30 c d' ]
  TIMEOUT=x run -2 with_entrypoint 'entrypoint_alone /x/02-b.sh'
}

@test "main: init, start without secrets, stop with code 0" {
  init_script 01-a.sh <<<'init_a() { echo "init $THE_PASSWORD $*"; phase_get; echo "$REPLY"; }'
  THE_PASSWORD=s3 in_background "$CONTAINER/entrypoint.sh" -c 'x y'
  eventually grep -qs running "$STATE_FOLDERS/phase"
  kill -TERM "$PID"
  wait "$PID"
  run -0 cat "$BATS_TEST_TMPDIR/out"
  [[ $output == *$'init s3 demo -c x y\ninitialising\nstart demo -c x y no password\n'*'received SIGTERM'*'stopped with code 0' ]]
}

@test "main: every fault of the environment at once, code 2" {
  TIMEOUT=x SLEEP_MODE=maybe run -2 as_user "$CONTAINER/entrypoint.sh" demo
  [[ $output == *TIMEOUT* && $output == *SLEEP_MODE* ]]
}

@test "main: a command of no mode runs without init, faults are warnings then" {
  init_script 01-a.sh <<<'init_a() { echo no; }'
  TIMEOUT=x run -0 as_user "$CONTAINER/entrypoint.sh" echo hello
  [[ $output == *WARN*TIMEOUT*hello ]]
}

@test "main: sleep mode skips init, says paused" {
  init_script 01-a.sh <<<'init_a() { exit 9; }'
  SLEEP_MODE=1 in_background "$CONTAINER/entrypoint.sh" demo
  eventually grep -qs paused "$STATE_FOLDERS/phase"
  kill -INT "$PID"
  kill -TERM "$PID"
  wait "$PID"
}

@test "main: a failing init script ends the container with its code, after the hooks" {
  init_script 01-a.sh <<<'init_a() { hook() { echo hook; }; ABORT_HOOKS+=(hook); die 4 missing; }'
  run -4 as_user "$CONTAINER/entrypoint.sh" demo
  [[ $output == *missing*hook ]]
}
