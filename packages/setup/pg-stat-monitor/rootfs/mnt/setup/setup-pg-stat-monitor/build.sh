#!/usr/bin/env bash
# Compiles pg_stat_monitor against PostgreSQL PG_MAJOR into /out.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/..}
# shellcheck source=../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Compiles what lies in a folder and installs it.
compile() {
  local folder=$1 config=/usr/lib/postgresql/$2/bin/pg_config
  local -a settings=(USE_PGXS=1 "PG_CONFIG=$config" with_llvm=no)
  build_jobs
  make -C "$folder" --silent --jobs="$REPLY" "${settings[@]}"
  make -C "$folder" --silent install "${settings[@]}" "DESTDIR=$OUT"
}

main() {
  source_unpack pg-stat-monitor /build/pg-stat-monitor
  compile /build/pg-stat-monitor "${PG_MAJOR:?}"
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
