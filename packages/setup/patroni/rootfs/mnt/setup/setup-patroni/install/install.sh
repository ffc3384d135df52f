#!/usr/bin/env bash
# Installs Patroni from PATRONI_CHANNEL.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../python/rootfs/mnt/setup/setup-python/lib/bytecode.sh
source "$SETUP/setup-python/lib/bytecode.sh"

# What Patroni's programs load, with the store that the container uses. Its server comes before what imports it in turn.
MODULES=(patroni.__main__ patroni.api patroni.ctl patroni.dcs.etcd3 patroni.dcs.kubernetes patroni.postgresql patroni.ha patroni.log patroni.validator patroni.watchdog psycopg2)

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-patroni: %s\n' "$*" >&2
  exit 2
}

# Takes away the configuration and the ways to start it that Debian's package brings: the container has its own.
remove_defaults() {
  local root=${1:-}
  rm -rf "$root/etc/patroni" "$root/etc/init.d/patroni" "$root"/etc/rc?.d/???patroni \
    "$root"/etc/systemd/system/*/patroni.service "$root"/etc/systemd/system/*/patroni@*.service
}

# Installs the distribution's package. It brings the client of etcd, and the driver psycopg2.
install_debian() {
  apt_has patroni || refuse "expected package patroni in this base's suite, found none: choose the base that has it"
  # patroni itself is content with the client of any store; Kubernetes takes none.
  apt_install patroni python3-etcd python3-consul python3-kazoo
  remove_defaults ""
  bytecode_drop /usr/lib/python3*
  bytecode_keep "${MODULES[@]}"
}

# Installs what a release needs; the release itself comes from its build stage.
install_source() {
  local -a packages
  read -ra packages <<<"${RUNTIME_PACKAGES:?}"
  apt_install "${packages[@]}"
  bytecode_drop /usr/lib/python3*
}

main() {
  case ${PATRONI_CHANNEL:?} in
    debian | source) ;;
    *) refuse "channel: expected debian or source, found $PATRONI_CHANNEL" ;;
  esac
  apt_update
  "install_$PATRONI_CHANNEL"
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
