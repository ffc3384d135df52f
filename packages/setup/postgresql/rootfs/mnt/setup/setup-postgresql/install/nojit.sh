#!/usr/bin/env bash
# The server's package without JIT, sourced by install.sh. Up to PostgreSQL 17 Debian has both in one package, which
# needs all of LLVM. Here that package is packed again without those files and that need: APT and dpkg know about it.

# The mark on the version of such a package. A newer release of the distribution's is newer than it.
NOJIT_MARK=+nojit1

# Prints a package's control file, given on stdin, without the need for LLVM. What it provides stays: extensions name
# postgresql-N-jit-llvm only to match bitcode, which nobody reads here.
nojit_control() {
  local line entry kept
  while IFS= read -r line; do
    case $line in
      Version:*) line+=$NOJIT_MARK ;;
      Depends:*)
        kept=
        while IFS= read -r entry; do
          [[ $entry == libllvm[0-9]* ]] || kept+=${kept:+, }$entry
        done < <(printf '%s\n' "${line#Depends: }" | awk 'BEGIN { RS = ", *|\n" } NF')
        line="Depends: $kept"
        ;;
    esac
    printf '%s\n' "$line"
  done
}

# Takes the files of JIT out of an unpacked package, and out of its list of sums.
nojit_strip() {
  local root=$1 major=$2 folder=usr/lib/postgresql/$2/lib
  rm -rf "${root:?}/$folder/bitcode" "$root/$folder/llvmjit.so" "$root/$folder/llvmjit_types.bc"
  awk -v folder="$folder/" 'index($2, folder "bitcode/") != 1 && index($2, folder "llvmjit") != 1' \
    "$root/DEBIAN/md5sums" >"$root/DEBIAN/md5sums.new"
  mv "$root/DEBIAN/md5sums.new" "$root/DEBIAN/md5sums"
  nojit_control <"$root/DEBIAN/control" >"$root/DEBIAN/control.new"
  mv "$root/DEBIAN/control.new" "$root/DEBIAN/control"
}

# Gives in REPLY what to install for a server of this major version without JIT: a package's name where it does not
# need LLVM anyway, else the file of one that was packed again in the folder.
nojit_package() {
  local major=$1 folder=$2 file
  REPLY=postgresql-$major
  # APT reads the package as a user of its own.
  chmod 755 "$folder"
  (cd "$folder" && apt_get -o APT::Sandbox::User=root download "postgresql-$major") || return
  file=$(find "$folder" -name 'postgresql-*.deb')
  [[ $(dpkg-deb --field "$file" Depends) == *libllvm* ]] || return 0
  dpkg-deb --raw-extract "$file" "$folder/root"
  rm "$file"
  nojit_strip "$folder/root" "$major"
  # It is installed at once, so packing it tightly would be time lost.
  dpkg-deb --root-owner-group -Znone --build "$folder/root" "$folder/postgresql-$major-nojit.deb"
  rm -rf "$folder/root"
  REPLY=$folder/postgresql-$major-nojit.deb
}
