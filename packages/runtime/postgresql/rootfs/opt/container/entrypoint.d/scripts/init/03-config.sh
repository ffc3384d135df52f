#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 03: the server's configuration. Ours includes the user's, which is never edited. Later lines win: defaults,
# the user's postgresql.conf, the files of the configuration folder, the environment (POSTGRESQL_<PARAMETER>).

# Gives in REPLY a value as postgresql.conf wants it; inside its quotes a backslash has a meaning too.
config_quote() {
  local value=${1//\\/\\\\}
  REPLY="'${value//\'/\'\'}'"
}

# Gives in REPLY the parameter for a variable's name: POSTGRESQL_PG_STAT_STATEMENTS__MAX is pg_stat_statements.max.
config_parameter() {
  REPLY=${1#POSTGRESQL_}
  REPLY=${REPLY,,}
  REPLY=${REPLY//__/.}
}

# Checks the settings in the environment, says all that is wrong, ends with 2 if anything is. Names in REPLY_LIST.
config_check_environment() {
  local name fault=""
  env_family POSTGRESQL_
  for name in "${REPLY_LIST[@]}"; do
    config_parameter "$name"
    if [[ ! $REPLY =~ ^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$ ]]; then
      log_error "$name: expected the name of a parameter after POSTGRESQL_, found '$REPLY'; correct the name"
      fault=yes
    elif [[ $REPLY == data_directory || $REPLY == config_file ]]; then
      log_error "$name: expected a parameter other than $REPLY, which this image sets; use PGDATA or PGCONFIG"
      fault=yes
    elif [[ ${!name} == *[$'\n\r']* ]]; then
      log_error "$name: expected one line, found a line break in the value; remove it"
      fault=yes
    fi
  done
  [[ -z $fault ]] || exit 2
}

# Gives in CONFIG_TEXT our configuration and in CONFIG_CHECKED whether it holds anything that may be wrong.
config_build() {
  local name own=${POSTGRES_CONFIG_FILE:-$PGDATA/postgresql.conf}
  config_check_environment
  CONFIG_CHECKED="" CONFIG_TEXT=$'# Written at every start; a change here is lost. See PGCONFIG and POSTGRESQL_<PARAMETER>.\n'
  CONFIG_TEXT+=$'\n# defaults\nlisten_addresses = \'*\'\n'
  if [[ $DATABASE_SOCKETS != "$DATABASE_SOCKETS_HOME" ]]; then
    config_quote "$DATABASE_SOCKETS"
    CONFIG_TEXT+="unix_socket_directories = $REPLY"$'\n'
  fi
  CONFIG_TEXT+=$'\n# the user\'s\n'
  config_quote "$own"
  # Before initdb there is none, and the check needs the rest; a file that was asked for by name has to exist.
  if [[ -n $POSTGRES_CONFIG_FILE ]]; then CONFIG_TEXT+="include $REPLY"$'\n'; fi
  if [[ -z $POSTGRES_CONFIG_FILE ]]; then CONFIG_TEXT+="include_if_exists $REPLY"$'\n'; fi
  if [[ -d ${PGCONFIG-} ]]; then
    config_quote "$PGCONFIG"
    CONFIG_TEXT+="include_dir $REPLY"$'\n'
    CONFIG_CHECKED=yes
  fi
  CONFIG_TEXT+=$'\n# the environment\'s\n'
  for name in "${REPLY_LIST[@]}"; do
    config_parameter "$name"
    CONFIG_TEXT+="$REPLY = "
    config_quote "${!name}"
    CONFIG_TEXT+="$REPLY"$'\n'
    CONFIG_CHECKED=yes
  done
}

# Gives in REPLY which variables a complaint of the server is about: it names their parameters.
config_blame() {
  local complaint=${1,,} name names=""
  env_family POSTGRESQL_
  for name in "${REPLY_LIST[@]}"; do
    config_parameter "$name"
    if [[ $complaint == *"\"$REPLY\""* ]]; then names+="${names:+, }$name"; fi
  done
  REPLY=$names
}

# Gives in REPLY what the server complains about, without its time stamps and the files it does without.
config_complaint() {
  local line text=""
  while IFS= read -r line; do
    if [[ -z $line || $line == *'skipping missing configuration file'* ]]; then continue; fi
    if [[ $line =~ ^[0-9-]+\ [0-9:.]+\ [^\ ]+\ \[[0-9]+\]\ (.*)$ ]]; then line=${BASH_REMATCH[1]}; fi
    text+="${text:+; }$line"
  done <<<"$1"
  REPLY=$text
}

# Asks the server whether it takes the configuration; ends with 2 and the variable's name if not.
config_check() {
  local complaint
  complaint=$("$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" -C port 2>&1) \
    && return 0
  config_complaint "$complaint"
  complaint=$REPLY
  config_blame "$complaint"
  die 2 "${REPLY:-the configuration}: expected settings that the server accepts, found: $complaint;" \
    "correct ${REPLY:-the files in ${PGCONFIG-} or $PGDATA/postgresql.conf}"
}

# Runs the step; needs the container's command. Once is enough: on a first start 02-database needs it earlier.
init_config() {
  if [[ -n ${CONFIG_DONE-} ]]; then return 0; fi
  database_split_args "$@"
  config_build
  security_private_file "$STATE_DIR/postgresql.conf" "$CONFIG_TEXT" \
    || die 3 "cannot write $STATE_DIR/postgresql.conf; make the folder writable for user $EUID, with room left"
  if [[ -n $CONFIG_CHECKED ]]; then config_check; fi
  CONFIG_DONE=yes
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
