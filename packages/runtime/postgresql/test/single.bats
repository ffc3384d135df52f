#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "single_prepare_user: nothing for a known user; else the wrapper, or what is missing" {
  run -0 with_postgresql 'SINGLE_USER=(x); single_prepare_user; echo "<${SINGLE_USER[*]}>"'
  [ "$output" = '<>' ]
  run with_postgresql 'security_known_user() { return 1; }; single_prepare_user; echo "${SINGLE_USER[*]}"; cat "$STATE_DIR/passwd"'
  [[ $status == 4 && $output == *libnss* || $status == 0 && $output == *LD_PRELOAD=*postgres:x:* ]]
}

@test "single_literal: quotes, backslashes and line ends" {
  TEXT=$'it\'s\\ "x"\n$(y)\r' run -0 with_postgresql 'single_literal "$TEXT"; echo "$REPLY"'
  [ "$output" = "E'it''s\\\\ \"x\"\\n\$(y)\\r'" ]
}

@test "single_name: as it is, or with line ends as numbers" {
  run -0 with_postgresql 'single_name "a \"b\" \\ '"'"'"; echo "$REPLY"; single_name $'"'"'a\n\\"\r'"'"'; echo "$REPLY"'
  [ "$output" = $'"a ""b"" \\ \''"\""$'\nU&"a\\000A\\\\""\\000D"' ]
}

@test "single_server: our configuration, the user's options, then what keeps a password out of every log" {
  run -0 with_postgresql 'POSTGRES_ARGS=(-c "a=b c"); (single_server /f <<<"select 1;"); cat "$STATE_DIR/single"'
  [[ $output == *stand-alone* ]]
  [[ $(<"$CALLS") == "postgres <--single> <-D> </f> <-c> <config_file=$STATE_FOLDERS/postgresql.conf> <-c> <a=b c> <-c> <log_statement=none>"*'<log_min_error_statement=panic>'*'<template1>'$'\n''  single: select 1;' ]]
}

@test "single_server: the words for a user without an entry come first" {
  stub postgres <<<'echo "wrapped ${WRAPPED-no}"'
  run -0 with_postgresql 'SINGLE_USER=(env WRAPPED=yes); (single_server /f </dev/null); cat "$STATE_DIR/single"'
  [[ $output == *'wrapped yes' ]]
}

@test "single_run: what the server said; a private file that does not stay" {
  run -0 with_postgresql 'single_run /f "select 1;"; echo "$SINGLE_OUTPUT"; [ ! -e "$STATE_DIR/single" ]'
  [ "$output" = 'PostgreSQL stand-alone backend 17.0' ]
  stub postgres <<<'stat -c %a "$STATE_DIR/single"'
  run -0 with_postgresql 'single_run /f "select 1;"; echo "$SINGLE_OUTPUT"'
  [ "$output" = 600 ]
}

@test "single_run: a failed statement, a failed server, no folder to write to" {
  local level
  for level in ERROR FATAL PANIC; do SINGLE_SAYS="x $level:  bad" run -1 with_postgresql 'single_run /f "x"'; done
  SINGLE_SAYS='LOG:  no ERROR' run -0 with_postgresql 'single_run /f "x"'
  SINGLE_FAILS=yes run -1 with_postgresql 'single_run /f "x"'
  STATE_FOLDERS=/proc/none run -1 with_postgresql 'single_run /f "x" 2>/dev/null'
}

@test "single_complaint: the first complaint without its time stamp, else the last line, else nothing" {
  run -0 with_postgresql 'SINGLE_OUTPUT=$'"'x\npostgres: no such user'"'; single_complaint; echo "$REPLY"; SINGLE_OUTPUT=; single_complaint; echo "$REPLY"'
  [ "$output" = $'postgres: no such user\nnothing said' ]
  SINGLE_SAYS=$'LOG:  fine\n2026-11-21 00:49:29.204 GMT [9] ERROR:  bad "name"\nFATAL:  later' \
    run -0 with_postgresql 'single_run /f x || single_complaint; echo "$REPLY"'
  [ "$output" = 'bad "name"' ]
}

# Uses the real server instead of the stand-ins, or skips. It looks its user up: as root the tests step down to one that
# has an entry.
real_server() {
  rm "$STUBS"/{initdb,postgres,psql}
  type -P postgres initdb >/dev/null || skip "no PostgreSQL on this machine"
  ((EUID == 0)) || return 0
  getent passwd postgres >/dev/null || skip "no user postgres on this machine"
  as_user() { "$SETPRIV" --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
  chown -R postgres "$PGDATA" "$STATE_FOLDERS" "$DATABASE_SOCKETS"
}

@test "single_run: the real server takes every letter in names and passwords" {
  real_server
  NAME=$'it\'s\\ "é"\n$(y)\r' PG_MAJOR='' run -0 with_postgresql '
    initdb -D "$PGDATA" --no-sync --encoding=UTF8 --locale=C -A trust >/dev/null 2>&1; config_build; config_write
    single_name "$NAME"; name=$REPLY; single_literal "$NAME"; literal=$REPLY
    single_run "$PGDATA" "CREATE ROLE $name PASSWORD $literal;"$'"'"'\n'"'"'"SELECT '"'found'"' AS yes FROM pg_authid WHERE rolname = $literal AND rolpassword LIKE '"'SCRAM%'"';"
    echo "$SINGLE_OUTPUT"; single_run "$PGDATA" "CREATE ROLE $name;" || single_complaint; echo "$REPLY"'
  [[ $output == *'yes = "found"'*$'\n''role "it'* && $output != *SCRAM* ]]
}
