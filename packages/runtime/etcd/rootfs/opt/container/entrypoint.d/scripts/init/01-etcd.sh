#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 01: etcd's settings are right, its folders are there and ours, and nobody else uses them.

# Ends unless a folder can be used; needs PATH and the variable's name. Closes it to others where it is ours.
etcd_check_folder() {
  folders_make "$1" "$2"
  if [[ -O $1 ]]; then
    # As etcd makes it; it warns of any other mode.
    if ! chmod u+rwx,go-rwx,-t -- "$1" 2>/dev/null || [[ ! -w $1 ]]; then folders_refuse "$1" "which is read-only" "$2"; fi
  fi
  if [[ ! -w $1 || ! -x $1 ]]; then folders_refuse "$1" "which belongs to another user" "$2"; fi
  if [[ -e $1/member && ! (-w $1/member && -x $1/member) ]]; then
    folders_refuse "$1" "whose files belong to another user" "$2"
  fi
}

# Makes and gives away the folders; needs root.
etcd_give_folders() {
  folders_give "$ETCD_DATA_DIR" ETCD_DATA_DIR
  if [[ -n ${ETCD_WAL_DIR-} ]]; then folders_give "$ETCD_WAL_DIR" ETCD_WAL_DIR; fi
}

# Runs the step; needs the container's command.
init_etcd() {
  # Of an image that has other servers too, perhaps another one is started.
  [[ ${ENTRYPOINT_MODE:-etcd} == etcd ]] || return 0
  etcd_take_command "$@"
  if ((EUID == 0)); then
    etcd_give_folders
    return 0
  fi
  etcd_prepare
  etcd_auth_prepare
  etcd_check_folder "$ETCD_DATA_DIR" ETCD_DATA_DIR
  if [[ -n ${ETCD_WAL_DIR-} ]]; then etcd_check_folder "$ETCD_WAL_DIR" ETCD_WAL_DIR; fi
  folders_lock "$ETCD_DATA_DIR" "the data"
  folders_check_space "${ETCD_WAL_DIR:-$ETCD_DATA_DIR}" "$MEMBER_SPACE_MB"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
