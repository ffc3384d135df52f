#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  source "$SCRIPTS/utils/logging.sh"
  source "$SCRIPTS/utils/state.sh"
  one=$BATS_TEST_TMPDIR/one two=$BATS_TEST_TMPDIR/two
  STATE_FOLDERS=$one:$two
}

@test "state_list: folders in order" {
  state_list
  [ "${STATE_LIST[*]}" = "$one $two" ]
}

@test "state_prepare: makes and takes the first" {
  state_prepare
  [ "$STATE_DIR" = "$one" ]
  [ -d "$one" ]
}

@test "state_prepare: goes on where it cannot be made, or is a link" {
  touch "$one"
  state_prepare
  [ "$STATE_DIR" = "$two" ]
  rm -r "$one" "$two"
  mkdir "$BATS_TEST_TMPDIR/else"
  ln -s "$BATS_TEST_TMPDIR/else" "$one"
  state_prepare
  [ "$STATE_DIR" = "$two" ]
}

@test "state_prepare: gives 1 if there is none" {
  touch "$one" "$two"
  run -1 state_prepare
}

@test "state_prepare: takes no folder of somebody else" {
  ((EUID == 0)) || skip "needs root to make a folder of somebody else"
  mkdir -m 777 "$one"
  run -0 as_user bash -c 'source "$0/utils/state.sh"; state_prepare; echo "$STATE_DIR"' "$SCRIPTS"
}

@test "state_find: where a phase was written" {
  run -1 state_find
  mkdir "$two"
  echo running >"$two/phase"
  state_find
  [ "$STATE_DIR" = "$two" ]
}

@test "phase_set, phase_get: what was written is read" {
  state_prepare
  phase_set initialising
  phase_get
  [ "$REPLY" = initialising ]
  : >"$STATE_DIR/phase"
  phase_get
  [ "$REPLY" = unknown ]
  STATE_DIR="" phase_get
  [ "$REPLY" = unknown ]
}

@test "phase_get: a file that is just being written is read when it is" {
  state_prepare
  : >"$STATE_DIR/phase"
  sleep() { printf 'running\n' >"$STATE_DIR/phase"; }
  phase_get
  [ "$REPLY" = running ]
}

@test "phase_set, phase_get: what the phase waits for, until it changes" {
  state_prepare
  phase_set initialising 'waits for: a  "b" \ $(c)'
  phase_get
  [ "$REPLY" = initialising ]
  [ "$PHASE_WAITS" = 'waits for: a  "b" \ $(c)' ]
  phase_set initialising
  phase_get
  [ "$REPLY <$PHASE_WAITS>" = 'initialising <>' ]
  PHASE_WAITS=old
  rm "$STATE_DIR/phase"
  phase_get
  [ "$REPLY <$PHASE_WAITS>" = 'unknown <>' ]
  # Half of what is being written.
  printf 'initialising\nwaits' >"$STATE_DIR/phase"
  phase_get
  [ "$REPLY <$PHASE_WAITS>" = 'initialising <waits>' ]
}

@test "phase_set: tells at debug, with the reason" {
  state_prepare
  LOG_NAME=t LOG_LEVEL=debug run -0 phase_set running
  [[ $output == *'DEBUG t: phase: running' ]]
  LOG_NAME=t LOG_LEVEL=debug run -0 phase_set initialising 'for a while'
  [[ $output == *'DEBUG t: phase: initialising, for a while' ]]
}

@test "state_write: lines to a file; a folder that takes none is a warning; root writes through no link" {
  state_prepare
  LOG_NAME=t
  state_write some a 'b c'
  [ "$(<"$STATE_DIR/some")" = $'a\nb c' ]
  source "$SCRIPTS/utils/logging.sh"
  STATE_DIR=/proc/none run -0 state_write some x
  [[ $output == *'cannot write /proc/none/some'* ]]
  ((EUID == 0)) || skip "needs root"
  touch "$BATS_TEST_TMPDIR/theirs"
  ln -s "$BATS_TEST_TMPDIR/theirs" "$STATE_DIR/link"
  state_write link x
  [ ! -s "$BATS_TEST_TMPDIR/theirs" ]
  [ "$(<"$STATE_DIR/link")" = x ]
}
