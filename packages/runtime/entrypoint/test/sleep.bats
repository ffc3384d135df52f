#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  prelude='source "$ENTRYPOINT_SCRIPTS/runtime/modes/sleep.sh";'
}

@test "mode_sleep_rank, mode_sleep_needs_init: first, and without init" {
  run -0 with_entrypoint "$prelude"'mode_sleep_rank; echo "$REPLY"; if mode_sleep_needs_init; then echo init; fi'
  [ "$output" = 10 ]
}

@test "mode_sleep_wants: only if it is on" {
  run -0 with_entrypoint "$prelude"'SLEEP_MODE=true mode_sleep_wants postgres'
  run -1 with_entrypoint "$prelude"'SLEEP_MODE=false mode_sleep_wants postgres'
  run -1 with_entrypoint "$prelude"'mode_sleep_wants'
}

@test "mode_sleep_start, mode_sleep_stop: paused, and gone at once" {
  run -0 with_entrypoint "$prelude"'mode_sleep_start; phase_get; echo "$REPLY"; mode_sleep_stop TERM; wait "$CHILD_PID" || echo "$?"'
  [[ $output == *'SLEEP_MODE is on'*$'paused\n143' ]]
}
