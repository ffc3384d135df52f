#!/usr/bin/env bash
# APT for setup scripts, sourced by them. A site's own mirror and proxy come as build secrets and leave no trace.

APT_SECRETS=${APT_SECRETS:-/mnt/secrets}
APT_ROOT=${APT_ROOT:-}

# Runs apt-get with the site's sources and proxy where the build was given any.
apt_get() {
  local -a options=(-q -o "Dpkg::Use-Pty=0" -o "Acquire::Retries=3")
  if [[ -s $APT_SECRETS/apt-sources ]]; then
    options+=(-o "Dir::Etc::SourceList=$APT_SECRETS/apt-sources" -o "Dir::Etc::SourceParts=/dev/null")
  fi
  if [[ -s $APT_SECRETS/apt-conf ]]; then
    APT_CONFIG=$APT_SECRETS/apt-conf DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" "$@"
  else
    DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" "$@"
  fi
}

# Fetches the package lists. apt-get update alone ends with 0 when a list could not be fetched.
apt_update() {
  apt_get -o "APT::Update::Error-Mode=any" update
}

# Installs packages and what they depend on, and nothing that is merely recommended.
apt_install() {
  apt_get install --yes --no-install-recommends "$@"
}

# Whether the lists have a package that could be installed. Needs apt_update.
apt_has() {
  apt_get install --simulate --no-install-recommends "$1" >/dev/null 2>&1
}

# Removes what installing left behind: lists, archives, logs, backups.
apt_clean() {
  local root=$APT_ROOT
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin \
    "$root"/var/log/apt "$root"/var/log/{dpkg,alternatives,bootstrap}.log "$root"/var/log/postgresql \
    "$root"/var/cache/debconf/*-old "$root"/var/cache/ldconfig/aux-cache "$root"/var/lib/dpkg/*-old
}
