#!/usr/bin/env bash
# Installs decoderbufs for PostgreSQL PG_MAJOR from DECODERBUFS_CHANNEL: its package, or what a compiled one needs.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-decoderbufs: %s\n' "$*" >&2
  exit 2
}

# Installs the distribution's package.
install_debian() {
  local package=postgresql-$1-decoderbufs
  apt_has "$package" || refuse "expected package $package in this base's suite, found none: choose channel source"
  apt_install "$package"
}

# Installs the libraries that the compiled one needs.
install_source() {
  local -a packages
  read -ra packages <<<"${RUNTIME_PACKAGES:?}"
  apt_install "${packages[@]}"
}

# Adds it to the output plugins that the container's server loads by default.
list_plugin() {
  mkdir -p /opt/container/output_plugin_libraries.d
  : >/opt/container/output_plugin_libraries.d/decoderbufs
}

main() {
  case ${DECODERBUFS_CHANNEL:?} in
    debian | source) ;;
    *) refuse "channel: expected debian or source, found $DECODERBUFS_CHANNEL" ;;
  esac
  apt_update
  "install_$DECODERBUFS_CHANNEL" "${PG_MAJOR:?}"
  list_plugin
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
