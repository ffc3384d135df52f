#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get install rm
  # As it lies in the build: both packages' setup files side by side.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root PGBACKREST_CHANNEL=debian
  mkdir -p "$SETUP" "$APT_ROOT/etc"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-pgbackrest/install/install.sh
}

@test "sourcing install.sh does nothing but define functions" {
  with_install -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "install.sh finds the setup files of setup-base beside its own" {
  unset SETUP
  run -0 bash -c 'source "$1"; type -t apt_install' bash "$INSTALL"
  [ "$output" = function ]
}

@test "refuse says why on stderr, and ends with the code for configuration" {
  run -2 --separate-stderr bash -c 'source "$1"; refuse "expected a," "found b"; echo never' bash "$INSTALL"
  [ -z "$output" ]
  [ "$stderr" = 'setup-pgbackrest: expected a, found b' ]
}

@test "install_debian installs the package and takes away the configuration that would mislead" {
  with_install -0 'install_debian'
  run -0 grep -vF '[--simulate]' "$CALLS"
  [[ ${lines[0]} == 'apt-get '*'[--no-install-recommends] [pgbackrest]' ]]
  [ "${lines[1]}" = 'rm [-f] [/etc/pgbackrest.conf] [/etc/logrotate.d/pgbackrest]' ]
}

@test "install_debian refuses a suite that does not have the package" {
  stub apt-get <<<'[[ " $* " != *" --simulate "* ]]'
  with_install -2 'install_debian'
  [[ $output == *"expected package pgbackrest in this base's suite, found none: choose the base that has it"* ]]
}

@test "install_debian stops when the package cannot be installed" {
  stub apt-get <<<'[[ " $* " == *" --simulate "* ]] || exit 100'
  with_install -100 'install_debian'
  run ! grep -q '^rm' "$CALLS"
}

@test "create_folders makes what pgBackRest writes to, writable for any user" {
  with_install -0 'create_folders "/a root"'
  calls_are <<'C'
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/a root/var/lib/pgbackrest] [/a root/var/log/pgbackrest] [/a root/var/spool/pgbackrest]
C
}

@test "create_folders makes them at the root of the image unless it is told another" {
  with_install -0 'create_folders'
  grep -qF '[/var/lib/pgbackrest]' "$CALLS"
}

@test "main fetches the lists, installs, makes the folders and cleans up, in this order" {
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get apt-get rm install rm' ]
  run -0 tail -1 "$CALLS"
  [[ $output == *'/var/lib/apt/lists/'* ]]
}

@test "main refuses a channel that it does not know, before it fetches anything" {
  PGBACKREST_CHANNEL=pgdg with_install -2 'main'
  [[ $output == *'channel: expected debian or source, found pgdg'* ]]
  calls_are </dev/null
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  with_install -100 'main'
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "main says which of its variables is missing" {
  unset PGBACKREST_CHANNEL
  with_install -1 'main'
  [[ $output == *PGBACKREST_CHANNEL* ]]
}

@test "install.sh runs main when it is executed" {
  PGBACKREST_CHANNEL=none run -2 bash "$INSTALL"
  [[ $output == *'expected debian or source, found none'* ]]
}

@test "install_source installs the libraries that the compiled one needs" {
  RUNTIME_PACKAGES='libssl3 libxml2' with_install -0 'install_source'
  run -0 cat "$CALLS"
  [[ $output == 'apt-get '*'[--no-install-recommends] [libssl3] [libxml2]' ]]
  unset RUNTIME_PACKAGES
  with_install -1 'install_source'
  [[ $output == *RUNTIME_PACKAGES* ]]
}
