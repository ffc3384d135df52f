#!/usr/bin/env bash
# Installs an exact release of Patroni into /out, where the distribution's Python looks for what is local.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Installs what lies in a folder, and nothing that it depends on: that comes from the distribution's packages.
compile() {
  (cd "$1" && python3 -m pip install --root "$OUT" --prefix /usr/local --no-deps --no-build-isolation --no-compile \
    --no-index --break-system-packages --quiet .)
  # Bytecode that is good whatever the time of its source says: /out has one time for all.
  python3 -m compileall -q --invalidation-mode unchecked-hash -s "$OUT" "$OUT/usr/local/lib"
}

main() {
  local -a packages
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  # First of all, because it is what may be missing.
  source_unpack patroni /build/patroni
  apt_update
  apt_install "${packages[@]}"
  compile /build/patroni
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
