#!/usr/bin/env bash
# Puts the project's own binaries of a release into /out. Nothing is compiled.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Refuses a machine for which there is no archive.
check_architecture() {
  local found
  found=$(dpkg --print-architecture)
  [[ $found == amd64 ]] || build_refuse "channel release of setup-etcd: expected a base for amd64, because that is the" \
    "archive whose sum is known, found one for $found; choose channel debian"
}

# Installs the programs of an unpacked release where the distribution's package has them: /usr/local/bin is for the
# etcdctl that knows the container. etcdutl came with 3.5.
install_programs() {
  local folder=$1 program
  for program in etcd etcdctl etcdutl; do
    if [[ $program == etcdutl && ! -e $folder/$program ]]; then continue; fi
    install -D --mode=0755 "$folder/$program" "$OUT/usr/bin/$program"
  done
}

main() {
  check_architecture
  source_unpack etcd /build/etcd
  install_programs /build/etcd
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
