#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get groupmod usermod install rm
  # As it lies in the build: both packages' setup files side by side.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root USER_FILES=$BATS_TEST_TMPDIR/etc
  mkdir -p "$SETUP" "$APT_ROOT" "$USER_FILES"
  echo 'app:x:999:999::/none:/bin/bash' >"$USER_FILES/passwd"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-haproxy/install/install.sh
}

# Makes files below a folder.
make_files() {
  local file
  for file in "${@:2}"; do
    mkdir -p "$1/${file%/*}"
    echo x >"$1/$file"
  done
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
  [ "$stderr" = 'setup-haproxy: expected a, found b' ]
}

@test "install_package installs what the suite has, and refuses one that has none" {
  with_install -0 'install_package'
  [[ $(tail -1 "$CALLS") == 'apt-get '*'[install] [--yes] [--no-install-recommends] [haproxy]' ]]
  stub apt-get <<<'[[ " $* " != *" --simulate "* ]]'
  with_install -2 'install_package'
  [[ $output == *"expected package haproxy in this base's suite, found none: choose the base that has it"* ]]
}

@test "remove_services takes away configuration and services, on a base with merged /usr too, and nothing else" {
  local root="$BATS_TEST_TMPDIR/a root"
  /bin/rm "$STUBS/rm"
  make_files "$root" etc/haproxy/haproxy.cfg etc/haproxy/errors/400.http etc/default/haproxy etc/init.d/haproxy \
    etc/logrotate.d/haproxy etc/rsyslog.d/49-haproxy.conf etc/rc2.d/S01haproxy etc/rc0.d/K01haproxy \
    etc/systemd/system/multi-user.target.wants/haproxy.service lib/systemd/system/haproxy.service \
    usr/lib/systemd/system/haproxy.service usr/lib/tmpfiles.d/haproxy.conf run/adduser/x \
    var/lib/systemd/deb-systemd-helper-enabled/haproxy.service.dsh-also \
    var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants/haproxy.service \
    etc/default/other etc/init.d/other etc/rc2.d/S01other usr/sbin/haproxy run/container/x
  with_install -0 'remove_services "'"$root"'"'
  run -0 bash -c 'cd "$1" && find . -type f | sort' bash "$root"
  [ "$output" = $'./etc/default/other\n./etc/init.d/other\n./etc/rc2.d/S01other\n./run/container/x\n./usr/sbin/haproxy' ]
}

@test "create_folders makes the one where a configuration may be mounted" {
  with_install -0 'create_folders "/a root"; create_folders'
  calls_are <<'C'
install [--directory] [--mode=0755] [/a root/usr/local/etc/haproxy]
install [--directory] [--mode=0755] [/usr/local/etc/haproxy]
C
}

@test "main: the user's name first, then the package, then what is not needed goes" {
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'groupmod usermod usermod install apt-get apt-get apt-get rm install rm' ]
  grep -qxF 'usermod [--home] [/var/lib/haproxy] [haproxy]' "$CALLS"
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  run -100 bash "$INSTALL"
  [ "$(grep -c apt-get "$CALLS")" = 1 ]
}
