#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
# The part of build-lib.sh that finishes /out.
load lib

setup() {
  prepare_stage
  # Where it may be real, it is.
  if ((EUID == 0)); then rm "$STUBS/chown"; fi
  mkdir -p "$OUT"
}

# Makes files below /out, with their folders.
make_files() {
  local file
  for file in "$@"; do
    mkdir -p "$OUT/$(dirname "$file")"
    echo text >"$OUT/$file"
  done
}

# Makes files below /out that begin as programs and libraries do.
make_elf() {
  local file
  for file in "$@"; do
    make_files "$file"
    printf '\x7fELF\0\0' >"$OUT/$file"
  done
}

# Compiles a library with debugging symbols.
make_library() {
  need gcc strip
  mkdir -p "${1%/*}"
  printf 'static int hidden(int n) { return n * 2; }\nint shown(int n) { return hidden(n) + 1; }\n' >"$TMPDIR/a.c"
  gcc -g -shared -fPIC -o "$1" "$TMPDIR/a.c"
}

@test "out_strip takes away what no image needs, wherever it lies" {
  note strip
  make_files usr/lib/a.a usr/lib/a.la usr/lib/a.bc usr/lib/llvmjit_types.bc usr/lib/postgresql/17/lib/bitcode/a/a.index \
    usr/share/doc/a/README usr/share/man/man1/a.1 usr/include/a/a.h usr/local/share/doc/b/README \
    usr/lib/postgresql/17/lib/pgxs/src/a.mk 'usr/lib/a b.a'
  make_files usr/lib/kept.so usr/share/document/kept usr/lib/bitcode.conf usr/share/include/kept usr/lib/a.apple
  with_lib -0 out_strip
  run -0 bash -c 'cd "$OUT" && find . -type f | LC_ALL=C sort'
  [ "$output" = './usr/lib/a.apple
./usr/lib/bitcode.conf
./usr/lib/kept.so
./usr/share/document/kept
./usr/share/include/kept' ]
  calls_are </dev/null
}

@test "out_strip strips libraries by their name and programs by their mode, whatever else they are called" {
  note strip
  make_elf usr/lib/a.so usr/lib/a.so.1.2 'usr/lib/a b.so' usr/bin/program usr/bin/-x usr/share/data
  make_files usr/lib/script.so usr/bin/script
  chmod 755 "$OUT"/usr/bin/*
  ln -s a.so "$OUT/usr/lib/link.so"
  ln -s nowhere "$OUT/usr/lib/broken.so"
  : >"$OUT/usr/lib/empty.so"
  with_lib -0 out_strip
  run -0 env LC_ALL=C sort "$CALLS"
  [ "$output" = "strip [--strip-unneeded] [--enable-deterministic-archives] [--] [$OUT/usr/bin/-x]
strip [--strip-unneeded] [--enable-deterministic-archives] [--] [$OUT/usr/bin/program]
strip [--strip-unneeded] [--enable-deterministic-archives] [--] [$OUT/usr/lib/a b.so]
strip [--strip-unneeded] [--enable-deterministic-archives] [--] [$OUT/usr/lib/a.so.1.2]
strip [--strip-unneeded] [--enable-deterministic-archives] [--] [$OUT/usr/lib/a.so]" ]
}

@test "out_strip stops when a library cannot be stripped" {
  stub strip <<<'exit 1'
  make_elf usr/lib/a.so
  with_lib -1 'out_strip; echo never'
  [[ $output != *never* ]]
}

@test "out_strip really takes the symbols out of a library, and what others call stays" {
  make_library "$OUT/usr/lib/a.so"
  grep -q hidden "$OUT/usr/lib/a.so"
  with_lib -0 out_strip
  run ! grep -q hidden "$OUT/usr/lib/a.so"
  grep -q shown "$OUT/usr/lib/a.so"
}

@test "out_strip leaves a program that still runs, with its mode" {
  need strip
  mkdir -p "$OUT/usr/bin"
  cp "$(type -P true)" "$OUT/usr/bin/program"
  chmod 750 "$OUT/usr/bin/program"
  with_lib -0 out_strip
  [ "$(stat -c %a "$OUT/usr/bin/program")" = 750 ]
  "$OUT/usr/bin/program"
}

@test "out_strip says what is no library though it looks like one, and stops" {
  need strip
  make_elf usr/lib/a.so
  with_lib -1 'out_strip; echo never'
  [[ $output == *a.so* && $output != *never* ]]
}

@test "out_finish leaves modes that no umask had a say in" {
  local umask
  for umask in 000 022 027 077; do
    rm -rf "$OUT"
    (
      umask "$umask"
      make_files usr/lib/file usr/bin/script
      chmod u+x "$OUT/usr/bin/script"
    )
    with_lib -0 out_finish
    run -0 bash -c 'find "$OUT" -mindepth 1 -printf "%m %P\n" | LC_ALL=C sort -k 2'
    [ "$output" = '755 usr
755 usr/bin
755 usr/bin/script
755 usr/lib
644 usr/lib/file' ]
    [ "$(stat -c %a "$OUT")" = 755 ]
  done
}

@test "out_finish opens what its owner himself may not write" {
  make_files usr/lib/a usr/bin/b
  chmod 400 "$OUT/usr/lib/a"
  chmod 555 "$OUT/usr/bin/b"
  with_lib -0 out_finish
  [ "$(stat -c %a "$OUT/usr/lib/a" "$OUT/usr/bin/b")" = $'644\n755' ]
}

@test "out_finish gives everything one time, folders and links too" {
  make_files usr/lib/a 'usr/lib/a folder/-b'
  ln -s a "$OUT/usr/lib/link"
  ln -s nowhere "$OUT/usr/lib/broken"
  with_lib -0 out_finish
  run -0 bash -c 'find "$OUT" -printf "%Ts\n" | sort -u'
  [ "$output" = 946684800 ]
  OUT_TIME=1000 with_lib -0 out_finish
  run -0 bash -c 'find "$OUT" -printf "%Ts\n" | sort -u'
  [ "$output" = 1000 ]
}

@test "out_finish leaves alone what a link leads to" {
  echo text >"$BATS_TEST_TMPDIR/outside"
  chmod 600 "$BATS_TEST_TMPDIR/outside"
  touch --date=@5000 "$BATS_TEST_TMPDIR/outside"
  mkdir -p "$OUT/usr/lib" "$BATS_TEST_TMPDIR/folder/usr/share/doc"
  ln -s "$BATS_TEST_TMPDIR/outside" "$OUT/usr/lib/link.so"
  ln -s "$BATS_TEST_TMPDIR/folder" "$OUT/usr/folder"
  with_lib -0 out_finish
  [ "$(stat -c '%a %Y %u' "$BATS_TEST_TMPDIR/outside")" = "600 5000 $EUID" ]
  [ -d "$BATS_TEST_TMPDIR/folder/usr/share/doc" ]
  [ "$(readlink "$OUT/usr/lib/link.so")" = "$BATS_TEST_TMPDIR/outside" ]
}

@test "out_finish takes away empty folders, and those that are empty then, but not /out itself" {
  make_files usr/lib/a usr/share/doc/b/README
  mkdir -p "$OUT/etc/one/two"
  with_lib -0 out_finish
  [ "$(cd "$OUT" && echo * usr/*)" = 'usr usr/lib' ]
  rm -rf "${OUT:?}/usr"
  mkdir "$OUT/etc"
  with_lib -0 out_finish
  [ -d "$OUT" ]
  [ -z "$(ls -A "$OUT")" ]
}

@test "out_finish gives everything to root" {
  ((EUID == 0)) || skip "only root could give a file away"
  make_files usr/lib/a
  ln -s a "$OUT/usr/lib/link"
  chown -hR 12345:12345 "$OUT"
  with_lib -0 out_finish
  run -0 bash -c 'find "$OUT" -printf "%U:%G\n" | sort -u'
  [ "$output" = 0:0 ]
}

@test "out_finish asks for root as the owner of all, links themselves included" {
  note chown
  make_files usr/lib/a
  with_lib -0 out_finish
  calls_are <<<"chown [-hR] [0:0] [$OUT]"
}

@test "out_finish fails where nothing was installed" {
  rmdir "$OUT"
  with_lib -1 'out_finish; echo never'
  [[ $output == *"$OUT"* && $output != *never* ]]
}

@test "out_finish leaves the same bytes wherever and whenever it was made, under whatever umask" {
  local folder sums=()
  type -P strip >/dev/null || note strip
  for folder in one 'another/place 2'; do
    export OUT=$BATS_TEST_TMPDIR/$folder
    (
      if [[ $folder == one ]]; then umask 022; else umask 077; fi
      mkdir -p "$OUT/usr/bin"
      # Not in the same order, so that not even the folders' own are alike.
      if [[ $folder == one ]]; then make_files usr/lib/b etc/a; else make_files etc/a usr/lib/b; fi
      make_files usr/lib/a.a usr/share/doc/a usr/lib/postgresql/17/lib/bitcode/a.bc
      mkdir -p "$OUT/var/empty/$RANDOM"
      ln -s b "$OUT/usr/lib/link"
      cp "$(type -P true)" "$OUT/usr/bin/program"
      cp "$(type -P true)" "$OUT/usr/lib/a.so.1"
      if [[ $folder != one ]]; then find "$OUT" -exec touch --no-dereference --date=@86400 {} +; fi
    )
    with_lib -0 out_finish
    sums+=("$(tar --create --sort=name --directory "$OUT" . | sha256sum)")
  done
  [ "$(cd "$OUT" && find . -type f | wc -l)" = 4 ]
  [ "${sums[0]}" = "${sums[1]}" ]
}
