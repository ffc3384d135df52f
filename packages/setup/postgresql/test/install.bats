#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get install rm
  # As it lies in the build: both packages' setup files side by side.
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root
  export SCRATCH=$BATS_TEST_TMPDIR/scratch RUNTIME_PACKAGES='libssl3 libxml2'
  mkdir -p "$SETUP" "$SCRATCH" "$APT_ROOT/etc/postgresql-common" "$APT_ROOT/etc/apt/sources.list.d"
  echo 'VERSION_CODENAME=trixie' >"$APT_ROOT/etc/os-release"
  export USER_FILES=$APT_ROOT/etc
  echo 'postgres:x:999:999::/var/lib/postgresql:/bin/bash' >"$USER_FILES/passwd"
  CLUSTER_CONF=$APT_ROOT/etc/postgresql-common/createcluster.conf
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../{base,toolchain}/rootfs/mnt/setup/. "$SETUP"
  INSTALL=$SETUP/setup-postgresql/install/install.sh
  # The copy names no file of this machine's /etc, so that no mistake in a test can reach one.
  sed -i "s|/etc/|$APT_ROOT/etc/|g; s|/usr/lib/postgresql|$APT_ROOT&|g" "$INSTALL"
  sed -i "s|=/opt/|=$APT_ROOT/opt/|" "$SETUP/setup-postgresql/lib/plugins.sh"
  local major
  for major in 15 16 17 18; do put_server "$major"; done
  export PG_MAJOR=17 PG_CHANNEL=debian PG_JIT=true PGDG_MIRROR=https://mirror.invalid/apt
}

# Puts a server of a major version where its package would: it knows one parameter, whose line is given, else none.
put_server() {
  local folder=$APT_ROOT/usr/lib/postgresql/$1/bin
  mkdir -p "$folder"
  printf '#!/bin/sh\n[ "$*" = --describe-config ] || exit 9\nprintf "%%b" "%s"\n' "${2-}" >"$folder/postgres"
  chmod +x "$folder/postgres"
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
  # shellcheck disable=SC2154 # set by run
  [ "$stderr" = 'setup-postgresql: expected a, found b' ]
}

@test "forbid_main_cluster adds its setting and keeps what is there" {
  printf 'start_conf = auto' >"$APT_ROOT/given.conf"
  with_install -0 'forbid_main_cluster "$APT_ROOT/given.conf"'
  run -0 cat "$APT_ROOT/given.conf"
  [ "${lines[0]}" = 'start_conf = auto' ]
  [ "${lines[2]}" = 'create_main_cluster = false' ]
}

@test "forbid_main_cluster writes to Debian's file unless it is told another" {
  with_install -0 'forbid_main_cluster'
  grep -qx 'create_main_cluster = false' "$CLUSTER_CONF"
}

@test "forbid_main_cluster fails where postgresql-common is not installed" {
  rmdir "$APT_ROOT/etc/postgresql-common"
  with_install -1 'forbid_main_cluster'
}

@test "install_debian forbids the main cluster before the server is installed" {
  stub apt-get <<'S'
case " $* " in
  *" --simulate "*) ;;
  *" postgresql-15 "*) grep -qx 'create_main_cluster = false' "$APT_ROOT/etc/postgresql-common/createcluster.conf" || exit 9 ;;
esac
S
  with_install -0 'install_debian 15 true'
  run -0 bash -c 'grep -vF "[--simulate]" "$CALLS" | sed "s/ \[-q\].*\[--no-install-recommends\]//"'
  [ "${lines[0]}" = 'apt-get [postgresql-common]' ]
  [ "${lines[1]}" = 'apt-get [postgresql-15] [libnss-wrapper] [zstd] [xz-utils]' ]
}

@test "install_debian takes away the key that every container would share" {
  with_install -0 'install_debian 17 true'
  grep -qF "rm [-f] [$APT_ROOT/etc/ssl/private/ssl-cert-snakeoil.key] [$APT_ROOT/etc/ssl/certs/ssl-cert-snakeoil.pem]" "$CALLS"
}

@test "install_debian refuses a major that the suite does not have, with the package and what to do" {
  stub apt-get <<<'[[ " $* " != *" --simulate "* ]]'
  with_install -2 'install_debian 42 true'
  [[ $output == *"expected package postgresql-42 in this base's suite, found none: choose the base that has it"* ]]
  run ! grep -qF '[--yes] [--no-install-recommends] [postgresql-42]' "$CALLS"
}

@test "install_debian stops when postgresql-common cannot be installed" {
  stub apt-get <<<'[[ ${*: -1} != postgresql-common ]] || exit 100'
  with_install -100 'install_debian 17 true'
  [ ! -e "$CLUSTER_CONF" ]
}

