#!/usr/bin/env bash
# Installs pgBackRest from PGBACKREST_CHANNEL, and the folders that it writes to.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-pgbackrest: %s\n' "$*" >&2
  exit 2
}

# Installs the distribution's package.
install_debian() {
  apt_has pgbackrest || refuse "expected package pgbackrest in this base's suite, found none: choose the base that has it"
  apt_install pgbackrest
  # The container writes the configuration; one that lies where pgBackRest looks by itself would only mislead.
  rm -f /etc/pgbackrest.conf /etc/logrotate.d/pgbackrest
}

# Installs the libraries that the compiled one needs.
install_source() {
  local -a packages
  read -ra packages <<<"${RUNTIME_PACKAGES:?}"
  apt_install "${packages[@]}"
}

# Makes the folders that pgBackRest writes to; any UID may. Needs the root of the image.
create_folders() {
  local root=${1:-}
  install --directory --owner=999 --group=999 --mode=1777 "$root/var/lib/pgbackrest" "$root/var/log/pgbackrest" \
    "$root/var/spool/pgbackrest"
}

main() {
  case ${PGBACKREST_CHANNEL:?} in
    debian | source) ;;
    *) refuse "channel: expected debian or source, found $PGBACKREST_CHANNEL" ;;
  esac
  apt_update
  "install_$PGBACKREST_CHANNEL"
  create_folders ""
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
