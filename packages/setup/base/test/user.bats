#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  prepare_stubs
  note groupmod usermod install
  export USER_FILES="$BATS_TEST_TMPDIR/my etc" OLD="$BATS_TEST_TMPDIR/old home"
  mkdir -p "$USER_FILES" "$OLD"
  passwd app "$OLD"
  # shellcheck source=../rootfs/mnt/setup/setup-base/lib/user.sh
  source "$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/lib/user.sh"
}

# Writes the file of users; needs the name and the home of user 999.
passwd() { printf '%s\n' root:x:0:0:root:/root:/bin/bash "$1:x:999:999::$2:/bin/bash" >"$USER_FILES/passwd"; }

@test "sourcing user.sh does nothing but define functions" {
  calls_are </dev/null
  run -0 env -u USER_FILES bash -c 'source "$1"; echo "$USER_FILES"' bash \
    "$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/lib/user.sh"
  [ "$output" = /etc ]
}

@test "user_find: name and home of user 999, or 1" {
  user_find
  [ "$REPLY|$USER_HOME" = "app|$OLD" ]
  echo root:x:0:0:root:/root:/bin/bash >"$USER_FILES/passwd"
  run -1 user_find
}

@test "user_rename: group, user, home; the empty old home goes" {
  user_rename postgres "/var/lib/a b"
  calls_are <<'C'
groupmod [--new-name] [postgres] [app]
usermod [--login] [postgres] [app]
usermod [--home] [/var/lib/a b] [postgres]
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/var/lib/a b]
C
  [ ! -e "$OLD" ]
}

@test "user_rename: nothing where the name and the home are right already" {
  user_rename app "$OLD"
  calls_are </dev/null
  [ -d "$OLD" ]
}

@test "user_rename: the name alone, or the home alone" {
  user_rename other "$OLD"
  calls_are <<C
groupmod [--new-name] [other] [app]
usermod [--login] [other] [app]
install [--directory] [--owner=999] [--group=999] [--mode=1777] [$OLD]
C
  [ -d "$OLD" ]
  : >"$CALLS"
  user_rename app /new
  calls_are <<'C'
usermod [--home] [/new] [app]
install [--directory] [--owner=999] [--group=999] [--mode=1777] [/new]
C
}

@test "user_rename: an old home with something in it stays" {
  touch "$OLD/x"
  user_rename postgres /new
  [ -e "$OLD/x" ]
}

@test "user_rename: no old home is no failure" {
  rmdir "$OLD"
  user_rename postgres /new
}

@test "user_rename: stops where there is no such user, or where a step fails" {
  echo root:x:0:0:root:/root:/bin/bash >"$USER_FILES/passwd"
  run -2 user_rename postgres /new
  [[ $output == *"expected user 999 in $USER_FILES/passwd, found none"* ]]
  passwd app "$OLD"
  stub groupmod <<<'exit 9'
  run -9 bash -c 'set -e; source "$1"; user_rename postgres /new; echo never' bash \
    "$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-base/lib/user.sh"
  [[ $output != *never* ]]
}
