#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  prepare_stubs
  note groupadd useradd install localedef
  INSTALL=$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/install.sh
  export APT_SECRETS=/nowhere APT_ROOT=$BATS_TEST_TMPDIR/root
  mkdir -p "$APT_ROOT/var/lib/apt/lists"
  export CONTAINER_USER=postgres CONTAINER_HOME=/var/lib/postgresql CONTAINER_LOCALE=de_DE
  note apt-get
}

@test "sourcing install.sh does nothing but define functions" {
  with_install -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "create_user makes user and group 999, without making a home from a skeleton" {
  with_install -0 'create_user alice "/srv/a home"'
  calls_are <<'C'
groupadd [--gid] [999] [alice]
useradd [--uid] [999] [--gid] [999] [--home-dir] [/srv/a home] [--no-create-home] [--shell] [/bin/bash] [alice]
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/srv/a home]
C
}

@test "create_user stops at a number that is taken, and makes no user of another one" {
  stub groupadd <<<'echo "groupadd: GID 999 already exists" >&2; exit 4'
  with_install -4 'create_user alice /home'
  [[ $output == *'GID 999 already exists'* ]]
  run ! grep -q useradd "$CALLS"
}

@test "create_state_folder makes it for user 999 alone" {
  with_install -0 'create_state_folder "/a root"'
  calls_are <<<'install [--directory] [--owner=999] [--group=999] [--mode=0755] [/a root/run/container]'
}

@test "generate_locale makes exactly one locale, in UTF-8" {
  with_install -0 'generate_locale fr_FR'
  calls_are <<<'localedef [--inputfile=fr_FR] [--force] [--charmap=UTF-8] [--alias-file=/usr/share/locale/locale.alias] [fr_FR.UTF-8]'
}

@test "main makes the user before any package is installed, and the locale after" {
  run -0 bash "$INSTALL"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'groupadd useradd install install apt-get apt-get localedef' ]
  grep -qF '[postgres]' "$CALLS"
  grep -qF '[install] [--yes] [--no-install-recommends] [ca-certificates] [locales] [tzdata]' "$CALLS"
  grep -qF '[de_DE.UTF-8]' "$CALLS"
}

@test "main leaves no package list" {
  stub apt-get <<<'[[ ${*: -1} != update ]] || echo x >"$APT_ROOT/var/lib/apt/lists/mirror_InRelease"'
  run -0 bash "$INSTALL"
  [ -z "$(ls -A "$APT_ROOT/var/lib/apt/lists")" ]
}

@test "main installs nothing when the lists cannot be fetched" {
  stub apt-get <<<'[[ ${*: -1} != update ]] || exit 100'
  run -100 bash "$INSTALL"
  run ! grep -qF '[install] [--yes]' "$CALLS"
}

@test "main fails when a package cannot be installed" {
  stub apt-get <<<'[[ " $* " != *" install "* ]] || exit 100'
  run -100 bash "$INSTALL"
  run ! grep -q localedef "$CALLS"
}

@test "main says which of its variables is missing, and does nothing" {
  local variable
  for variable in CONTAINER_USER CONTAINER_HOME; do
    run -1 env -u "$variable" bash "$INSTALL"
    [[ $output == *"$variable"* ]]
    calls_are </dev/null
  done
}

@test "main says that the locale is missing before it installs anything" {
  run -1 env -u CONTAINER_LOCALE bash "$INSTALL"
  [[ $output == *CONTAINER_LOCALE* ]]
  run ! grep -q apt-get "$CALLS"
}
