#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { merge_image entrypoint; }

@test "startup_traps: installs all of them" {
  run -0 with_entrypoint 'startup_traps; trap -p TERM INT QUIT HUP EXIT ERR URG; trap - EXIT'
  [ "$(grep -c startup_on_ <<<"$output")" = 6 ]
  [[ $output == *SIGURG* ]]
}

@test "startup_on_signal: the first counts, QUIT escalates, REPLY is left alone" {
  run -0 with_entrypoint 'REPLY=mine
    startup_on_signal TERM; startup_on_signal INT; echo "$STOP_SIGNAL"; startup_on_signal QUIT; startup_on_signal TERM
    echo "$STOP_SIGNAL $INTERRUPTED $REPLY"'
  [ "$(grep -v ' INFO ' <<<"$output")" = $'TERM\nQUIT TERM mine' ]
}

@test "startup_on_hangup, startup_child_hears: reaches a child that takes it, one that came early waits, the hook runs first" {
  # Before it is sleep, the child is still a shell with traps of its own.
  local ready='until [[ $(</proc/$CHILD_PID/comm) == sleep ]]; do sleep 0.01; done; '
  run -0 with_entrypoint 'hook() { echo hook; }; HANGUP_HOOK=hook; startup_on_hangup; startup_child sleep 99; startup_on_hangup
    '"$ready"'kill -0 "$CHILD_PID"; echo "waits $HANGUP_WAITS"; startup_child_hears; startup_wait "$CHILD_PID"; echo "$WAIT_STATUS"'
  # In between, bash may add a line of its own about the child.
  [[ $output == $'waits yes\nhook\n'*129 ]]
  run -0 with_entrypoint 'startup_child sleep 99; '"$ready"'startup_child_hears; kill -0 "$CHILD_PID"; startup_on_hangup
    startup_wait "$CHILD_PID"; echo "$WAIT_STATUS"'
  [[ $output == *129 ]]
}

@test "startup_on_hangup: a hook that gives 1 keeps the child from being told" {
  run -0 with_entrypoint 'hook() { echo hook; return 1; }; HANGUP_HOOK=hook; startup_child sleep 99
    until [[ $(</proc/$CHILD_PID/comm) == sleep ]]; do sleep 0.01; done; startup_child_hears; startup_on_hangup
    kill -0 "$CHILD_PID" && echo alive; kill -KILL "$CHILD_PID"'
  [[ $output == $'hook\nalive'* ]]
}

@test "startup_on_error: names file, line and command, not what it expands to" {
  run -9 with_entrypoint 'startup_traps; secret=hunter2; f() { bash -c "exit 9" "$secret"; }; f'
  [[ $output == *'unexpected failure with code 9 at '*'bash -c "exit 9" "$secret"'* && $output != *hunter2* ]]
}

@test "startup_abort_hooks, startup_on_exit: last first, each once, also after an error" {
  run -7 with_entrypoint 'startup_traps; a() { echo a; false; }; b() { echo b; }; ABORT_HOOKS=(a b); exit 7'
  [ "$output" = $'b\na' ]
}

@test "startup_spawn: a group of its own, INT not ignored, arguments as they are" {
  run -0 with_entrypoint 'startup_spawn bash -c "kill -INT \$\$; echo no"; wait "$SPAWNED_PID" || echo "$?"
    startup_spawn printf "<%s>" "a b" "-n" "\$(x)"; wait "$SPAWNED_PID"'
  [ "$output" = $'130\n<a b><-n><$(x)>' ]
}

@test "startup_spawn: a stop in the very moment of the start leaves the number right" {
  run -0 with_entrypoint 'startup_traps; child() { kill -TERM $$; echo "$BASHPID" >"$STATE_DIR/pid"; exec sleep 99; }
    for i in {1..40}; do
      STOP_SIGNAL=""
      rm -f "$STATE_DIR/pid"
      startup_spawn child
      until [[ -s $STATE_DIR/pid ]]; do sleep 0.005; done
      # Not by "$(": see startup_traps.
      read -r pid <"$STATE_DIR/pid"
      startup_kill_group KILL "$pid"
      [[ $pid == "$SPAWNED_PID" && -n $STOP_SIGNAL ]]
    done'
}

@test "startup_wake: wakes a wait, but not while a process is started: then afterwards" {
  run -0 with_entrypoint 'startup_traps; SPAWNING=yes startup_wake; echo "owed $WAKE_OWED ${!:-none}"; INTERRUPTED=""
    startup_spawn sleep 60; echo "owed <$WAKE_OWED>"; wait "$SPAWNED_PID" || :; echo "$INTERRUPTED"; kill "$SPAWNED_PID"'
  [[ $output == *'owed yes none'*'owed <>'*URG* ]]
}

@test "startup_child: remembers the process" {
  run -0 with_entrypoint 'startup_child true; [[ $CHILD_PID == "$SPAWNED_PID" ]]'
}

@test "startup_wait: the status, also when HUP comes in between" {
  run -0 with_entrypoint 'startup_traps; startup_spawn bash -c "sleep 0.3; exit 5"; pid=$SPAWNED_PID
    (sleep 0.1; kill -HUP $$) & startup_wait "$pid"; echo "$WAIT_STATUS"'
  [ "$output" = 5 ]
}

