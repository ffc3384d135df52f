#!/usr/bin/env bash
# Compiles pgBackRest into /out.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Compiles what lies in a folder, in a folder beside it, and installs it where the distribution's package lies.
compile() {
  local folder=$1
  meson setup --buildtype=release --prefix=/usr -Dlibssh2=enabled -Dlibzstd=enabled "$folder.build" "$folder"
  build_jobs
  ninja -C "$folder.build" -j "$REPLY"
  install -D --mode=0755 "$folder.build/src/pgbackrest" "$OUT/usr/bin/pgbackrest"
}

main() {
  local -a packages
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  # First of all, because it is what may be missing.
  source_unpack pgbackrest /build/pgbackrest
  apt_update
  apt_install "${packages[@]}"
  compile /build/pgbackrest
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
