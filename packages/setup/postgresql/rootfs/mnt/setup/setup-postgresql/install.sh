#!/usr/bin/env bash
# Installs PostgreSQL PG_MAJOR from PG_CHANNEL, and the folders that the official image has.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/..}
# shellcheck source=../../../../../base/rootfs/mnt/setup/setup-base/apt.sh
source "$SETUP/setup-base/apt.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-postgresql: %s\n' "$*" >&2
  exit 2
}

# Keeps Debian's packages from making a cluster of their own. Needs the file of postgresql-common.
forbid_main_cluster() {
  local file=${1:-/etc/postgresql-common/createcluster.conf}
  printf '\n# The cluster is made by the container at its first start.\ncreate_main_cluster = false\n' >>"$file"
}

# Installs the distribution's packages of a major version.
install_debian() {
  local major=$1
  apt_install postgresql-common
  forbid_main_cluster /etc/postgresql-common/createcluster.conf
  apt_has "postgresql-$major" || refuse "expected package postgresql-$major in this base's suite, found none: choose the base that has it"
  # libnss-wrapper: initdb asks who it runs as, and any UID may; zstd, xz-utils: compressed init scripts.
  apt_install "postgresql-$major" libnss-wrapper zstd xz-utils
  # ssl-cert makes a private key while it is installed; the same key in every container is no secret.
  rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
}

# Makes the folders users mount; any UID may write to those that the server fills.
create_folders() {
  local root=${1:-}
  install --directory --owner=999 --group=999 --mode=1777 "$root/var/lib/postgresql" "$root/var/lib/postgresql/data"
  install --directory --owner=999 --group=999 --mode=3777 "$root/var/run/postgresql"
  install --directory "$root/docker-entrypoint-initdb.d"
}

main() {
  case ${PG_CHANNEL:?} in
    debian) ;;
    *) refuse "channel: expected debian, found $PG_CHANNEL" ;;
  esac
  apt_update
  "install_$PG_CHANNEL" "${PG_MAJOR:?}"
  create_folders ""
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
