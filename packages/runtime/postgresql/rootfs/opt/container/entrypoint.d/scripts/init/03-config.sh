#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 03: the server's configuration. Ours includes the user's, which is never edited. Later lines win: defaults,
# the user's postgresql.conf, the files of the configuration folder, the environment (POSTGRESQL_<PARAMETER>).

CONFIG_PLUGINS=/opt/container/output_plugin_libraries
CONFIG_HOOKS=()      # functions that add lines while the configuration is built
CONFIG_MADE_HOOKS=() # functions that look at what the server makes of it, and may add to it
CONFIG_DEFAULTS=""   # lines of fragments, below all that the user says

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

# Checks the settings in the environment, says all that is wrong, ends with 2 if anything is. Names in CONFIG_NAMES.
config_check_environment() {
  local name fault=""
  env_family POSTGRESQL_
  CONFIG_NAMES=("${REPLY_LIST[@]}")
  for name in "${CONFIG_NAMES[@]}"; do
    config_parameter "$name"
    # Patterns and no regular expression: there, the letters from a to z are those of the locale.
    if [[ $REPLY != [a-z_]* || $REPLY == *[!a-z0-9_.]* || $REPLY == *.*.* || $REPLY == *. || $REPLY == *.[0-9]* ]]; then
      log_error "$name: expected the name of a parameter after POSTGRESQL_, found '${REPLY:0:80}'; correct the name"
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

# Adds a line to our configuration; needs the parameter's name and its value.
config_add() {
  config_quote "$2"
  CONFIG_TEXT+="$1 = $REPLY"$'\n'
  CONFIG_CHECKED=yes
}

# Adds what includes a file; needs its path. An unreadable one would end the server with less to say.
config_include() {
  [[ -r $1 ]] || die 3 "$1: expected a file that user $EUID can read, found one that it cannot; chmod a+r it"
  config_quote "$1"
  CONFIG_TEXT+="include $REPLY"$'\n'
  CONFIG_CHECKED=yes
}

# Adds the files of the configuration folder. Those of the same ending that hold no parameters are put where they belong.
config_folder() {
  local folder=${PGCONFIG-} file
  [[ -d $folder ]] || return 0
  [[ -r $folder && -x $folder ]] || die 3 "PGCONFIG: expected a folder that user $EUID can read, found '$folder'," \
    "which it cannot; chmod a+rx it"
  if [[ ! -e $folder/pg_hba.conf && ! -e $folder/pg_ident.conf ]]; then
    # The server looks into the folder itself, so it finds new files when it reads its configuration again.
    for file in "$folder"/*.conf; do
      if [[ -e $file && ! -r $file ]]; then config_include "$file"; fi
    done
    config_quote "$folder"
    CONFIG_TEXT+="include_dir $REPLY"$'\n'
    CONFIG_CHECKED=yes
    return 0
  fi
  for file in "$folder"/*.conf; do
    case ${file##*/} in
      pg_hba.conf) config_add hba_file "$file" ;;
      pg_ident.conf) config_add ident_file "$file" ;;
      *) if [[ -e $file ]]; then config_include "$file"; fi ;;
    esac
  done
}

# Adds the settings of the environment, but those whose variables are in CONFIG_LEFT_OUT.
config_environment() {
  local name
  for name in "${CONFIG_NAMES[@]}"; do
    [[ " $CONFIG_LEFT_OUT " != *" $name "* ]] || continue
    config_parameter "$name"
    config_add "$REPLY" "${!name}"
  done
}

# Adds the output plugins that are installed to those that the server loads by itself. The build leaves the server's own
# list where its release knows that parameter, and a file for each that is installed besides.
config_plugins() {
  local list file
  [[ -e $CONFIG_PLUGINS ]] && read -r list <"$CONFIG_PLUGINS" || return 0
  for file in "$CONFIG_PLUGINS.d"/*; do
    if [[ -e $file ]]; then list+=", ${file##*/}"; fi
  done
  config_quote "$list"
  CONFIG_TEXT+="output_plugin_libraries = $REPLY"$'\n'
}

