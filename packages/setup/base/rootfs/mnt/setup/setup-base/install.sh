#!/usr/bin/env bash
# Installs what every image has: user 999, a locale, time zones, CA certificates.
# Reads CONTAINER_USER, CONTAINER_HOME, CONTAINER_LOCALE.
set -Eeuo pipefail

# shellcheck source=lib/apt.sh
source "${BASH_SOURCE[0]%/*}/lib/apt.sh"

# Makes user and group 999. Before any package does: the number is a promise to whoever mounts a volume.
create_user() {
  local user=$1 home=$2
  groupadd --gid 999 "$user"
  useradd --uid 999 --gid 999 --home-dir "$home" --no-create-home --shell /bin/bash "$user"
  install --directory --owner=999 --group=999 --mode=1777 "$home"
}

# Makes the folder of the entrypoint's state; any other user than ours finds another place.
create_state_folder() {
  install --directory --owner=999 --group=999 --mode=0755 "${1:-}/run/container"
}

# Generates one locale in UTF-8.
generate_locale() {
  local locale=$1
  localedef --inputfile="$locale" --force --charmap=UTF-8 --alias-file=/usr/share/locale/locale.alias "$locale.UTF-8"
}

main() {
  : "${CONTAINER_USER:?}" "${CONTAINER_HOME:?}" "${CONTAINER_LOCALE:?}"
  create_user "$CONTAINER_USER" "$CONTAINER_HOME"
  create_state_folder ""
  apt_update
  apt_install ca-certificates locales tzdata
  generate_locale "$CONTAINER_LOCALE"
  apt_clean
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
