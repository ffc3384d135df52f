#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  pgbackrest_setup
  STEP=$SCRIPTS/shutdown.d/50-pgbackrest.sh
  export ARCHIVE_PROC=$BATS_TEST_TMPDIR/proc
  mkdir -p "$ARCHIVE_PROC"
  chmod 777 "$ARCHIVE_PROC"
  echo stopping >"$STATE_DIR/phase"
}

# Runs code with the functions of the step at hand.
with_step() { as_user bash -c 'source "$1"; '"$1" bash "$STEP"; }

# Makes a process in the folder of processes; needs its number and its words.
make_process() {
  mkdir -p "$ARCHIVE_PROC/$1"
  printf '%s\0' "${@:2}" >"$ARCHIVE_PROC/$1/cmdline"
}

@test "archive_find finds what pushes a segment and nothing else" {
  make_process 11 /usr/bin/pgbackrest --stanza=main archive-push pg_wal/1
  make_process 12 /usr/bin/pgbackrest --stanza=main backup
  make_process 13 bash archive-push
  mkdir "$ARCHIVE_PROC/14"
  run -0 with_step 'archive_find; echo "${REPLY_LIST[*]}"'
  [ "$output" = 11 ]
}

@test "archive_break_off does nothing when nothing pushes" {
  run -0 with_step 'archive_break_off 0'
  [ -z "$output" ]
}

@test "archive_break_off kills what still pushes, and says so" {
  run -0 with_step 'sleep 100 & mkdir "$ARCHIVE_PROC/$!"
    printf "%s\0" /usr/bin/pgbackrest archive-push x >"$ARCHIVE_PROC/$!/cmdline"
    archive_break_off 0; wait "$!" 2>/dev/null || echo "ended $?"'
  [[ $output == *'broken off after 0 s'*'ended 137' ]]
}

@test "the step ends at once where archiving is off, and leaves the waiting to another where it is on" {
  run -0 with_step 'archive_main; jobs -p'
  [ -z "$output" ]
  touch "$STATE_DIR/pgbackrest.conf"
  TIMEOUT=1 run -0 with_step 'archive_break_off() { echo "waits $1"; }; archive_main; wait'
  [ "$output" = 'waits 1' ]
  run -0 with_step 'archive_break_off() { echo "waits $1"; }; archive_main; wait'
  [ "$output" = 'waits 15' ]
}