# Gives in CONFIG_TEXT our configuration and in CONFIG_CHECKED whether it holds anything that may be wrong.
config_build() {
  local own=${POSTGRES_CONFIG_FILE:-$PGDATA/postgresql.conf} hook
  config_check_environment
  memory_config
  CONFIG_TEXT=$'# Written at every start; a change here is lost. See PGCONFIG and POSTGRESQL_<PARAMETER>.\n'
  CONFIG_TEXT+=$'\n# defaults\nlisten_addresses = \'*\'\n'"$MEMORY_DEFAULTS$MEMORY_BUFFERS$CONFIG_DEFAULTS"
  config_plugins
  if [[ $DATABASE_SOCKETS != "$DATABASE_SOCKETS_HOME" ]]; then config_add unix_socket_directories "$DATABASE_SOCKETS"; fi
  CONFIG_CHECKED=""
  CONFIG_TEXT+=$'\n# the user\'s\n'
  config_quote "$own"
  # Before initdb there is none, and the check needs the rest; a file that was asked for by name has to exist.
  if [[ -n $POSTGRES_CONFIG_FILE ]]; then CONFIG_TEXT+="include $REPLY"$'\n' CONFIG_CHECKED=yes; fi
  if [[ -z $POSTGRES_CONFIG_FILE ]]; then CONFIG_TEXT+="include_if_exists $REPLY"$'\n'; fi
  if [[ -n $MEMORY_BUFFERS ]] && memory_buffers_are_initdbs "$own"; then CONFIG_TEXT+=$MEMORY_BUFFERS; fi
  config_folder
  CONFIG_TEXT+=$'\n# what is switched on\n'
  if [[ -n ${ARCHIVE_TIMEOUT-} ]]; then config_add archive_timeout "$ARCHIVE_TIMEOUT"; fi
  tls_config
  for hook in "${CONFIG_HOOKS[@]}"; do "$hook"; done
  CONFIG_TEXT+=$'\n# the environment\'s\n'
  CONFIG_LEFT_OUT=""
  CONFIG_BEFORE=$CONFIG_TEXT
  config_environment
}

# Warns of settings that ALTER SYSTEM made: they stand above the environment.
config_warn_auto() {
  local line name
  [[ -r $PGDATA/postgresql.auto.conf && ${#CONFIG_NAMES[@]} -gt 0 ]] || return 0
  while IFS= read -r line; do
    for name in "${CONFIG_NAMES[@]}"; do
      config_parameter "$name"
      [[ $line == "$REPLY = "* ]] || continue
      log_warn "$name: ALTER SYSTEM set $REPLY too, and that wins; run ALTER SYSTEM RESET $REPLY to let the variable count"
    done
  done <"$PGDATA/postgresql.auto.conf"
}

# Gives in REPLY which variables a complaint of the server is about: it names their parameters.
config_blame() {
  local complaint=${1,,} name names=""
  for name in "${CONFIG_NAMES[@]}"; do
    config_parameter "$name"
    if [[ " $CONFIG_LEFT_OUT " != *" $name "* && $complaint == *"\"$REPLY\""* ]]; then names+="${names:+, }$name"; fi
  done
  REPLY=$names
}

# Gives in REPLY what the server complains about, without its time stamps and the files it does without.
config_complaint() {
  local line text=""
  while IFS= read -r line; do
    if [[ -z $line || $line == *'skipping missing configuration file'* ]]; then continue; fi
    if [[ $line =~ ^[0-9-]+\ [0-9:.]+\ [^\ ]+\ \[[0-9]+\]\ (.*)$ ]]; then line=${BASH_REMATCH[1]}; fi
    # A value may be of any length, and is the user's to look up.
    if ((${#line} > 200)); then line="${line:0:200}…"; fi
    text+="${text:+; }$line"
  done <<<"$1"
  if ((${#text} > 800)); then text="${text:0:800}…"; fi
  REPLY=$text
}

# Writes our configuration.
config_write() {
  security_private_file "$STATE_DIR/postgresql.conf" "$CONFIG_TEXT" \
    || die 3 "cannot write $STATE_DIR/postgresql.conf; make the folder writable for user $EUID, with room left"
}

# Asks the server whether it takes the configuration; says all that is wrong, by variable, and ends with 2.
# It names what it does not know first and what has a wrong value only then: what it named is left out and it is asked
# again.
config_check() {
  local complaint faulty=""
  until complaint=$("$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" -C port 2>&1); do
    faulty=yes
    config_complaint "$complaint"
    complaint=$REPLY
    config_blame "$complaint"
    log_error "${REPLY:-the configuration}: expected settings that the server accepts, found: $complaint;" \
      "correct ${REPLY:-the command, or the files in ${PGCONFIG-} or ${POSTGRES_CONFIG_FILE:-$PGDATA/postgresql.conf}}"
    [[ -n $REPLY ]] || break
    CONFIG_LEFT_OUT+=" ${REPLY//,/}"
    CONFIG_TEXT=$CONFIG_BEFORE
    config_environment
    config_write
  done
  [[ -z $faulty ]] || exit 2
}

# Runs the step; needs the container's command. A first start needs it earlier, in 02-database; then only the file of who
# may connect is written anew, because the cluster has one now.
init_config() {
  if [[ -n ${CONFIG_DONE-} ]]; then
    if [[ -n $HBA_WRITTEN ]]; then hba_write; fi
    return 0
  fi
  local hook
  database_split_args "$@"
  config_build
  config_write
  if [[ -n $CONFIG_CHECKED ]] || ((${#POSTGRES_ARGS[@]} > 0)); then config_check; fi
  for hook in "${CONFIG_MADE_HOOKS[@]}"; do "$hook"; done
  config_warn_auto
  hba_config
  # Asking takes a server that may write, which a copy of another server must not meet.
  if [[ -e $PGDATA/PG_VERSION && -z $DATABASE_DECIDER ]]; then hba_check "$PGDATA" || die 2 "$REPLY"; fi
  CONFIG_DONE=yes
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
