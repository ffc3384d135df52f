#!/usr/bin/env bash
# What the tests of build scripts share: the folders of a build stage, and sources to put into them.
load ../../base/test/helper

# Makes the folders of a stage below the test's own, with the setup files of these packages, that of the test, and the
# two that all need. What only root may do and what the network answers is noted, all else is real.
prepare_stage() {
  local package
  prepare_stubs
  note apt-get chown
  export SETUP=$BATS_TEST_TMPDIR/setup SOURCES=$BATS_TEST_TMPDIR/sources OUT=$BATS_TEST_TMPDIR/out
  export TMPDIR=$BATS_TEST_TMPDIR/tmp APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root
  # Neither the user's nor the machine's settings of git and curl have a say.
  export HOME=$BATS_TEST_TMPDIR/home GIT_CONFIG_NOSYSTEM=1
  unset XDG_CONFIG_HOME CURL_HOME http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
  mkdir -p "$SETUP" "$SOURCES" "$TMPDIR" "$HOME" "$APT_ROOT/etc"
  for package in base toolchain "$@"; do
    cp -R "$BATS_TEST_DIRNAME/../../$package/rootfs/mnt/setup/." "$SETUP"
  done
  : >"$SOURCES/SOURCES"
}

# Skips a test where one of these programs is missing, as they are in the image.
need() {
  local name
  for name in "$@"; do
    type -P "$name" >/dev/null || skip "no $name here"
  done
}

# Adds a line to the list of sources: name, file, sum, kind, address, commit.
list_source() { echo "$*" >>"$SOURCES/SOURCES"; }

# Gives in REPLY the sum of a file.
sum_of() {
  REPLY=$(sha256sum <"$1")
  REPLY=${REPLY%% *}
}

# Packs a folder, under a top folder of another name, into an archive; gives the archive's sum in REPLY.
pack() {
  tar --create --gzip --file "$2" --directory "$1" --transform 's|^\.|top-1.0|' .
  sum_of "$2"
}

# Makes the machine one of so many processors.
use_jobs() {
  printf '#!/bin/sh\necho %s\n' "$1" >"$STUBS/getconf"
  chmod 755 "$STUBS/getconf"
}

# Makes make a stub that, asked to install, puts into /out what a component installs, needed or not.
stub_make() {
  {
    printf 'library=usr/lib/postgresql/17/lib name=%s\n' "$1"
    cat <<'S'
for word in "$@"; do if [[ $word == DESTDIR=* ]]; then root=${word#DESTDIR=}; fi; done
[[ " $* " == *" install "* ]] || exit 0
umask 077
mkdir -p "$root/$library/bitcode/$name" "$root/usr/share/doc/$name" "$root/usr/include/$name" \
  "$root/usr/share/postgresql/17/extension"
printf '\x7fELF of %s' "$name" >"$root/$library/$name.so"
chmod 755 "$root/$library/$name.so"
touch "$root/$library"/{bitcode/"$name"/a.bc,lib"$name".a} "$root/usr/share/doc/$name/a.md" \
  "$root/usr/include/$name/a.h" "$root/usr/share/postgresql/17/extension/$name.control"
S
  } | stub make
}

# Prints what is in /out: mode, time and path of every file.
out_list() { (cd "$OUT" && find . -type f -printf '%m %Ts %P\n' | LC_ALL=C sort -k 3); }

# What out_list prints after a stub_make of this name and out_finish.
finished_list() {
  printf '755 946684800 usr/lib/postgresql/17/lib/%s.so\n' "$1"
  printf '644 946684800 usr/share/postgresql/17/extension/%s.control\n' "$1"
}

# Makes a copied build script use /build below the test's folder: /build is the stage's.
move_build_folder() { sed -i "s| /build/| $BATS_TEST_TMPDIR/build/|" "$1"; }
