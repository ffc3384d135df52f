#!/usr/bin/env bash
# Compiles Citus against PostgreSQL PG_MAJOR into /out.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/..}
# shellcheck source=../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Compiles what lies in a folder and installs it. Without libcurl, which Citus would report statistics with to its maker.
compile() {
  local folder=$1 config=/usr/lib/postgresql/$2/bin/pg_config
  (cd "$folder" && ./configure --quiet --without-libcurl "PG_CONFIG=$config")
  build_jobs
  # Bitcode is for the JIT compiler alone, and would double the time and the size.
  make -C "$folder" --silent --jobs="$REPLY" with_llvm=no
  make -C "$folder" --silent install with_llvm=no "DESTDIR=$OUT"
}

# Adds it to the output plugins that the container's server loads by default: shards are moved by logical decoding.
list_plugin() {
  mkdir -p "$OUT/opt/container/output_plugin_libraries.d"
  : >"$OUT/opt/container/output_plugin_libraries.d/citus"
}

main() {
  local -a packages
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  # First of all, because it is what may be missing.
  source_unpack citus /build/citus
  apt_update
  apt_install "${packages[@]}"
  compile /build/citus "${PG_MAJOR:?}"
  list_plugin
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
