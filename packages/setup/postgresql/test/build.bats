#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get rm chown
  # What make installs, as far as it matters here.
  stub make <<'S'
if [[ " $* " == *" install "* ]]; then
  library=$OUT/usr/lib/postgresql/$PG_MAJOR/lib
  mkdir -p "$OUT/usr/include/postgresql/$PG_MAJOR" "$library"/{pgxs,bitcode}
  touch "$OUT/usr/include/postgresql/$PG_MAJOR/postgres.h" "$library"/{pgxs/a.mk,bitcode/a.bc,llvmjit_types.bc,plpgsql.so}
  mkdir -p "$library/../bin"
  printf '#!/bin/sh\necho "postgres $*" >>"$CALLS"\n' >"$library/../bin/postgres"
  chmod 755 "$library/../bin/postgres"
fi
S
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere OUT=$BATS_TEST_TMPDIR/out BUILD_FOLDER=$BATS_TEST_TMPDIR/src
  mkdir -p "$SETUP/setup-toolchain/lib"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  # The toolchain's part has its own tests; here it notes how it was asked.
  cat >"$SETUP/setup-toolchain/lib/build-lib.sh" <<'S'
OUT_TIME=946684800
source_unpack() { echo "source_unpack [$1] [$2]" >>"$CALLS"; make_source "$2"; }
build_jobs() { REPLY=3; }
out_finish() {
  echo out_finish >>"$CALLS"
  find "$OUT" -type f | LC_ALL=C sort >"$BATS_TEST_TMPDIR/seen"
}
make_source() {
  mkdir -p "$1/src/include"
  printf '#define DEFAULT_PGSOCKET_DIR  "/tmp"\n' >"$1/src/include/pg_config_manual.h"
  cp "$STUBS/configure" "$1/configure"
}
S
  note configure
  BUILD=$SETUP/setup-postgresql/build/build.sh
  export PG_VERSION=13.5 PG_MAJOR=13 PG_JIT=false BUILD_PACKAGES='libicu-dev libssl-dev'
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "refuse says why on stderr, and ends with the code for configuration" {
  run -2 --separate-stderr bash -c 'source "$1"; refuse "expected a," "found b"; echo never' bash "$BUILD"
  [ -z "$output" ]
  [ "$stderr" = 'setup-postgresql: expected a, found b' ]
}

@test "check_version takes a release of the image's major version" {
  with_build -0 'check_version 13.5 13; check_version 18.6 18'
}

@test "check_version refuses a major version that is unknown, with those that are known" {
  with_build -2 'check_version 12.22 12'
  [ "$output" = 'setup-postgresql: major: expected 13 to 18 with channel source, found 12' ]
}

@test "check_version refuses a release of another major version" {
  with_build -2 'check_version 13.5 15'
  [ "$output" = 'setup-postgresql: version: expected a release of PostgreSQL 15, found 13.5' ]
  with_build -2 'check_version 130.5 13'
}

@test "configure_options has Debian's folders" {
  with_build -0 'configure_options 17 false; printf "%s\n" "${REPLIES[@]}"'
  grep -qx -- '--prefix=/usr/lib/postgresql/17' <<<"$output"
  grep -qx -- '--datadir=/usr/share/postgresql/17' <<<"$output"
}

@test "configure_options asks a major version only for what it has" {
  with_build -0 'for major in 13 14 15; do configure_options $major false; echo " ${REPLIES[*]}"; done'
  [[ ${lines[0]} != *lz4* && ${lines[0]} != *zstd* ]]
  [[ ${lines[1]} == *' --with-lz4'* && ${lines[1]} != *zstd* ]]
  [[ ${lines[2]} == *' --with-lz4 --with-zstd'* ]]
}

@test "configure_options has LLVM with JIT alone" {
  with_build -0 'configure_options 17 true; echo "${REPLIES[*]}"; configure_options 17 false; echo "${REPLIES[*]}"'
  [[ ${lines[0]} == *' --with-llvm' ]]
  [[ ${lines[1]} != *llvm* ]]
}

