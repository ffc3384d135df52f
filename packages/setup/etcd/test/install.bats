#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get install groupmod usermod
  # As it lies in the build: both packages' setup files side by side. No file of this machine is named in the copy.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root ETCD_CHANNEL=debian
  export USER_FILES=$APT_ROOT/etc
  mkdir -p "$SETUP" "$USER_FILES" "$APT_ROOT/usr/share/doc"
  echo 'app:x:999:999::/none:/bin/bash' >"$USER_FILES/passwd"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-etcd/install/install.sh
  sed -i 's|remove_service ""|remove_service "$APT_ROOT"|' "$INSTALL"
}

@test "sourcing install.sh does nothing but define functions" {
  with_install -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "install.sh finds the setup files of setup-base beside its own" {
  unset SETUP
  run -0 bash -c 'source "$1"; type -t apt_install user_rename' bash "$INSTALL"
  [ "$output" = $'function\nfunction' ]
}

@test "refuse says why on stderr, and ends with the code for configuration" {
  run -2 --separate-stderr bash -c 'source "$1"; refuse "expected a," "found b"; echo never' bash "$INSTALL"
  [ -z "$output" ]
  # shellcheck disable=SC2154 # set by run
  [ "$stderr" = 'setup-etcd: expected a, found b' ]
}

@test "remove_service takes away what starts etcd on a machine, and nothing else" {
  make_files etc/default/etcd etc/init.d/etcd etc/rc2.d/S01etcd etc/rc0.d/K01etcd usr/lib/systemd/system/etcd.service \
    etc/systemd/system/etcd2.service etc/systemd/system/multi-user.target.wants/etcd.service \
    var/lib/systemd/deb-systemd-helper-enabled/etcd.service.dsh-also etc/init.d/other etc/rc2.d/S01other usr/bin/etcd \
    var/lib/systemd/deb-systemd-helper-enabled/other.service usr/share/doc/etcd-server/rfc/x usr/share/doc/etcd-client/copyright \
    usr/share/doc/other/x
  with_install -0 'remove_service "$APT_ROOT"'
  run -0 bash -c 'cd "$APT_ROOT" && find . -type f | sort'
  [ "$output" = './etc/init.d/other
./etc/passwd
./etc/rc2.d/S01other
./usr/bin/etcd
./usr/share/doc/etcd-client/copyright
./usr/share/doc/other/x
./var/lib/systemd/deb-systemd-helper-enabled/other.service' ]
}

@test "install_debian installs server and client, then takes their service away" {
  make_files etc/default/etcd
  stub apt-get <<<'[[ " $* " != *" --yes "* || -e $APT_ROOT/etc/default/etcd ]]'
  with_install -0 'install_debian'
  run -0 grep -F '[--yes]' "$CALLS"
  [[ $output == *'[--no-install-recommends] [etcd-server] [etcd-client]' ]]
  [ ! -e "$APT_ROOT/etc/default/etcd" ]
}

@test "install_debian refuses a suite that lacks a package" {
  stub apt-get <<<'[[ " $* " != *" --simulate "*etcd-client* ]]'
  with_install -2 'install_debian'
  [[ $output == *"expected package etcd-client in this base's suite, found none: choose the base that has it"* ]]
  run ! grep -qF '[--yes]' "$CALLS"
}

@test "install_release installs no package" {
  with_install -0 'install_release'
  calls_are </dev/null
}

@test "create_folders makes them writable for any user, and one for certificates" {
  with_install -0 'create_folders "/a root"; create_folders'
  calls_are <<'C'
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/a root/var/lib/etcd]
install [--directory] [/a root/etc/etcd/tls]
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/var/lib/etcd]
install [--directory] [/etc/etcd/tls]
C
}

@test "main gives user 999 its name before any package is installed, and opens the folder after" {
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'groupmod usermod usermod install apt-get apt-get apt-get apt-get install install' ]
  grep -qxF 'usermod [--home] [/var/lib/etcd] [etcd]' "$CALLS"
}

@test "main, channel release: no package, the same folders" {
  ETCD_CHANNEL=release with_install -0 'main'
  run ! grep -qF '[--yes]' "$CALLS"
  grep -qF '[--mode=1777] [/var/lib/etcd]' "$CALLS"
}

@test "main refuses a channel that it does not know, before it changes anything" {
  ETCD_CHANNEL=source with_install -2 'main'
  [[ $output == *'channel: expected debian or release, found source'* ]]
  calls_are </dev/null
  unset ETCD_CHANNEL
  with_install -1 'main'
  [[ $output == *ETCD_CHANNEL* ]]
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  with_install -100 'main'
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "install.sh runs main when it is executed" {
  ETCD_CHANNEL=none run -2 bash "$INSTALL"
  [[ $output == *'expected debian or release, found none'* ]]
}
