#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../toolchain/test/helper

setup() {
  prepare_stage etcd
  note strip
  stub dpkg <<<'echo "${ARCHITECTURE-amd64}"'
  BUILD=$SETUP/setup-etcd/build/build.sh
  move_build_folder "$BUILD"
  RELEASE=$BATS_TEST_TMPDIR/release
  mkdir -p "$RELEASE/Documentation"
  local program
  for program in etcd etcdctl etcdutl; do printf '\x7fELF of %s' "$program" >"$RELEASE/$program"; done
  echo text >"$RELEASE/README.md"
  make_source
}

# Packs the release and lists it as the source.
make_source() {
  pack "$RELEASE" "$SOURCES/etcd-v1.0-linux-amd64.tar.gz"
  list_source etcd etcd-v1.0-linux-amd64.tar.gz "$REPLY" url https://example.com/etcd -
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "check_architecture: amd64, and one clear sentence for any other" {
  with_build -0 'check_architecture'
  ARCHITECTURE=arm64 with_build -2 'check_architecture'
  [[ $output == *'channel release of setup-etcd: expected a base for amd64'*'found one for arm64; choose channel debian' ]]
}

@test "install_programs: what the release has, where the package has it" {
  with_build -0 'install_programs "$BATS_TEST_TMPDIR/release"'
  [ -x "$OUT/usr/bin/etcd" ]
  [ -x "$OUT/usr/bin/etcdutl" ]
  rm -r "$OUT" "$RELEASE/etcdutl"
  with_build -0 'install_programs "$BATS_TEST_TMPDIR/release"'
  [ "$(ls "$OUT/usr/bin")" = $'etcd\netcdctl' ]
}

@test "main: the programs alone, as /out always is" {
  run -0 bash "$BUILD"
  [ "$(out_list)" = '755 946684800 usr/bin/etcd
755 946684800 usr/bin/etcdctl
755 946684800 usr/bin/etcdutl' ]
}

@test "main: another machine is told so before anything is fetched" {
  ARCHITECTURE=arm64 run -2 bash "$BUILD"
  [[ $output != *sha256* ]]
  [ ! -e "$OUT" ]
}

@test "main: another archive than the one that is known is refused" {
  echo changed >>"$SOURCES/etcd-v1.0-linux-amd64.tar.gz"
  run -2 bash "$BUILD"
  [[ $output == *'expected sha256'* ]]
  [ ! -e "$OUT" ]
}
