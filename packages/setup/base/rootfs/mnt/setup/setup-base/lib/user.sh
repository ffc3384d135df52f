#!/usr/bin/env bash
# The image's user for setup scripts, sourced by them. setup-base makes it by one name for all images, so that its layer
# is the same in all; a fragment whose server has a user of its own by tradition gives it that name.

USER_FILES=${USER_FILES:-/etc}

# Gives in REPLY the name and in USER_HOME the home of user 999; 1 if there is none.
user_find() {
  local name password number group comment home shell
  # shellcheck disable=SC2034 # the fields before the home have to be named to be passed over
  while IFS=: read -r name password number group comment home shell; do
    [[ $number == 999 ]] || continue
    REPLY=$name USER_HOME=$home
    return 0
  done <"$USER_FILES/passwd"
  return 1
}

# Gives user and group 999 another name and home, before a package makes a user of that name; needs both. What it is
# called already stays as it is. The old home goes if nothing is in it.
user_rename() {
  local name=$1 home=$2 old
  user_find || {
    printf 'user: expected user 999 in %s, found none; setup-base makes it\n' "$USER_FILES/passwd" >&2
    return 2
  }
  old=$USER_HOME
  [[ $REPLY != "$name" || $old != "$home" ]] || return 0
  if [[ $REPLY != "$name" ]]; then
    groupmod --new-name "$name" "$REPLY"
    usermod --login "$name" "$REPLY"
  fi
  if [[ $old != "$home" ]]; then
    usermod --home "$home" "$name"
    if [[ -d $old ]]; then rmdir --ignore-fail-on-non-empty "$old"; fi
  fi
  install --directory --owner=999 --group=999 --mode=1777 "$home"
}
