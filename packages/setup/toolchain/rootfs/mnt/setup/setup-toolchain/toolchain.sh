#!/usr/bin/env bash
# Installs BUILD_PACKAGES, and the headers of the server that extensions are compiled against: PG_MAJOR of PG_CHANNEL.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/..}
# shellcheck source=../../../../../base/rootfs/mnt/setup/setup-base/apt.sh
source "$SETUP/setup-base/apt.sh"

# Gives in REPLY the package with the server's headers; nothing where the server is compiled itself, or there is none.
server_headers() {
  REPLY=""
  case ${PG_CHANNEL:-none} in
    debian | pgdg) REPLY=postgresql-server-dev-${PG_MAJOR:?} ;;
  esac
}

main() {
  local -a packages
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  server_headers
  if [[ -n $REPLY ]]; then packages+=("$REPLY"); fi
  apt_update
  apt_install "${packages[@]}"
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