@test "startup_wait: gives 1 when a stop is asked for, at once" {
  run -0 with_entrypoint 'startup_traps; startup_spawn sleep 9; pid=$SPAWNED_PID; (sleep 0.1; kill -TERM $$) &
    startup_wait "$pid" || echo "stop $STOP_SIGNAL"; kill "$pid"'
  [[ $output == *'stop TERM' ]]
}

@test "startup_wait_until: the status in time" {
  run -0 with_entrypoint 'startup_spawn bash -c "exit 6"; sleep 0.1; startup_wait_until "$SPAWNED_PID" 9; echo "$WAIT_STATUS"
    startup_spawn bash -c "sleep 0.1; exit 4"; startup_wait_until "$SPAWNED_PID" 9; echo "$WAIT_STATUS"'
  [ "$output" = $'6\n4' ]
}

@test "startup_wait_until: gives 1 when time is over, whatever signals come" {
  run -0 with_entrypoint 'startup_traps; startup_spawn sleep 9; pid=$SPAWNED_PID; (sleep 0.1; kill -TERM $$; kill -INT $$) &
    startup_wait_until "$pid" 1 || echo late; kill "$pid"'
  [[ $output == *late ]]
}

@test "startup_reap: the status of what has ended, whatever signals come" {
  run -0 with_entrypoint 'startup_traps; startup_spawn bash -c "exit 8"; pid=$SPAWNED_PID; sleep 0.1; kill -HUP $$; startup_reap "$pid"; echo "$WAIT_STATUS"'
  [ "$output" = 8 ]
}

@test "startup_wait: a stop in the moment before it waits is not lost" {
  run -0 with_entrypoint 'startup_traps; startup_spawn sleep 60; pid=$SPAWNED_PID
    wait() { unset -f wait; kill -TERM $$; builtin wait "$@"; }; SECONDS=0; startup_wait "$pid" || ((SECONDS < 50)); kill "$pid"'
}

@test "startup_wait_until: QUIT escalates" {
  run -0 with_entrypoint 'startup_traps; startup_spawn sleep 90; pid=$SPAWNED_PID; up() { kill -KILL "$pid"; }; STARTUP_ESCALATE=up STOP_SIGNAL=TERM
    (sleep 0.1; kill -QUIT $$) & startup_wait_until "$pid" 60; echo "$WAIT_STATUS"'
  [[ $output == *137 ]]
}

@test "startup_kill_group: reaches grandchildren; nobody there is no failure" {
  run -0 with_entrypoint 'startup_spawn bash -c "sleep 99 & echo \$! >\"\$1\"; wait" x "$STATE_DIR/pid"; pid=$SPAWNED_PID
    until [[ -s $STATE_DIR/pid ]]; do sleep 0.02; done
    startup_kill_group TERM "$pid"; wait "$pid" || :
    while kill -0 "$(<"$STATE_DIR/pid")" 2>/dev/null; do sleep 0.02; done
    startup_kill_group TERM "$pid"'
}

@test "startup_signal_code: as a shell" {
  run -0 with_entrypoint 'for s in HUP INT QUIT KILL TERM; do startup_signal_code $s; echo -n "$REPLY "; done'
  [ "$output" = '129 130 131 137 143 ' ]
}

@test "startup_checkpoint: passes, or ends with the code of the signal" {
  run -0 with_entrypoint 'startup_checkpoint'
  run -130 with_entrypoint 'STOP_SIGNAL=INT; startup_checkpoint'
  [ "$(<"$STATE_FOLDERS/phase")" = stopping ]
}

@test "startup_run: status of commands and functions, stdin as given" {
  run -0 with_entrypoint 'f() { cat; return 3; }; startup_run f <<<"text"; echo "$RUN_STATUS"; startup_run true; echo "$RUN_STATUS"'
  [ "$output" = $'text\n3\n0' ]
}

@test "startup_run: errexit holds in a function" {
  run -0 with_entrypoint 'f() { false; echo no; }; startup_run f; echo "$RUN_STATUS"'
  [ "$output" = 1 ]
}

@test "startup_run: a stop ends the command, runs the hooks, then ends" {
  run -143 with_entrypoint 'startup_traps; hook() { echo hook; }; ABORT_HOOKS=(hook); (sleep 0.1; kill -TERM $$) &
    f() { sleep 99; echo no; }; startup_run f; echo no'
  [[ $output == *hook && $output != *no$'\n'* ]]
}

@test "startup_pause: at least as long as asked; a signal ends it" {
  run -0 with_entrypoint 'a=${EPOCHREALTIME/[.,]/}; startup_pause 0.05; startup_pause 0.05; b=${EPOCHREALTIME/[.,]/}
    ((b - a > 90000))'
  run -0 with_entrypoint 'startup_traps; (sleep 0.1; kill -TERM $$) & SECONDS=0; startup_pause 30 >/dev/null 2>&1 3>&-; ((SECONDS < 25)); echo "$STOP_SIGNAL"'
  [[ $output == *TERM ]]
}

@test "startup_supervise: ends with the child's code, says so if it is none" {
  run -0 with_entrypoint 'startup_child true; startup_supervise thing'
  [[ $output == *'the thing process ended' ]]
  run -9 with_entrypoint 'startup_child bash -c "exit 9"; startup_supervise thing'
  [[ $output == *ERROR*'code 9'* ]]
}
