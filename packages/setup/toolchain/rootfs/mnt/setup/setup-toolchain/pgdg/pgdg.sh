#!/usr/bin/env bash
# The PostgreSQL project's APT repository, sourced by who installs from it; that one has refuse.

# What the project publishes: https://www.postgresql.org/download/linux/debian/
PGDG_FINGERPRINT=B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8
PGDG_ADDRESS=https://apt.postgresql.org/pub/repos/apt
# Debian's own packages bring the key, under Debian's signature: nothing is fetched for it.
PGDG_KEY=/usr/share/postgresql-common/pgdg/apt.postgresql.org.gpg

# Gives the fingerprint of a key file (binary, one key) in REPLY. It is the SHA-1 of the key's first packet, so it takes
# no GnuPG in the image.
pgdg_fingerprint() {
  local file=$1 head
  REPLY=
  head=$(od -An -tx1 -N3 "$file" | tr -d ' \n')
  # A public key with a length of two bytes, the only form whose packet is what is summed.
  [[ $head == 99???? ]] || return 0
  REPLY=$(head -c $((16#${head:2} + 3)) "$file" | sha1sum)
  REPLY=${REPLY%% *}
  REPLY=${REPLY^^}
}

# Refuses a key that is not the project's.
pgdg_check_key() {
  local file=$1
  [[ -s $file ]] || refuse "expected the key of the PostgreSQL project at $file, found none: choose the base whose postgresql-client-common has it"
  pgdg_fingerprint "$file"
  [[ $REPLY == "$PGDG_FINGERPRINT" ]] || refuse "$file: expected the key $PGDG_FINGERPRINT, found ${REPLY:-no public key}"
}

# Gives in REPLY the line of a sources list for a suite.
pgdg_line() {
  local suite=$1 address=$2
  REPLY="deb [signed-by=$PGDG_KEY] ${address%/} $suite-pgdg main"
}

# Lets APT see the repository during the build. Where the site gave its own sources APT reads those alone, so the line
# is added to a copy of them, in the folder.
pgdg_enable() {
  local suite=$1 address=$2 folder=$3
  pgdg_line "$suite" "$address"
  if [[ -s $APT_SECRETS/apt-sources ]]; then
    cp -R "$APT_SECRETS/." "$folder"
    printf '\n%s\n' "$REPLY" >>"$folder/apt-sources"
    APT_SECRETS=$folder
  else
    printf '%s\n' "$REPLY" >"$APT_ROOT/etc/apt/sources.list.d/pgdg.list"
  fi
}

# Leaves the project's own server in the image, wherever the build took the packages from.
pgdg_keep() {
  pgdg_line "$1" "$PGDG_ADDRESS"
  printf '%s\n' "$REPLY" >"$APT_ROOT/etc/apt/sources.list.d/pgdg.list"
}