@test "create_folders makes what users mount, writable for any user where the server writes" {
  with_install -0 'create_folders "/a root"'
  calls_are <<'C'
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/a root/var/lib/postgresql] [/a root/var/lib/postgresql/data]
install [--directory] [--owner=999] [--group=999] [--mode=3777] [/a root/var/run/postgresql]
install [--directory] [/a root/docker-entrypoint-initdb.d]
C
}

@test "create_folders makes them at the root of the image unless it is told another" {
  with_install -0 'create_folders'
  grep -qF '[/var/lib/postgresql/data]' "$CALLS"
}

@test "create_folders really makes them with their modes" {
  ((EUID == 0)) || skip 'giving folders to user 999 takes root'
  REAL_INSTALL=$(PATH=${PATH#"$STUBS":} type -P install)
  export REAL_INSTALL
  stub install <<'S'
for word; do [[ $word == -* || $word == "$APT_ROOT"/* ]] || exit 9; done
exec "$REAL_INSTALL" "$@"
S
  with_install -0 'create_folders "$APT_ROOT/image"'
  run -0 stat -c '%u:%g %a' "$APT_ROOT/image/var/lib/postgresql/data" "$APT_ROOT/image/var/run/postgresql" \
    "$APT_ROOT/image/docker-entrypoint-initdb.d"
  [ "${lines[*]}" = '999:999 1777 999:999 3777 0:0 755' ]
}

@test "main gives user 999 its name before any package is installed" {
  echo 'app:x:999:999::/none:/bin/bash' >"$USER_FILES/passwd"
  note groupmod usermod
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]:0:5}" = 'groupmod usermod usermod install apt-get' ]
  grep -qxF 'usermod [--home] [/var/lib/postgresql] [postgres]' "$CALLS"
}

@test "main fetches the lists, installs, makes the folders and cleans up, in this order" {
  with_install -0 'main'
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get apt-get apt-get rm install install install rm' ]
  run -0 head -1 "$CALLS"
  [[ $output == *'[update]' ]]
  run -0 tail -1 "$CALLS"
  [[ $output == *'/var/lib/apt/lists/'* ]]
}

@test "main refuses a channel that it does not know, before it fetches anything" {
  PG_CHANNEL=rpm with_install -2 'main'
  [[ $output == *'channel: expected debian, pgdg or source, found rpm'* ]]
  calls_are </dev/null
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'exit 100'
  with_install -100 'main'
  run -0 grep -c apt-get "$CALLS"
  [ "$output" = 1 ]
}

@test "main says which of its variables is missing" {
  unset PG_MAJOR
  with_install -1 'main'
  [[ $output == *PG_MAJOR* ]]
}

@test "install.sh runs main when it is executed" {
  PG_CHANNEL=none run -2 bash "$INSTALL"
  [[ $output == *'expected debian, pgdg or source, found none'* ]]
}

@test "main refuses a major version that the channel does not have, with those that it has" {
  local channel
  for channel in pgdg source; do
    PG_CHANNEL=$channel PG_MAJOR=19 with_install -2 'main'
    [ "$output" = "setup-postgresql: major: expected 13 to 18 with channel $channel, found 19" ]
  done
  calls_are </dev/null
}

@test "main refuses a value of jit that it does not know" {
  PG_JIT=yes with_install -2 'main'
  [[ $output == *'jit: expected true or false, found yes'* ]]
  calls_are </dev/null
}

@test "base_suite reads the suite, and refuses a base that names none" {
  with_install -0 'base_suite "$APT_ROOT/etc/os-release"; echo "$REPLY"'
  [ "$output" = trixie ]
  echo 'ID=other' >"$APT_ROOT/etc/os-release"
  VERSION_CODENAME=ours with_install -2 'unset VERSION_CODENAME; base_suite'
  [[ $output == *"expected VERSION_CODENAME in $APT_ROOT/etc/os-release, found none"* ]]
}

@test "install_server takes JIT from its own package from 18 on" {
  with_install -0 'install_server 18 true'
  run -0 tail -2 "$CALLS"
  [[ ${lines[0]} == *'[postgresql-18] [postgresql-18-jit] [libnss-wrapper]'* ]]
}

@test "install_server without JIT installs what nojit_package gives, never the package with LLVM" {
  with_install -0 'nojit_package() { REPLY="$2/made for $1.deb"; }; install_server 17 false'
  grep -qE "\[--no-install-recommends\] \[$SCRATCH/nojit\.[A-Za-z0-9]{6}/made for 17\.deb\] \[libnss-wrapper\] \[zstd\]" "$CALLS"
  run -0 grep -F '[--yes]' "$CALLS"
  [[ $output != *'[postgresql-17]'* ]]
}

@test "install_server stops when the package without JIT cannot be made" {
  with_install -7 'nojit_package() { return 7; }; install_server 17 false'
  run ! grep -qF '[--yes]' "$CALLS"
}

@test "install_pgdg checks the key, then fetches the lists with the repository, then installs" {
  with_install -0 'pgdg_check_key() { echo "key $1" >>"$CALLS"; }; install_pgdg 16 true'
  run -0 bash -c 'sed "s/ \[-q\].*\[Acquire::Retries=3\]//; s/\[--yes\] \[--no-install-recommends\] //" "$CALLS"'
  [ "${lines[0]}" = 'apt-get [install] [postgresql-common]' ]
  [ "${lines[1]}" = 'key /usr/share/postgresql-common/pgdg/apt.postgresql.org.gpg' ]
  [[ ${lines[2]} == *'[update]' ]]
  [[ ${lines[4]} == 'apt-get [install] [postgresql-16] '* ]]
  grep -qx 'create_main_cluster = false' "$CLUSTER_CONF"
}

@test "install_pgdg leaves the project's own server in the image, not the mirror" {
  with_install -0 'pgdg_check_key() { :; }; install_pgdg 16 true'
  run -0 cat "$APT_ROOT/etc/apt/sources.list.d/pgdg.list"
  [ "$output" = 'deb [signed-by=/usr/share/postgresql-common/pgdg/apt.postgresql.org.gpg] https://apt.postgresql.org/pub/repos/apt trixie-pgdg main' ]
}

@test "install_pgdg installs no server when the key is another" {
  with_install -2 'PGDG_KEY=$APT_ROOT/no-key; install_pgdg 16 true'
  run ! grep -qF '[postgresql-16]' "$CALLS"
}

@test "suite_packages knows what differs between suites, and LLVM only with JIT" {
  with_install -0 'suite_packages bookworm false; echo "${REPLIES[*]}"; suite_packages trixie false; echo "${REPLIES[*]}"'
  [ "${lines[0]}" = 'libicu72 libldap-2.5-0' ]
  [ "${lines[1]}" = 'libicu76 libldap2' ]
  with_install -0 'suite_packages bookworm true; echo "${REPLIES[*]}"; suite_packages trixie true; echo "${REPLIES[*]}"'
  [ "${lines[0]}" = 'libicu72 libldap-2.5-0 libllvm14' ]
  [ "${lines[1]}" = 'libicu76 libldap2 libllvm19' ]
}

@test "suite_packages refuses a suite that it does not know, with those that it knows" {
  with_install -2 'suite_packages forky false'
  [[ $output == *'expected a base of bookworm or trixie, found forky'* ]]
}

@test "install_source installs what the compiled server needs, and no server" {
  with_install -0 'install_source 17 false'
  calls_are <<'C'
apt-get [-q] [-o] [Dpkg::Use-Pty=0] [-o] [Acquire::Retries=3] [install] [--yes] [--no-install-recommends] [libssl3] [libxml2] [libicu76] [libldap2] [libnss-wrapper] [zstd] [xz-utils]
C
}

@test "install_source says that its packages are missing" {
  unset RUNTIME_PACKAGES
  with_install -1 'install_source 17 false'
  [[ $output == *RUNTIME_PACKAGES* ]]
}

@test "plugins_note leaves the server's own list of output plugins, where its release has one" {
  put_server 17 'work_mem\tuser\tx\tINTEGER\t4096\n'
  with_install -0 'install_server 17 true'
  [ ! -e "$APT_ROOT/opt" ]
  put_server 17 'work_mem\tuser\tx\tINTEGER\t4096\noutput_plugin_libraries\tsuperuser\tSending\tSTRING\tpgoutput, test_decoding\n'
  with_install -0 'install_server 17 true'
  [ "$(cat "$APT_ROOT/opt/container/output_plugin_libraries")" = 'pgoutput, test_decoding' ]
  with_install -0 'plugins_note "$APT_ROOT/usr/lib/postgresql/17/bin/postgres" "$APT_ROOT/out"'
  [ -s "$APT_ROOT/out$APT_ROOT/opt/container/output_plugin_libraries" ]
}

@test "plugins_note fails where there is no server" {
  mv "$APT_ROOT/usr/lib/postgresql/17/bin/postgres" "$APT_ROOT/elsewhere"
  with_install -127 'plugins_note "$APT_ROOT/usr/lib/postgresql/17/bin/postgres" ""'
  with_install -127 'install_server 17 true; echo never'
  [[ $output != *never* ]]
}