@test "set_socket_folder moves the socket to Debian's folder" {
  with_build -0 'make_source "$BUILD_FOLDER"; set_socket_folder "$BUILD_FOLDER"; cat "$BUILD_FOLDER/src/include/pg_config_manual.h"'
  [ "$output" = '#define DEFAULT_PGSOCKET_DIR  "/var/run/postgresql"' ]
}

@test "set_socket_folder refuses a text that it does not know" {
  with_build -2 'make_source "$BUILD_FOLDER"; echo >"$BUILD_FOLDER/src/include/pg_config_manual.h"; set_socket_folder "$BUILD_FOLDER"'
  [[ $output == *'found another text'* ]]
}

@test "compile configures, and makes and installs server and contrib, with the jobs it may use" {
  with_build -0 'make_source "$BUILD_FOLDER"; compile "$BUILD_FOLDER" 17 false'
  run -0 sed 's/^configure .*/configure/' "$CALLS"
  [ "$output" = "configure
make [--silent] [--jobs=3] [all]
make [--silent] [--jobs=3] [-C] [contrib] [all]
make [--silent] [DESTDIR=$OUT] [install]
make [--silent] [DESTDIR=$OUT] [-C] [contrib] [install]" ]
}

@test "kept_paths names headers and PGXS, and with JIT what it reads" {
  with_build -0 'kept_paths 13 false; echo "${REPLIES[*]}"; kept_paths 17 true; echo "${REPLIES[*]}"'
  [ "${lines[0]}" = 'usr/include/postgresql/13 usr/lib/postgresql/13/lib/pgxs' ]
  [[ ${lines[1]} == *'17/lib/pgxs usr/lib/postgresql/17/lib/bitcode usr/lib/postgresql/17/lib/llvmjit_types.bc' ]]
}

@test "finish_keeping hides the paths from out_finish, and brings them back as all others are" {
  mkdir -p "$OUT/usr/include/a b" "$OUT/usr/lib"
  touch "$OUT/usr/include/a b/x.h" "$OUT/usr/lib/other"
  chmod 600 "$OUT/usr/include/a b/x.h"
  chmod 775 "$OUT/usr"
  with_build -0 'finish_keeping "$BATS_TEST_TMPDIR/aside" "usr/include/a b"'
  [ "$(cat "$BATS_TEST_TMPDIR/seen")" = "$OUT/usr/lib/other" ]
  run -0 stat -c '%a %Y' "$OUT/usr/include/a b/x.h" "$OUT/usr"
  [ "$output" = '644 946684800
755 946684800' ]
}

@test "finish_keeping fails when a path is not there" {
  mkdir -p "$OUT"
  with_build -1 'set -e; finish_keeping "$BATS_TEST_TMPDIR/aside" usr/include/none'
  run ! grep -q out_finish "$CALLS"
}

@test "main installs what compiling needs, compiles, and finishes, in this order" {
  run -0 bash "$BUILD"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get source_unpack configure make make make make postgres out_finish chown' ]
  grep -qF '[libicu-dev] [libssl-dev]' "$CALLS"
  grep -qF "source_unpack [postgresql] [$BUILD_FOLDER]" "$CALLS"
  run ! grep -qF '[llvm-dev]' "$CALLS"
}

@test "main gets LLVM with JIT alone" {
  PG_JIT=true run -0 bash "$BUILD"
  grep -qF '[libssl-dev] [clang] [llvm-dev]' "$CALLS"
}

@test "main refuses before it fetches anything" {
  PG_MAJOR=15 run -2 bash "$BUILD"
  calls_are </dev/null
}

@test "main stops when compiling fails" {
  stub make <<<'exit 2'
  run -2 bash "$BUILD"
  run ! grep -q out_finish "$CALLS"
}

@test "main says which of its variables is missing" {
  local variable
  for variable in PG_VERSION PG_MAJOR PG_JIT BUILD_PACKAGES; do
    run -1 env -u "$variable" bash "$BUILD"
    [[ $output == *"$variable"* ]]
    run ! grep -q apt-get "$CALLS"
  done
}
