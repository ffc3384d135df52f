#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # code stands in single quotes; status and output come from run
bats_require_minimum_version 1.5.0

setup() {
  SCRIPT=$BATS_TEST_DIRNAME/../bats-image/run.sh
  mkdir -p "$BATS_TEST_TMPDIR/packages/runtime/demo" "$BATS_TEST_TMPDIR/bin"
  export PACKAGES=$BATS_TEST_TMPDIR/packages OUT=$BATS_TEST_TMPDIR BATS=$BATS_TEST_TMPDIR/bin/bats
  export PATH=$BATS_TEST_TMPDIR/bin:$PATH
  unset KCOV_BASH_XTRACEFD
  stub bats
}

# Puts a program onto PATH that tells how it was called, where, and what bash reads first.
stub() {
  printf '#!/bin/sh\necho "%s in ${PWD##*/}, ${BASH_ENV##*/}: $*"\n' "$1" >"$BATS_TEST_TMPDIR/bin/$1"
  chmod 755 "$BATS_TEST_TMPDIR/bin/$1"
}

# Runs code with the functions of the script at hand.
with_script() { bash -c 'source "$1"; '"$1" bash "$SCRIPT"; }

@test "run_bats: the report goes to a file" {
  run -0 with_script run_bats
  [[ $output == *"--report-formatter tap --output $OUT test" ]]
}

@test "run_kcov: all packages count, and the script is called again" {
  stub kcov
  run -0 with_script 'run_kcov runtime/demo'
  [[ $output == *"--bash-parse-files-in-dir=$PACKAGES "*"$OUT "*"/run.sh runtime/demo" ]]
}

@test "main: kcov where it is there" {
  stub kcov
  run -0 "$SCRIPT" runtime/demo
  [[ $output == 'kcov in demo, : '* ]]
}

@test "main: under kcov the tests run with our trace" {
  KCOV_BASH_XTRACEFD=1 run -0 "$SCRIPT" runtime/demo
  [[ $output == 'bats in demo, trace.sh: '* ]]
}

@test "main: a package that is not there is an error" {
  run -1 "$SCRIPT" runtime/none
}

@test "trace.sh: names file and line, also under set -u and without a file" {
  PS4='' BASH_ENV=$BATS_TEST_DIRNAME/../bats-image/trace.sh run -0 bash -uc ':'
  [[ $output == *'kcov@@'*'@:' ]]
}
