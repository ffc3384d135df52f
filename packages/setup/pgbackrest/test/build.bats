#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../toolchain/test/helper

setup() {
  prepare_stage pgbackrest
  note strip meson
  use_jobs 3
  # What ninja leaves: the program, where meson was told to build.
  stub ninja <<'S'
mkdir -p "$2/src"
printf '\x7fELF of pgbackrest' >"$2/src/pgbackrest"
S
  BUILD=$SETUP/setup-pgbackrest/build/build.sh
  move_build_folder "$BUILD"
  export BUILD_PACKAGES='libssl-dev meson'
  mkdir -p "$BATS_TEST_TMPDIR/source"
  echo project >"$BATS_TEST_TMPDIR/source/meson.build"
  pack "$BATS_TEST_TMPDIR/source" "$SOURCES/pgbackrest-1.0.tar.gz"
  list_source pgbackrest pgbackrest-1.0.tar.gz "$REPLY" url https://example.com/pgbackrest -
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "compile builds beside the source, with the jobs it may use, and installs where the package does" {
  local source=$BATS_TEST_TMPDIR/source
  with_build -0 'compile "$BATS_TEST_TMPDIR/source"'
  calls_are <<C
meson [setup] [--buildtype=release] [--prefix=/usr] [-Dlibssh2=enabled] [-Dlibzstd=enabled] [$source.build] [$source]
ninja [-C] [$source.build] [-j] [3]
C
  [ -x "$OUT/usr/bin/pgbackrest" ]
}

@test "compile stops when meson or ninja fails" {
  stub ninja <<<'exit 3'
  with_build -3 'set -e; compile "$BATS_TEST_TMPDIR/source"; echo never'
  [[ $output != *never* ]]
}

@test "main: the source first, then the packages, then /out as it always is" {
  run -0 bash "$BUILD"
  [ "$(out_list)" = '755 946684800 usr/bin/pgbackrest' ]
  grep -qF '[libssl-dev] [meson]' "$CALLS"
  [ -e "$BATS_TEST_TMPDIR/build/pgbackrest/meson.build" ]
}

@test "main installs nothing when the source is another one" {
  echo changed >>"$SOURCES/pgbackrest-1.0.tar.gz"
  run -2 bash "$BUILD"
  [[ $output == *'expected sha256'* ]]
  calls_are </dev/null
}
