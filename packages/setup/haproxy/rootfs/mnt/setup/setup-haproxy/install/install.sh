#!/usr/bin/env bash
# Installs the distribution's HAProxy, and the folder where a configuration may be mounted.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/user.sh
source "$SETUP/setup-base/lib/user.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-haproxy: %s\n' "$*" >&2
  exit 2
}

# Installs the distribution's package.
install_package() {
  apt_has haproxy || refuse "expected package haproxy in this base's suite, found none: choose the base that has it"
  apt_install haproxy
}

# Takes away what only a machine with services needs, and a configuration that nothing here reads. Needs the root of the
# image.
remove_services() {
  local root=${1:-}
  rm -rf "$root/etc/haproxy" "$root/etc/default/haproxy" "$root/etc/init.d/haproxy" "$root/etc/logrotate.d/haproxy" \
    "$root/etc/rsyslog.d/49-haproxy.conf" "$root"/etc/rc?.d/[SK][0-9][0-9]haproxy \
    "$root"/etc/systemd/system/*/haproxy.service "$root"/{usr/,}lib/systemd/system/haproxy.service \
    "$root/usr/lib/tmpfiles.d/haproxy.conf" "$root/run/adduser" "$root/var/lib/systemd/deb-systemd-helper-enabled/haproxy.service.dsh-also" \
    "$root"/var/lib/systemd/deb-systemd-helper-enabled/*/haproxy.service
}

# Makes the folder where a configuration may be mounted. Needs the root of the image.
create_folders() {
  install --directory --mode=0755 "${1:-}/usr/local/etc/haproxy"
}

main() {
  # Before the package makes a user of that name.
  user_rename haproxy /var/lib/haproxy
  apt_update
  install_package
  remove_services ""
  create_folders ""
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
