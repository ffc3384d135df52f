#!/usr/bin/env bash
# Installs Python 3 from PYTHON_CHANNEL; channel source installs what the compiled one needs, RUNTIME_PACKAGES.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../lib/bytecode.sh
source "$SETUP/setup-python/lib/bytecode.sh"

# Says why nothing can be installed, and ends with the exit code for configuration.
refuse() {
  printf 'setup-python: %s\n' "$*" >&2
  exit 2
}

# Installs the distribution's package. Whoever needs bytecode of it makes it: bytecode_keep.
install_debian() {
  apt_has python3 || refuse "expected package python3 in this base's suite, found none: choose the base that has it"
  apt_install python3
  bytecode_drop /usr/lib/python3*
}

# Installs what the compiled Python needs; Python itself comes from its build stage.
install_source() {
  local -a packages
  read -ra packages <<<"${RUNTIME_PACKAGES:?}"
  apt_install "${packages[@]}"
}

main() {
  case ${PYTHON_CHANNEL:?} in
    debian | source) ;;
    *) refuse "channel: expected debian or source, found $PYTHON_CHANNEL" ;;
  esac
  apt_update
  "install_$PYTHON_CHANNEL"
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
