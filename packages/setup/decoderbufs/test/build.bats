#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../toolchain/test/helper

setup() {
  prepare_stage decoderbufs
  note strip
  use_jobs 3
  stub_make decoderbufs
  BUILD=$SETUP/setup-decoderbufs/build/build.sh
  move_build_folder "$BUILD"
  FOLDER=$BATS_TEST_TMPDIR/build/decoderbufs
  export BUILD_PACKAGES='libprotobuf-c-dev protobuf-c-compiler' PG_MAJOR=17
  mkdir -p "$BATS_TEST_TMPDIR/source"
  echo source >"$BATS_TEST_TMPDIR/source/a.c"
  pack "$BATS_TEST_TMPDIR/source" "$SOURCES/postgres-decoderbufs-1.0.Final.tar.gz"
  list_source decoderbufs postgres-decoderbufs-1.0.Final.tar.gz "$REPLY" url https://example.com/decoderbufs -
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

@test "compile makes for the server of that major version with the jobs it may use, and installs into /out" {
  with_build -0 'compile "/a source" 13'
  calls_are <<C
make [-C] [/a source] [--silent] [--jobs=3] [PG_CONFIG=/usr/lib/postgresql/13/bin/pg_config] [with_llvm=no]
make [-C] [/a source] [--silent] [install] [PG_CONFIG=/usr/lib/postgresql/13/bin/pg_config] [with_llvm=no] [DESTDIR=$OUT]
C
}

@test "compile installs nothing when it cannot be made" {
  stub make <<<'exit 2'
  with_build -2 'compile /source 17; echo never'
  run -0 grep -c '^make' "$CALLS"
  [ "$output" = 1 ]
}

@test "main installs what compiling needs, unpacks, compiles and finishes, in this order" {
  run -0 bash "$BUILD"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get make make strip chown' ]
  run -0 sed -n 2p "$CALLS"
  [[ $output == *' [--no-install-recommends] [libprotobuf-c-dev] [protobuf-c-compiler]' ]]
  grep -qF "make [-C] [$FOLDER]" "$CALLS"
  [ "$(cat "$FOLDER/a.c")" = source ]
}

@test "main leaves in /out the extension alone, as every build leaves it" {
  run -0 bash "$BUILD"
  [ "$(out_list)" = "$(finished_list decoderbufs)" ]
}

@test "main compiles nothing when the lists or a package cannot be fetched" {
  local verb
  for verb in update install; do
    stub apt-get <<<'[[ " $* " != *" '"$verb"' "* ]] || exit 100'
    run -100 bash "$BUILD"
    run ! grep -q '^make' "$CALLS"
    [ ! -e "$OUT" ]
  done
}

@test "main compiles nothing of a source that is not what it has to be" {
  echo more >>"$SOURCES/postgres-decoderbufs-1.0.Final.tar.gz"
  run -2 bash "$BUILD"
  [[ $output == *"postgres-decoderbufs-1.0.Final.tar.gz: expected sha256 $REPLY, found "* ]]
  run ! grep -q '^make' "$CALLS"
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
    run ! grep -q '^make' "$CALLS"
  done
}
