#!/usr/bin/env bash
# Installs etcd from ETCD_CHANNEL, the user that it runs as, and the folder of its data.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/user.sh
source "$SETUP/setup-base/lib/user.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-etcd: %s\n' "$*" >&2
  exit 2
}

# Takes away what the package brings for a machine that has an init system: the container starts etcd, and settings that
# lie where nothing reads them would only mislead. Needs the root of the image.
remove_service() {
  local root=${1:-} folder
  rm -f "$root/etc/default/etcd" "$root/etc/init.d/etcd" "$root"/etc/rc?.d/[KS][0-9][0-9]etcd \
    "$root/usr/lib/systemd/system/etcd.service"
  for folder in "$root/etc/systemd/system" "$root/var/lib/systemd/deb-systemd-helper-enabled"; do
    rm -f "$folder/etcd2.service" "$folder/etcd.service.dsh-also" "$folder/multi-user.target.wants/etcd.service"
  done
  # A slim base leaves the files of documentation out, but not its folders and links.
  find "$root/usr/share/doc" -mindepth 2 -path '*/etcd-*' ! -name copyright -delete
}

# Installs the distribution's packages.
install_debian() {
  local package
  for package in etcd-server etcd-client; do
    apt_has "$package" || refuse "expected package $package in this base's suite, found none: choose the base that has it"
  done
  apt_install etcd-server etcd-client
  remove_service ""
}

# Installs nothing: the project's binaries are linked statically, and come from their build stage.
install_release() { :; }

# Makes the folders: of the data, to which any UID may write, and of mounted certificates. Needs the root of the image.
create_folders() {
  local root=${1:-}
  # The package leaves it closed to others.
  install --directory --owner=999 --group=999 --mode=1777 "$root/var/lib/etcd"
  install --directory "$root/etc/etcd/tls"
}

main() {
  case ${ETCD_CHANNEL:?} in
    debian | release) ;;
    *) refuse "channel: expected debian or release, found $ETCD_CHANNEL" ;;
  esac
  # Before Debian's package makes a user of that name.
  user_rename etcd /var/lib/etcd
  apt_update
  "install_$ETCD_CHANNEL"
  create_folders ""
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
