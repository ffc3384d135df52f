#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../toolchain/test/helper

setup() {
  prepare_stage patroni
  note strip
  # What pip leaves below the root it is given.
  stub python3 <<'S'
if [[ $2 == pip ]]; then
  echo "in $PWD" >>"$CALLS"
  mkdir -p "$5/usr/local/lib/python3/dist-packages/patroni" "$5/usr/local/bin"
  echo >"$5/usr/local/lib/python3/dist-packages/patroni/__init__.py"
  printf '#!/bin/sh\n' >"$5/usr/local/bin/patroni"
  chmod 755 "$5/usr/local/bin/patroni"
fi
S
  BUILD=$SETUP/setup-patroni/build/build.sh
  move_build_folder "$BUILD"
  export BUILD_PACKAGES='python3-pip python3-setuptools'
  mkdir -p "$BATS_TEST_TMPDIR/source"
  echo setup >"$BATS_TEST_TMPDIR/source/setup.py"
  pack "$BATS_TEST_TMPDIR/source" "$SOURCES/patroni-1.0.tar.gz"
  list_source patroni patroni-1.0.tar.gz "$REPLY" url https://example.com/patroni -
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "compile installs the release without what it depends on, and fetches nothing" {
  with_build -0 'compile "$BATS_TEST_TMPDIR/source"'
  run -0 cat "$CALLS"
  [[ ${lines[0]} == "python3 [-m] [pip] [install] [--root] [$OUT] [--prefix] [/usr/local] [--no-deps]"*'[--no-index]'* ]]
  [ "${lines[1]}" = "in $BATS_TEST_TMPDIR/source" ]
  [[ ${lines[2]} == 'python3 [-m] [compileall]'*'[unchecked-hash]'* ]]
}

@test "main: the source first, then the packages, then /out as it always is" {
  run -0 bash "$BUILD"
  run -0 out_list
  [ "${lines[0]}" = '755 946684800 usr/local/bin/patroni' ]
  [ "${lines[1]}" = '644 946684800 usr/local/lib/python3/dist-packages/patroni/__init__.py' ]
  grep -qF '[python3-pip] [python3-setuptools]' "$CALLS"
}

@test "main installs nothing when the source is another one" {
  echo changed >>"$SOURCES/patroni-1.0.tar.gz"
  run -2 bash "$BUILD"
  [[ $output == *'expected sha256'* ]]
  calls_are </dev/null
}
