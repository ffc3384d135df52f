#!/usr/bin/env bash
# The address at which other containers reach this one.

# Gives in REPLY what a variable says, else the address of an interface that others can reach; needs the variable's name. Gives 1 if
# there is none.
address_find() {
  local -a found=()
  local address
  REPLY=${!1-}
  [[ -z $REPLY ]] || return 0
  read -r -a found < <(hostname -I 2>/dev/null) || :
  for address in "${found[@]}"; do
    if [[ $address == 127.* || $address == ::1 || $address == fe80:* ]]; then continue; fi
    REPLY=$address
    return 0
  done
  return 1
}

# The same, and refuses to go on if there is none.
address_own() {
  address_find "$1" || die 2 "$1: expected an address at which the other nodes reach this one, found none on its interfaces; set it"
}

# Gives 0 if a text is an address with a port behind it.
address_has_port() { [[ $1 =~ ^(\[.*\]|[^:]*):[0-9]*$ ]]; }
