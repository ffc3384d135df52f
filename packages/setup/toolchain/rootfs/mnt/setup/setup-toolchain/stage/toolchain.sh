#!/usr/bin/env bash
# Installs BUILD_PACKAGES, and the headers of the server that extensions are compiled against: PG_MAJOR of PG_CHANNEL.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../pgdg/pgdg.sh
source "$SETUP/setup-toolchain/pgdg/pgdg.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-toolchain: %s\n' "$*" >&2
  exit 2
}

# Gives in REPLY the package with the server's headers; nothing where the server is compiled itself, or there is none.
server_headers() {
  REPLY=""
  case ${PG_CHANNEL:-none} in
    debian | pgdg) REPLY=postgresql-server-dev-${PG_MAJOR:?} ;;
  esac
}

# Lets APT see the PostgreSQL project's packages, whose key comes with Debian's postgresql-common.
enable_pgdg() {
  apt_install postgresql-common
  pgdg_check_key "$PGDG_KEY"
  # shellcheck disable=SC1091 # the image's own
  pgdg_enable "$(source /etc/os-release && printf '%s' "${VERSION_CODENAME:?}")" "${PGDG_MIRROR:?}" "$(mktemp --directory)"
  apt_update
}

main() {
  local -a packages
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  server_headers
  if [[ -n $REPLY ]]; then packages+=("$REPLY"); fi
  apt_update
  if [[ ${PG_CHANNEL:-none} == pgdg ]]; then enable_pgdg; fi
  apt_install "${packages[@]}"
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
