#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get find python3
  # As it lies in the build: both packages' setup files side by side. No file of this machine is named in the copy.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root PATRONI_CHANNEL=debian
  mkdir -p "$SETUP" "$APT_ROOT"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../{base,python}/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-patroni/install/install.sh
  sed -i 's|remove_defaults ""|remove_defaults "$APT_ROOT"|' "$INSTALL"
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
  [ "$stderr" = 'setup-patroni: expected a, found b' ]
}

@test "remove_defaults takes away what the package brings to start it, and nothing else" {
  make_files etc/patroni/dcs.yml etc/patroni/config.yml.in etc/init.d/patroni etc/rc2.d/S01patroni \
    etc/systemd/system/multi-user.target.wants/patroni.service etc/init.d/other usr/bin/patroni
  with_install -0 'remove_defaults "$APT_ROOT"'
  run -0 bash -c 'cd "$APT_ROOT" && PATH=${PATH#"$STUBS":} && find . -type f | sort'
  [ "$output" = './etc/init.d/other
./usr/bin/patroni' ]
}

@test "install_debian installs the package alone, then takes its defaults away" {
  make_files etc/patroni/dcs.yml
  stub apt-get <<<'[[ " $* " != *" --yes "* || -e $APT_ROOT/etc/patroni/dcs.yml ]]'
  with_install -0 'install_debian'
  run -0 grep -F '[--yes]' "$CALLS"
  [[ $output == *'[--no-install-recommends] [patroni] [python3-etcd] [python3-consul] [python3-kazoo]' ]]
  [ ! -e "$APT_ROOT/etc/patroni" ]
}

@test "install_debian leaves the bytecode of what Patroni loads, and no other" {
  with_install -0 'install_debian'
  run -0 tail -2 "$CALLS"
  [[ ${lines[0]} == 'find ['*'/usr/lib/python3'*'[-name] [__pycache__]'* ]]
  [[ ${lines[1]} == 'python3 [-c] [import os; os.umask = lambda mask: 0o022; import patroni.__main__, '*' patroni.dcs.etcd3, '*' psycopg2]' ]]
}

@test "install_debian fails when Patroni cannot be loaded" {
  stub python3 <<<'exit 1'
  with_install -1 'install_debian'
}

@test "install_debian refuses a suite that does not have the package" {
  stub apt-get <<<'[[ " $* " != *" --simulate "* ]]'
  with_install -2 'install_debian'
  [[ $output == *"expected package patroni in this base's suite, found none: choose the base that has it"* ]]
}

@test "main fetches the lists, installs and cleans up, in this order" {
  make_files var/lib/apt/lists/x
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get apt-get find python3' ]
  run -0 head -1 "$CALLS"
  [[ $output == *'[update]' ]]
  [ ! -e "$APT_ROOT/var/lib/apt/lists/x" ]
}

@test "main refuses a channel that it does not know, before it fetches anything" {
  PATRONI_CHANNEL=pip run -2 bash "$INSTALL"
  [[ $output == *'found pip'* ]]
  calls_are </dev/null
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  with_install -100 'main'
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "main says which of its variables is missing" {
  unset PATRONI_CHANNEL
  with_install -1 'main'
  [[ $output == *PATRONI_CHANNEL* ]]
}

@test "install_source installs what a release needs" {
  RUNTIME_PACKAGES='python3-click python3-yaml' with_install -0 'bytecode_drop() { echo "drop $*"; }; install_source'
  grep -qF '[python3-click] [python3-yaml]' "$CALLS"
  [[ $output == *'drop /usr/lib/python3'* ]]
}
