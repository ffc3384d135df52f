#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  prepare_stage
  TOOLCHAIN=$SETUP/setup-toolchain/stage/toolchain.sh
  export BUILD_PACKAGES='build-essential git' PG_CHANNEL=debian PG_MAJOR=17
}

# Runs functions of toolchain.sh in a shell of their own.
with_toolchain() { run "$1" bash -c 'source "$1"; '"$2" bash "$TOOLCHAIN"; }

@test "sourcing toolchain.sh does nothing but define functions" {
  with_toolchain -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "toolchain.sh finds the setup files of setup-base beside its own" {
  unset SETUP
  run -0 bash -c 'source "$1"; type -t apt_install' bash "$TOOLCHAIN"
  [ "$output" = function ]
}

@test "server_headers names the package of the major version, of either kind of packages" {
  with_toolchain -0 'server_headers; echo "$REPLY"; PG_CHANNEL=pgdg PG_MAJOR=13 server_headers; echo "$REPLY"'
  [ "$output" = $'postgresql-server-dev-17\npostgresql-server-dev-13' ]
}

@test "server_headers names none for a server that is compiled itself, and where there is no server" {
  local channel
  for channel in source none ''; do
    PG_CHANNEL=$channel with_toolchain -0 'REPLY=old; server_headers; echo "<$REPLY>"'
    [ "$output" = '<>' ]
  done
  unset PG_CHANNEL PG_MAJOR
  with_toolchain -0 'REPLY=old; server_headers; echo "<$REPLY>"'
  [ "$output" = '<>' ]
}

@test "server_headers says when the major version is missing" {
  unset PG_MAJOR
  with_toolchain -1 'server_headers'
  [[ $output == *PG_MAJOR* ]]
}

@test "main fetches the lists, installs all packages at once, and cleans up, in this order" {
  stub apt-get <<<'mkdir -p "$APT_ROOT/var/lib/apt/lists" && touch "$APT_ROOT/var/lib/apt/lists/a"'
  run -0 bash "$TOOLCHAIN"
  run -0 cat "$CALLS"
  [ "${#lines[@]}" = 2 ]
  [[ ${lines[0]} == 'apt-get '*' [update]' ]]
  [[ ${lines[1]} == *' [--no-install-recommends] [build-essential] [git] [postgresql-server-dev-17]' ]]
  [ ! -e "$APT_ROOT/var/lib/apt/lists/a" ]
}

@test "main installs no headers for a server that is compiled itself" {
  PG_CHANNEL=source run -0 bash "$TOOLCHAIN"
  run -0 tail -1 "$CALLS"
  [[ $output == *' [--no-install-recommends] [build-essential] [git]' ]]
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  run -100 bash "$TOOLCHAIN"
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "main stops when a package cannot be installed" {
  mkdir -p "$APT_ROOT/var/lib/apt/lists"
  touch "$APT_ROOT/var/lib/apt/lists/a"
  stub apt-get <<<'[[ " $* " != *" install "* ]] || exit 100'
  run -100 bash "$TOOLCHAIN"
  [ -e "$APT_ROOT/var/lib/apt/lists/a" ]
}

@test "main says which of its variables is missing, before it fetches anything" {
  local variable
  for variable in BUILD_PACKAGES PG_MAJOR; do
    run -1 env -u "$variable" bash "$TOOLCHAIN"
    [[ $output == *"$variable"* ]]
  done
  calls_are </dev/null
}
