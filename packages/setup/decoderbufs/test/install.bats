#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get rm
  # As it lies in the build: both packages' setup files side by side.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root
  export DECODERBUFS_CHANNEL=debian PG_MAJOR=17 RUNTIME_PACKAGES='libprotobuf-c1 another'
  mkdir -p "$SETUP" "$APT_ROOT/etc"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-decoderbufs/install/install.sh
  # The copy makes nothing in this machine's /opt.
  sed -i "s|/opt/|$APT_ROOT/opt/|g" "$INSTALL"
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
  [ "$stderr" = 'setup-decoderbufs: expected a, found b' ]
}

@test "install_debian installs the package of the major version" {
  with_install -0 'install_debian 15'
  run -0 tail -1 "$CALLS"
  [[ $output == 'apt-get '*'[install] [--yes] [--no-install-recommends] [postgresql-15-decoderbufs]' ]]
}

@test "install_debian refuses a suite that does not have the package, and says what to do" {
  stub apt-get <<<'[[ " $* " != *" --simulate "* ]]'
  with_install -2 'install_debian 16; echo never'
  [ "$output" = "setup-decoderbufs: expected package postgresql-16-decoderbufs in this base's suite, found none: choose channel source" ]
  run ! grep -qF '[--yes]' "$CALLS"
}

@test "install_debian stops when the package cannot be installed" {
  stub apt-get <<<'[[ " $* " == *" --simulate "* ]] || exit 100'
  with_install -100 'install_debian 17; echo never'
}

@test "install_source installs the libraries alone" {
  with_install -0 'install_source 17'
  run -0 cat "$CALLS"
  [ "${#lines[@]}" = 1 ]
  [[ $output == 'apt-get '*'[install] [--yes] [--no-install-recommends] [libprotobuf-c1] [another]' ]]
}

@test "install_source says when it is not told which" {
  unset RUNTIME_PACKAGES
  with_install -1 'install_source 17'
  [[ $output == *RUNTIME_PACKAGES* ]]
  calls_are </dev/null
}

@test "main fetches the lists, installs and cleans up, in this order" {
  run -0 bash "$INSTALL"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get apt-get rm' ]
  grep -qF '[postgresql-17-decoderbufs]' "$CALLS"
  run -0 tail -1 "$CALLS"
  [[ $output == *'/var/lib/apt/lists/'* ]]
}

@test "main with channel source asks for no package of decoderbufs" {
  DECODERBUFS_CHANNEL=source run -0 bash "$INSTALL"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get rm' ]
  run ! grep -qF 'decoderbufs' "$CALLS"
}

@test "main refuses a channel that it does not know, before it fetches anything" {
  local channel
  for channel in pgdg none 'debian source'; do
    DECODERBUFS_CHANNEL=$channel run -2 bash "$INSTALL"
    [ "$output" = "setup-decoderbufs: channel: expected debian or source, found $channel" ]
  done
  calls_are </dev/null
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  run -100 bash "$INSTALL"
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "main says which of its variables is missing" {
  local variable
  for variable in DECODERBUFS_CHANNEL PG_MAJOR; do
    run -1 env -u "$variable" bash "$INSTALL"
    [[ $output == *"$variable"* ]]
    run ! grep -qF '[install]' "$CALLS"
  done
}

@test "main adds it to the output plugins that the container's server loads, whatever its channel" {
  local channel
  for channel in debian source; do
    rm -rf "$APT_ROOT/opt"
    DECODERBUFS_CHANNEL=$channel with_install -0 'main'
    [ -f "$APT_ROOT/opt/container/output_plugin_libraries.d/decoderbufs" ]
  done
}
