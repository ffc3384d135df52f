#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  prepare_stubs
  export APT_SECRETS="$BATS_TEST_TMPDIR/my secrets" APT_ROOT=$BATS_TEST_TMPDIR/root
  mkdir -p "$APT_SECRETS"
  unset APT_CONFIG DEBIAN_FRONTEND
  stub apt-get <<<'echo "config=${APT_CONFIG-none} frontend=${DEBIAN_FRONTEND-none}"'
  # shellcheck source=../rootfs/mnt/setup/setup-base/lib/apt.sh
  source "$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/lib/apt.sh"
}

@test "sourcing apt.sh does nothing but define functions" {
  run ! test -s "$CALLS"
  [ "$(type -t apt_get apt_update apt_install apt_has apt_clean | sort -u)" = function ]
}

@test "apt.sh reads the secrets from /mnt/secrets unless it is told otherwise" {
  run env -u APT_SECRETS -u APT_ROOT bash -c 'source "$1"; echo "$APT_SECRETS|$APT_ROOT"' bash \
    "$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/lib/apt.sh"
  [ "$output" = '/mnt/secrets|' ]
}

@test "apt_get asks no questions and hands its arguments over as they are" {
  run -0 apt_get install 'a b' '*'
  [ "$output" = 'config=none frontend=noninteractive' ]
  calls_are <<<'apt-get [-q] [-o] [Dpkg::Use-Pty=0] [-o] [Acquire::Retries=3] [install] [a b] [*]'
}

@test "apt_get takes the site's mirror, and only that, where the build was given one" {
  echo 'deb http://mirror x main' >"$APT_SECRETS/apt-sources"
  run -0 apt_get update
  grep -qF "[-o] [Dir::Etc::SourceList=$APT_SECRETS/apt-sources] [-o] [Dir::Etc::SourceParts=/dev/null] [update]" "$CALLS"
}

@test "apt_get takes the site's proxy where the build was given one" {
  echo 'Acquire::http::Proxy "http://proxy:3128";' >"$APT_SECRETS/apt-conf"
  run -0 apt_get update
  [ "$output" = "config=$APT_SECRETS/apt-conf frontend=noninteractive" ]
}

@test "apt_get passes over secrets that are empty, as BuildKit makes them" {
  : >"$APT_SECRETS/apt-sources"
  : >"$APT_SECRETS/apt-conf"
  run -0 apt_get update
  [ "$output" = 'config=none frontend=noninteractive' ]
  run ! grep -q SourceList "$CALLS"
}

@test "apt_get works where there is no folder of secrets" {
  APT_SECRETS=/nowhere run -0 apt_get update
}

@test "apt_get leaves no setting behind in the script that calls it" {
  echo x >"$APT_SECRETS/apt-conf"
  apt_get update
  [ "${APT_CONFIG-unset} ${DEBIAN_FRONTEND-unset}" = 'unset unset' ]
}

@test "apt_get gives apt-get's exit code on" {
  stub apt-get <<<'exit 100'
  run -100 apt_get update
}

@test "apt_update fails when a list cannot be fetched" {
  run -0 apt_update
  grep -qF '[APT::Update::Error-Mode=any] [update]' "$CALLS"
}

@test "apt_install installs nothing that is merely recommended" {
  run -0 apt_install one two
  grep -qF '[install] [--yes] [--no-install-recommends] [one] [two]' "$CALLS"
}

@test "apt_has says nothing, and whether a package could be installed" {
  stub apt-get <<<'echo noise; echo error >&2; [[ ${*: -1} == there ]]'
  run -0 apt_has there
  [ -z "$output" ]
  run -1 apt_has absent
  [ -z "$output" ]
  grep -qF '[install] [--simulate]' "$CALLS"
}

@test "apt_clean takes away lists, archives, caches, logs and backups" {
  make_files var/lib/apt/lists/mirror_InRelease var/lib/apt/lists/partial/x var/cache/apt/archives/a.deb \
    var/cache/apt/pkgcache.bin var/cache/apt/srcpkgcache.bin var/log/apt/history.log var/log/dpkg.log \
    var/log/alternatives.log var/log/bootstrap.log var/log/postgresql/x.log var/cache/debconf/templates.dat-old \
    var/cache/ldconfig/aux-cache var/lib/dpkg/status-old
  apt_clean
  [ -z "$(find "$APT_ROOT" -type f)" ]
}

@test "apt_clean keeps everything else, and the folder of the lists" {
  make_files var/lib/apt/extended_states var/lib/apt/lists/x var/lib/dpkg/status var/cache/debconf/templates.dat \
    var/log/wtmp etc/apt/sources.list
  apt_clean
  run -0 bash -c 'cd "$APT_ROOT" && find . -type f | sort'
  [ "$output" = './etc/apt/sources.list
./var/cache/debconf/templates.dat
./var/lib/apt/extended_states
./var/lib/dpkg/status
./var/log/wtmp' ]
  [ -d "$APT_ROOT/var/lib/apt/lists" ]
}

@test "apt_clean is content when there is nothing to clean, twice too" {
  mkdir -p "$APT_ROOT"
  apt_clean
  apt_clean
}

@test "apt_clean works below a root with a blank in its path, and touches nothing beside it" {
  APT_ROOT="$BATS_TEST_TMPDIR/a root"
  make_files var/lib/apt/lists/x
  mkdir -p "$BATS_TEST_TMPDIR/a"
  apt_clean
  [ -z "$(find "$APT_ROOT" -type f)" ]
  [ -d "$BATS_TEST_TMPDIR/a" ]
}

@test "apt.sh at its old place brings the same functions" {
  run -0 bash -c 'source "$1"; type -t apt_install' bash "$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/apt.sh"
  [ "$output" = function ]
}
