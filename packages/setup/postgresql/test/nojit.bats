#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  NOJIT=$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-postgresql/install/nojit.sh
  WORK=$BATS_TEST_TMPDIR/work
  mkdir -p "$WORK"
  export WORK
}

# Runs functions of nojit.sh in a shell of their own, with an apt_get that fetches the package made by make_package.
with_nojit() {
  run "$1" bash -c 'set -Eeuo pipefail; source "$1"; apt_get() { note_download "$@"; }; '"$2" bash "$NOJIT"
}

# Puts a program onto PATH that downloads: it copies the package to the folder it is called in.
stub_download() {
  stub note_download <<<'cp "$BATS_TEST_TMPDIR"/*.deb .'
}

# Makes a package like Debian's postgresql-17; needs its line of dependencies.
make_package() {
  local root=$BATS_TEST_TMPDIR/made folder=usr/lib/postgresql/17/lib
  mkdir -p "$root/DEBIAN" "$root/$folder/bitcode/_int"
  echo keep >"$root/$folder/plpgsql.so"
  echo keep >"$root/$folder/my llvmjit.so"
  echo bc >"$root/$folder/bitcode/_int/a.bc"
  echo jit >"$root/$folder/llvmjit.so"
  echo jit >"$root/$folder/llvmjit_types.bc"
  (cd "$root" && find usr -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"
  cat >"$root/DEBIAN/control" <<C
Package: postgresql-17
Version: 17.12-0+deb13u1
Architecture: all
Maintainer: Nobody <nobody@example.org>
Depends: $1
Provides: postgresql-17-jit-llvm (= 19), postgresql-contrib-17
Description: a server
 Version: of this line nobody speaks
C
  dpkg-deb --root-owner-group -Znone --build "$root" "$BATS_TEST_TMPDIR/postgresql-17_17.12_all.deb" >/dev/null
}

@test "sourcing nojit.sh does nothing but define functions" {
  with_nojit -0 'type -t nojit_package nojit_strip nojit_control | sort -u'
  [ "$output" = function ]
}

@test "nojit_control marks the version, takes LLVM alone out of what is needed, and keeps the rest as it is" {
  with_nojit -0 'nojit_control' <<'C'
Package: postgresql-17
Version: 17.12-0+deb13u1
Depends: locales | locales-all, libicu76 (>= 76.1-1~), libllvm19 (>= 1:19.1.0), liblz4-1 (>= 0.0~r130)
Provides: postgresql-17-jit-llvm (= 19)
Description: a server
 It needs libllvm19, says this line.
C
  [ "$output" = 'Package: postgresql-17
Version: 17.12-0+deb13u1+nojit1
Depends: locales | locales-all, libicu76 (>= 76.1-1~), liblz4-1 (>= 0.0~r130)
Provides: postgresql-17-jit-llvm (= 19)
Description: a server
 It needs libllvm19, says this line.' ]
}

@test "nojit_control takes LLVM out at the beginning and at the end too" {
  with_nojit -0 'nojit_control' <<<'Depends: libllvm14, libc6 (>= 2.34), libllvm14'
  [ "$output" = 'Depends: libc6 (>= 2.34)' ]
}

@test "the marked version is newer than the distribution's, and older than its next" {
  command -v dpkg >/dev/null || skip 'needs dpkg'
  dpkg --compare-versions 17.12-0+deb13u1+nojit1 gt 17.12-0+deb13u1
  dpkg --compare-versions 17.12-0+deb13u1+nojit1 lt 17.12-0+deb13u2
  dpkg --compare-versions 17.12-0+deb13u1+nojit1 lt 17.13-0+deb13u1
}

@test "nojit_strip takes the files of JIT, and their sums, and nothing else" {
  command -v dpkg-deb >/dev/null || skip 'needs dpkg-deb'
  make_package 'libc6, libllvm19'
  with_nojit -0 'nojit_strip "$BATS_TEST_TMPDIR/made" 17'
  run -0 bash -c 'cd "$BATS_TEST_TMPDIR/made" && find usr -type f | sort'
  [ "$output" = 'usr/lib/postgresql/17/lib/my llvmjit.so
usr/lib/postgresql/17/lib/plpgsql.so' ]
  run -0 bash -c 'cd "$BATS_TEST_TMPDIR/made" && md5sum --check --quiet DEBIAN/md5sums && wc -l <DEBIAN/md5sums'
  [ "$output" = 2 ]
}

@test "nojit_package gives the file of a package that dpkg reads, without JIT and without LLVM" {
  command -v dpkg-deb >/dev/null || skip 'needs dpkg-deb'
  make_package 'libc6, libllvm19 (>= 1:19.1.0)'
  stub_download
  with_nojit -0 'nojit_package 17 "$WORK" >/dev/null; printf "%s" "$REPLY"'
  [ "$output" = "$WORK/postgresql-17-nojit.deb" ]
  run -0 dpkg-deb --field "$output" Version Depends
  [ "$output" = 'Version: 17.12-0+deb13u1+nojit1
Depends: libc6' ]
  run -0 ls "$WORK"
  [ "$output" = postgresql-17-nojit.deb ]
  grep -qF '[download] [postgresql-17]' "$CALLS"
}

@test "nojit_package gives the name of a package that does not need LLVM anyway" {
  command -v dpkg-deb >/dev/null || skip 'needs dpkg-deb'
  make_package 'libc6'
  stub_download
  with_nojit -0 'nojit_package 17 "$WORK"; printf "%s" "$REPLY"'
  [ "$output" = postgresql-17 ]
}

@test "nojit_package fails when the package cannot be fetched" {
  stub note_download <<<'exit 100'
  with_nojit -100 'nojit_package 17 "$WORK"'
}
