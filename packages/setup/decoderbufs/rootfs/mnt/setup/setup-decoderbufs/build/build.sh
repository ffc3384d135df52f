#!/usr/bin/env bash
# Compiles decoderbufs against PostgreSQL PG_MAJOR into /out.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Compiles what lies in a folder and installs it.
compile() {
  local folder=$1 config=/usr/lib/postgresql/$2/bin/pg_config
  local -a settings=("PG_CONFIG=$config" with_llvm=no)
  build_jobs
  make -C "$folder" --silent --jobs="$REPLY" "${settings[@]}"
  make -C "$folder" --silent install "${settings[@]}" "DESTDIR=$OUT"
}

main() {
  local -a packages
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  # First of all, because it is what may be missing.
  source_unpack decoderbufs /build/decoderbufs
  apt_update
  apt_install "${packages[@]}"
  compile /build/decoderbufs "${PG_MAJOR:?}"
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
