#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# The server in single-user mode: SQL before anybody can connect, with no login and no port. It has no variables as psql
# has, so values are quoted here, in one place.

SINGLE_USER=()   # words in front of programs that look their user up by number
SINGLE_OUTPUT="" # what the server said last

# Gives in SINGLE_USER the words that let initdb and a server in single-user mode, which look their user up by number, find
# one: none for a user that has an entry, else those that put a library in front with two files of ours.
single_prepare_user() {
  local library
  SINGLE_USER=()
  if security_known_user "$EUID"; then return 0; fi
  for library in /usr/lib/libnss_wrapper.so /usr/lib/*/libnss_wrapper.so; do
    if [[ ! -r $library ]]; then continue; fi
    state_write passwd "postgres:x:$EUID:${GROUPS[0]}:PostgreSQL:$PGDATA:/bin/false"
    state_write group "postgres:x:${GROUPS[0]}:"
    SINGLE_USER=(env "LD_PRELOAD=$library" "NSS_WRAPPER_PASSWD=$STATE_DIR/passwd" "NSS_WRAPPER_GROUP=$STATE_DIR/group")
    return 0
  done
  die 4 "user $EUID has no entry in /etc/passwd, which initdb needs, and libnss_wrapper is not in the image;" \
    "mount a passwd file, or add the package libnss-wrapper"
}

# Gives in REPLY a text as an SQL literal on one line (in single-user mode a line's end ends the statement).
single_literal() {
  local value=${1//\\/\\\\}
  value=${value//\'/\'\'}
  value=${value//$'\n'/\\n}
  value=${value//$'\r'/\\r}
  REPLY="E'$value'"
}

# Gives in REPLY a name as an SQL identifier on one line.
single_name() {
  local value=${1//\"/\"\"}
  REPLY="\"$value\""
  [[ $value == *[[:cntrl:]]* ]] || return 0
  value=${value//\\/\\\\}
  value=${value//$'\n'/\\000A}
  value=${value//$'\r'/\\000D}
  REPLY="U&\"$value\""
}

# Runs the server on a folder and a database with the statements on stdin, its words to our file.
single_server() {
  # The statements may hold a password: they must not reach a log, whatever the configuration logs.
  exec "${SINGLE_USER[@]}" "$POSTGRES_COMMAND" --single -D "$1" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" \
    -c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c log_destination=stderr \
    -c logging_collector=off -c log_min_messages=warning -c archive_mode=off -c standard_conforming_strings=on \
    -c default_transaction_read_only=off "${2:-template1}" >>"$STATE_DIR/single" 2>&1
}

# Runs statements, one a line, on the cluster in a folder that no server has open; needs folder, statements and perhaps the
# database. Gives 1 if one failed; SINGLE_OUTPUT holds all that the server said.
single_run() {
  local folder=$1 statements=$2 database=${3:-template1}
  SINGLE_OUTPUT=""
  security_private_file "$STATE_DIR/single" "" || return 1
  single_prepare_user
  startup_run single_server "$folder" "$database" <<<"$statements"
  SINGLE_OUTPUT=$(<"$STATE_DIR/single")
  rm -f -- "$STATE_DIR/single"
  ((RUN_STATUS == 0)) && [[ ! $SINGLE_OUTPUT =~ (ERROR|FATAL|PANIC):\  ]]
}

# Gives in REPLY the first complaint in SINGLE_OUTPUT, without time stamp and number; the last line where none is one.
single_complaint() {
  local line
  REPLY=${SINGLE_OUTPUT##*$'\n'}
  REPLY=${REPLY:-nothing said}
  while IFS= read -r line; do
    if [[ $line =~ (ERROR|FATAL|PANIC):\ +(.*)$ ]]; then
      REPLY=${BASH_REMATCH[2]}
      return 0
    fi
  done <<<"$SINGLE_OUTPUT"
}
