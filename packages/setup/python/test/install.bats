#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get rm find
  # As it lies in the build: both packages' setup files side by side.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere PYTHON_CHANNEL=debian RUNTIME_PACKAGES='libffi8 libssl3'
  mkdir -p "$SETUP"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-python/install/install.sh
}

@test "sourcing install.sh does nothing but define functions" {
  with_install -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "refuse says why on stderr, and ends with the code for configuration" {
  run -2 --separate-stderr bash -c 'source "$1"; refuse "expected a," "found b"; echo never' bash "$INSTALL"
  [ -z "$output" ]
  # shellcheck disable=SC2154 # set by run
  [ "$stderr" = 'setup-python: expected a, found b' ]
}

@test "install_debian installs the package alone, then takes its bytecode away" {
  with_install -0 'install_debian'
  run -0 tail -2 "$CALLS"
  [[ ${lines[0]} == *'[--no-install-recommends] [python3]' ]]
  [[ ${lines[1]} == 'find ['*'/usr/lib/python3'*'[-name] [__pycache__]'* ]]
}

@test "install_debian refuses a suite that does not have the package" {
  stub apt-get <<<'[[ " $* " != *" --simulate "* ]]'
  with_install -2 'install_debian'
  [[ $output == *"expected package python3 in this base's suite, found none: choose the base that has it"* ]]
}

@test "install_source installs what the compiled Python needs, and no Python" {
  with_install -0 'install_source'
  run -0 cat "$CALLS"
  [[ $output == *'[--no-install-recommends] [libffi8] [libssl3]' ]]
  unset RUNTIME_PACKAGES
  with_install -1 'install_source'
  [[ $output == *RUNTIME_PACKAGES* ]]
}

@test "main fetches the lists, installs and cleans up, in this order" {
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get apt-get find rm' ]
  run -0 head -1 "$CALLS"
  [[ $output == *'[update]' ]]
}

@test "main refuses a channel that it does not know, before it fetches anything" {
  PYTHON_CHANNEL=conda run -2 bash "$INSTALL"
  [[ $output == *'channel: expected debian or source, found conda'* ]]
  calls_are </dev/null
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  with_install -100 'main'
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "main says which of its variables is missing" {
  unset PYTHON_CHANNEL
  with_install -1 'main'
  [[ $output == *PYTHON_CHANNEL* ]]
}
