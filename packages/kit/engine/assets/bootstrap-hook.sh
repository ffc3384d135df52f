#!/usr/bin/env bash
# Run by mmdebstrap when the packages are in place: turns a minimal Debian into what the official slim image is.
# $1 is the new root. Nothing of the build machine stays: neither its mirror nor its proxy.
set -Eeuo pipefail

# Replaces the APT sources of the build machine by those that APT's own documentation names for the release.
keep_documented_sources() {
  local root=$1 examples=$1/usr/share/doc/apt/examples
  rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
  if [[ -f $examples/debian.sources ]]; then
    awk '/^#/ { next } /^Components:/ { print "Components: main"; next } { print }' \
      "$examples/debian.sources" >"$root/etc/apt/sources.list.d/debian.sources"
  elif [[ -f $examples/sources.list ]]; then
    awk '/^deb / { print $1, $2, $3, "main" }' "$examples/sources.list" >"$root/etc/apt/sources.list"
  else
    echo "bootstrap: expected APT's example sources in $examples, found none" >&2
    return 1
  fi
  rm -rf "$root/usr/share/doc/apt/examples"
}

# Keeps later installs as small as the bootstrap: no package files, no lists, no docs, no translations.
keep_installs_small() {
  local root=$1
  rm -f "$root"/etc/apt/apt.conf.d/99mmdebstrap
  mv "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/slim"
  awk '!/usr\/share\/doc\/apt\/examples/' "$root/etc/dpkg/dpkg.cfg.d/slim" >"$root/etc/dpkg/dpkg.cfg.d/slim.new"
  mv "$root/etc/dpkg/dpkg.cfg.d/slim.new" "$root/etc/dpkg/dpkg.cfg.d/slim"
  cat >"$root/etc/apt/apt.conf.d/slim" <<'CONF'
Acquire::Languages "none";
Acquire::GzipIndexes "true";
APT::AutoRemove::SuggestsImportant "false";
APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
CONF
  printf '#!/bin/sh\n# No service is started while an image is built.\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 0755 "$root/usr/sbin/policy-rc.d"
}

# Takes away what the bootstrap itself left: logs, backups, the machine's name and resolver.
drop_traces() {
  local root=$1
  rm -rf "$root"/var/log/{apt,bootstrap.log,dpkg.log,alternatives.log} "$root"/var/cache/{debconf/*-old,ldconfig/aux-cache} \
    "$root"/var/lib/dpkg/*-old "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/{*.bin,archives/*.deb} "$root"/tmp/* "$root"/run/*
  : >"$root/etc/machine-id"
  rm -f "$root"/etc/{hostname,resolv.conf} "$root"/var/lib/dbus/machine-id
}

main() {
  keep_documented_sources "$1"
  keep_installs_small "$1"
  drop_traces "$1"
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
