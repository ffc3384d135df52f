#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../toolchain/test/helper

setup() {
  prepare_stage citus
  note strip
  use_jobs 3
  stub_make citus
  BUILD=$SETUP/setup-citus/build.sh
  move_build_folder "$BUILD"
  export BUILD_PACKAGES='libicu-dev libssl-dev' PG_MAJOR=17
  make_source
  pack "$BATS_TEST_TMPDIR/source" "$SOURCES/citus-1.0.tar.gz"
  list_source citus citus-1.0.tar.gz "$REPLY" url https://example.com/citus -
}

# Makes a source as far as it matters here: its configure notes where and how it was called.
make_source() {
  mkdir -p "$BATS_TEST_TMPDIR/source"
  stub configure <<<'echo "in $PWD" >>"$CALLS"'
  mv "$STUBS/configure" "$BATS_TEST_TMPDIR/source"
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "build.sh finds the setup files of the others beside its own" {
  unset SETUP
  run -0 bash -c 'source "$1"; type -t apt_install source_unpack' bash "$BUILD"
  [ "$output" = $'function\nfunction' ]
}

@test "compile configures for the server of that major version, makes with the jobs it may use, and installs into /out" {
  local source=$BATS_TEST_TMPDIR/source
  with_build -0 'compile "$BATS_TEST_TMPDIR/source" 15'
  calls_are <<C
configure [--quiet] [--without-libcurl] [PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config]
in $source
make [-C] [$source] [--silent] [--jobs=3] [with_llvm=no]
make [-C] [$source] [--silent] [install] [with_llvm=no] [DESTDIR=$OUT]
C
}

@test "compile takes a folder with a blank" {
  mv "$BATS_TEST_TMPDIR/source" "$BATS_TEST_TMPDIR/a source"
  with_build -0 'compile "$BATS_TEST_TMPDIR/a source" 17'
  grep -qF "in $BATS_TEST_TMPDIR/a source" "$CALLS"
}

@test "compile makes nothing when configure refuses" {
  printf '#!/bin/sh\nexit 77\n' >"$BATS_TEST_TMPDIR/source/configure"
  with_build -77 'compile "$BATS_TEST_TMPDIR/source" 17; echo never'
  calls_are </dev/null
}

@test "compile installs nothing when it cannot be made" {
  stub make <<<'exit 2'
  with_build -2 'compile "$BATS_TEST_TMPDIR/source" 17; echo never'
  run -0 grep -c '^make' "$CALLS"
  [ "$output" = 1 ]
}

@test "main installs what compiling needs, unpacks, compiles and finishes, in this order" {
  run -0 bash "$BUILD"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get configure in make make strip chown' ]
  run -0 sed -n 2p "$CALLS"
  [[ $output == *' [--no-install-recommends] [libicu-dev] [libssl-dev]' ]]
  grep -qx "in $BATS_TEST_TMPDIR/build/citus" "$CALLS"
  grep -qF '[PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config]' "$CALLS"
}

@test "main leaves in /out the extension, as every build leaves it, and its name for the list of output plugins" {
  run -0 bash "$BUILD"
  [ "$(out_list)" = "$(
    echo '644 946684800 opt/container/output_plugin_libraries.d/citus'
    finished_list citus
  )" ]
}

@test "main compiles nothing when the lists or a package cannot be fetched" {
  local verb
  for verb in update install; do
    stub apt-get <<<'[[ " $* " != *" '"$verb"' "* ]] || exit 100'
    run -100 bash "$BUILD"
    run ! grep -qE '^(configure|make)' "$CALLS"
    [ ! -e "$OUT" ]
  done
}

@test "main compiles nothing of a source that is not what it has to be" {
  echo more >>"$SOURCES/citus-1.0.tar.gz"
  run -2 bash "$BUILD"
  [[ $output == *"citus-1.0.tar.gz: expected sha256 $REPLY, found "* ]]
  run ! grep -qE '^(configure|make)' "$CALLS"
}

@test "main leaves /out alone when compiling fails" {
  stub make <<<'exit 2'
  run -2 bash "$BUILD"
  run ! grep -q '^chown' "$CALLS"
}

@test "main says which of its variables is missing, before it makes anything" {
  local variable
  for variable in BUILD_PACKAGES PG_MAJOR; do
    run -1 env -u "$variable" bash "$BUILD"
    [[ $output == *"$variable"* ]]
    run ! grep -qE '^(configure|make)' "$CALLS"
  done
}
