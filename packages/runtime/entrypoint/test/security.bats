#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  source "$SCRIPTS/utils/logging.sh"
  source "$SCRIPTS/utils/security.sh"
}

@test "security_capable: reads the bit of the capability" {
  printf 'Name:\tx\nCapEff:\t00000000000000c0\n' >"$BATS_TEST_TMPDIR/status"
  security_capable 6 "$BATS_TEST_TMPDIR/status"
  security_capable 7 "$BATS_TEST_TMPDIR/status"
  run -1 security_capable 0 "$BATS_TEST_TMPDIR/status"
  printf 'Name:\tx\n' >"$BATS_TEST_TMPDIR/status"
  run -1 security_capable 6 "$BATS_TEST_TMPDIR/status"
}

@test "security_known_user: finds the home, or says no" {
  printf 'a:x:7:7:A:/home/a:/bin/sh\nb:x:8:8::/home/b:\n' >"$BATS_TEST_TMPDIR/passwd"
  security_known_user 8 "$BATS_TEST_TMPDIR/passwd"
  [ "$REPLY" = /home/b ]
  run -1 security_known_user 9 "$BATS_TEST_TMPDIR/passwd"
  run -1 security_known_user 9 "$BATS_TEST_TMPDIR/none"
}

@test "security_safe_folder: folders for data, none of the system" {
  local path
  for path in /data /var/lib/postgresql/data /usr/local/pgsql/data '/mnt/a b' /home/u/x; do security_safe_folder "$path"; done
  for path in / /etc /etc/x /usr /usr/bin /usr/local/bin /var /var/lib /tmp /proc/1 relative '' /a/../etc /a/./b //etc; do
    run -1 security_safe_folder "$path"
  done
}

@test "security_own: gives away only what belongs to somebody else" {
  stub chown <<<'printf "%s\n" "$*" >>"$CHOWN_LOG"'
  export CHOWN_LOG=$BATS_TEST_TMPDIR/log
  mkdir "$BATS_TEST_TMPDIR/own"
  touch "$BATS_TEST_TMPDIR/own/-n"
  SECURITY_UID=$EUID SECURITY_GID=7 security_own "$BATS_TEST_TMPDIR/own"
  [ ! -e "$CHOWN_LOG" ]
  SECURITY_UID=4242 SECURITY_GID=7 security_own "$BATS_TEST_TMPDIR/own"
  [[ $(<"$CHOWN_LOG") == "-h 4242:7 "*own/-n* ]]
}

@test "security_private_file: only for its owner, also where an open one was" {
  local file=$BATS_TEST_TMPDIR/private
  touch "$file"
  chmod 666 "$file"
  security_private_file "$file" $'it\'s\n$(x)'
  [ "$(stat -c %a "$file")" = 600 ]
  [ "$(<"$file")" = $'it\'s\n$(x)' ]
  [ "$(umask)" = 0022 ]
  run ! security_private_file "$BATS_TEST_TMPDIR/none/private" text
}

@test "security_step_down: setpriv with the server's user and the command" {
  security_capable() { return 0; }
  stub setpriv <<<'printf "<%s>" "$@"'
  run -0 security_step_down /entry '-c' 'a b'
  [ "$output" = '<--reuid=999><--regid=999><--init-groups><--></entry><-c><a b>' ]
}

@test "security_step_down: without the capabilities it says what to do" {
  security_capable() { return 1; }
  run -3 security_step_down /entry
  [[ $output == *SETUID*'--user'* ]]
}

@test "security_step_down: without setpriv it says so" {
  security_capable() { return 0; }
  PATH=$STUBS run -4 security_step_down /entry
}
