#!/usr/bin/env bash
# Users, ownership and files that are nobody else's business.

# The user the server runs as when the container is started as root: postgres in the official image and in ours.
SECURITY_UID=${SECURITY_UID:-999}
SECURITY_GID=${SECURITY_GID:-999}

# Gives 0 if the process has a capability in effect; needs its number (CAP_CHOWN 0, CAP_SETGID 6, CAP_SETUID 7).
security_capable() {
  local number=$1 status=${2:-/proc/self/status} key value
  while read -r key value; do
    [[ $key == CapEff: ]] || continue
    (((16#$value >> number) & 1)) && return 0
    return 1
  done <"$status"
  return 1
}

# Gives 0 if the user number has an entry in the user file; the entry's home is then in REPLY.
security_known_user() {
  local wanted=$1 file=${2:-/etc/passwd} name password number group comment home shell
  REPLY=""
  [[ -r $file ]] || return 1
  # shellcheck disable=SC2034 # the fields before the home have to be named to be passed over
  while IFS=: read -r name password number group comment home shell; do
    [[ $number == "$wanted" ]] || continue
    REPLY=$home
    return 0
  done <"$file"
  return 1
}

# Gives 0 if a folder may be given to the server's user: no folder of the system, whatever a variable says.
security_safe_folder() {
  local path=$1
  [[ $path == /* && $path != *//* && $path/ != */./* && $path/ != */../* ]] || return 1
  case $path in
    / | /bin | /boot | /dev | /etc | /home | /lib | /lib64 | /media | /mnt | /opt | /proc | /root | /run | /sbin | /srv) return 1 ;;
    /sys | /tmp | /usr | /var | /dev/* | /proc/* | /sys/* | /etc/* | /boot/* | /bin/* | /sbin/* | /lib/* | /lib64/*) return 1 ;;
    /usr/bin* | /usr/sbin* | /usr/lib* | /usr/share* | /usr/local | /usr/local/bin* | /usr/local/sbin* | /usr/local/lib*) return 1 ;;
    /var/lib | /var/run | /var/log | /var/tmp) return 1 ;;
  esac
}

# Gives a folder and all in it to the server's user; needs root. Only what belongs to somebody else is touched.
security_own() {
  find -H "$1" ! -user "$SECURITY_UID" -exec chown -h "$SECURITY_UID:$SECURITY_GID" {} +
}

# Writes the text of the second argument to a file that only its owner can read.
security_private_file() {
  local status=0
  umask 077
  # An older file of the same name may have been left open to others: its mode would stay.
  if [[ -e $1 ]]; then rm -f -- "$1"; fi
  printf '%s' "$2" >"$1" || status=$?
  umask 022
  return "$status"
}

# Replaces the process by the same command as the server's user; needs root and the command.
security_step_down() {
  if ! security_capable 6 || ! security_capable 7; then
    die 3 "started as root, but without the capabilities SETUID and SETGID that stepping down needs;" \
      "start the container as its default user (leave out --user), or add --cap-add SETUID --cap-add SETGID"
  fi
  type -P setpriv >/dev/null || die 4 "setpriv is missing, expected in the image (package util-linux)"
  security_known_user "$SECURITY_UID" && [[ -n $REPLY ]] && export HOME=$REPLY
  # setpriv only takes rights away, so it works under no_new_privs too, where a set-uid program would not.
  log_debug "stepping down from root to $SECURITY_UID:$SECURITY_GID with setpriv"
  exec setpriv --reuid="$SECURITY_UID" --regid="$SECURITY_GID" --init-groups -- "$@"
}
