#!/usr/bin/env bash
# Installs PostgreSQL PG_MAJOR from PG_CHANNEL, with or without PG_JIT, and the folders that the official image has.
# Channel pgdg reads PGDG_MIRROR; channel source installs what the compiled server needs, RUNTIME_PACKAGES.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# Nothing below /mnt gets into the image.
SCRATCH=${SCRATCH:-/mnt}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/user.sh
source "$SETUP/setup-base/lib/user.sh"
# shellcheck source=nojit.sh
source "$SETUP/setup-postgresql/install/nojit.sh"
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/pgdg/pgdg.sh
source "$SETUP/setup-toolchain/pgdg/pgdg.sh"
# shellcheck source=../lib/plugins.sh
source "$SETUP/setup-postgresql/lib/plugins.sh"

# libnss-wrapper: initdb asks who it runs as, and any UID may; zstd, xz-utils: compressed init scripts.
COMPANIONS=(libnss-wrapper zstd xz-utils)

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

# Gives the base's suite, such as trixie, in REPLY.
base_suite() {
  # shellcheck disable=SC1090,SC1091 # the image's own
  REPLY=$(source "${1:-/etc/os-release}" && printf '%s' "${VERSION_CODENAME:-}")
  [[ -n $REPLY ]] || refuse "expected VERSION_CODENAME in ${1:-/etc/os-release}, found none: choose a base of Debian"
}

# Installs the packages of a major version, as they are or without what JIT needs.
install_server() {
  local major=$1 jit=$2
  local -a packages=("postgresql-$major")
  apt_has "postgresql-$major" || refuse "expected package postgresql-$major in this base's suite, found none: choose the base that has it"
  if [[ $jit == true ]]; then
    # From 18 on, JIT is a package of its own.
    ((major < 18)) || packages+=("postgresql-$major-jit")
  else
    nojit_package "$major" "$(mktemp --directory "$SCRATCH/nojit.XXXXXX")"
    packages=("$REPLY")
  fi
  apt_install "${packages[@]}" "${COMPANIONS[@]}"
  # ssl-cert makes a private key while it is installed; the same key in every container is no secret.
  rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
  plugins_note "/usr/lib/postgresql/$major/bin/postgres" ""
}

# Installs the distribution's packages of a major version.
install_debian() {
  apt_install postgresql-common
  forbid_main_cluster /etc/postgresql-common/createcluster.conf
  install_server "$1" "$2"
}

# Installs the PostgreSQL project's packages of a major version. postgresql-common brings the project's key.
install_pgdg() {
  apt_install postgresql-common
  forbid_main_cluster /etc/postgresql-common/createcluster.conf
  pgdg_check_key "$PGDG_KEY"
  base_suite /etc/os-release
  local suite=$REPLY
  pgdg_enable "$suite" "${PGDG_MIRROR:?}" "$(mktemp --directory "$SCRATCH/pgdg.XXXXXX")"
  apt_update
  install_server "$1" "$2"
  pgdg_keep "$suite"
}

# The packages that a compiled server needs in a suite, beside those that are the same in all, in REPLIES.
suite_packages() {
  local suite=$1 jit=$2
  case $suite in
    bookworm) REPLIES=(libicu72 libldap-2.5-0) ;;
    trixie) REPLIES=(libicu76 libldap2) ;;
    *) refuse "channel source: expected a base of bookworm or trixie, found $suite" ;;
  esac
  [[ $jit == true ]] || return 0
  case $suite in
    bookworm) REPLIES+=(libllvm14) ;;
    trixie) REPLIES+=(libllvm19) ;;
  esac
}

# Installs what the compiled server needs; the server itself comes from its build stage.
install_source() {
  local -a packages REPLIES
  read -ra packages <<<"${RUNTIME_PACKAGES:?}"
  base_suite /etc/os-release
  suite_packages "$REPLY" "$2"
  apt_install "${packages[@]}" "${REPLIES[@]}" "${COMPANIONS[@]}"
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
    pgdg | source)
      [[ ${PG_MAJOR:?} =~ ^1[3-8]$ ]] || refuse "major: expected 13 to 18 with channel $PG_CHANNEL, found $PG_MAJOR"
      ;;
    *) refuse "channel: expected debian, pgdg or source, found $PG_CHANNEL" ;;
  esac
  [[ ${PG_JIT:?} == @(true|false) ]] || refuse "jit: expected true or false, found $PG_JIT"
  # Before Debian's packages make a user of that name.
  user_rename postgres /var/lib/postgresql
  apt_update
  "install_$PG_CHANNEL" "${PG_MAJOR:?}" "$PG_JIT"
  create_folders ""
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
