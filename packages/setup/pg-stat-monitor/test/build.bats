#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../toolchain/test/helper

setup() {
  prepare_stage pg-stat-monitor
  note strip
  use_jobs 3
  stub_make pg_stat_monitor
  BUILD=$SETUP/setup-pg-stat-monitor/build.sh
  move_build_folder "$BUILD"
  FOLDER=$BATS_TEST_TMPDIR/build/pg-stat-monitor
  export PG_MAJOR=17
  mkdir -p "$BATS_TEST_TMPDIR/source"
  echo source >"$BATS_TEST_TMPDIR/source/a.c"
  pack "$BATS_TEST_TMPDIR/source" "$SOURCES/pg_stat_monitor-1.0.tar.gz"
  list_source pg-stat-monitor pg_stat_monitor-1.0.tar.gz "$REPLY" git https://example.com/pg_stat_monitor 0123
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "build.sh finds the setup files of setup-toolchain beside its own" {
  unset SETUP
  run -0 bash -c 'source "$1"; type -t source_unpack' bash "$BUILD"
  [ "$output" = function ]
}

@test "compile makes for the server of that major version with the jobs it may use, and installs into /out" {
  with_build -0 'compile "/a source" 15'
  calls_are <<C
make [-C] [/a source] [--silent] [--jobs=3] [USE_PGXS=1] [PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config] [with_llvm=no]
make [-C] [/a source] [--silent] [install] [USE_PGXS=1] [PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config] [with_llvm=no] [DESTDIR=$OUT]
C
}

@test "compile installs nothing when it cannot be made" {
  stub make <<<'exit 2'
  with_build -2 'compile /source 17; echo never'
  run -0 grep -c '^make' "$CALLS"
  [ "$output" = 1 ]
}

@test "main needs no package beside the toolchain: it unpacks, compiles and finishes" {
  run -0 bash "$BUILD"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'make make strip chown' ]
  grep -qF "make [-C] [$FOLDER]" "$CALLS"
  [ "$(cat "$FOLDER/a.c")" = source ]
}

@test "main leaves in /out the extension alone, as every build leaves it" {
  run -0 bash "$BUILD"
  [ "$(out_list)" = "$(finished_list pg_stat_monitor)" ]
}

@test "main takes an archive of which nobody published a sum by the sum beside it" {
  local file=$SOURCES/pg_stat_monitor-1.0.tar.gz
  echo "pg-stat-monitor ${file##*/} - git https://example.com/pg_stat_monitor 0123" >"$SOURCES/SOURCES"
  run -2 bash "$BUILD"
  [[ $output == *'write the one that you trust to pg_stat_monitor-1.0.tar.gz.sha256'* ]]
  echo "$REPLY  ${file##*/}" >"$file.sha256"
  run -0 bash "$BUILD"
}

@test "main compiles nothing of a source that is not what it has to be" {
  echo more >>"$SOURCES/pg_stat_monitor-1.0.tar.gz"
  run -2 bash "$BUILD"
  [[ $output == *"pg_stat_monitor-1.0.tar.gz: expected sha256 $REPLY, found "* ]]
  calls_are </dev/null
}

@test "main leaves /out alone when compiling fails" {
  stub make <<<'exit 2'
  run -2 bash "$BUILD"
  run ! grep -q '^chown' "$CALLS"
}

@test "main says when the major version is missing, before it makes anything" {
  run -1 env -u PG_MAJOR bash "$BUILD"
  [[ $output == *PG_MAJOR* ]]
  calls_are </dev/null
}
