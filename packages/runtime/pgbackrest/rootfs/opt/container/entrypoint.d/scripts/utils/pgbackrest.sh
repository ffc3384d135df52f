#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# pgBackRest's configuration out of PGBACKREST_<OPTION>, and asking it. For init/04-backup.sh and bin/pgbackrest.

BACKUP_PROGRAM=${BACKUP_PROGRAM:-/usr/bin/pgbackrest}
BACKUP_COMMAND=/usr/local/bin/pgbackrest # what a restored server calls to get its log: finds its configuration itself
BACKUP_FILE=""                           # the configuration
BACKUP_STANZA=""                         # the name of this cluster in the repository
BACKUP_STATUS=0                          # how the last run ended
BACKUP_OUTPUT=""                         # what it said
BACKUP_ERROR=""                          # its error in one line
declare -gA BACKUP_VALUES=() BACKUP_NAMES=()
declare -ga BACKUP_OPTIONS=() BACKUP_WARNINGS=() BACKUP_FAULTS=() BACKUP_IGNORED=()

# Gives 0 if archiving is on.
backup_enabled() { [[ ${PGBACKREST_ENABLE-} == true || ${BACKUP_ENABLED-} == true ]]; }

# Gives in REPLY the option for a variable's name: PGBACKREST_REPO1_PATH is repo1-path.
backup_option() {
  REPLY=${1#PGBACKREST_}
  REPLY=${REPLY,,}
  REPLY=${REPLY//_/-}
}

# Gives in REPLY the variable for an option.
backup_variable() {
  REPLY=${1^^}
  REPLY=PGBACKREST_${REPLY//-/_}
}

# Gives 0 if the variable is for us and no option: ours by name, or the file that a secret is read from.
backup_is_ours() {
  [[ $1 == PGBACKREST_ENABLE || $1 == PGBACKREST_STANZA ]] && return 0
  [[ $1 == *_FILE && -n ${ENV_TYPE[${1%_FILE}]-} ]] && env_takes_file "${1%_FILE}"
}

# Gives 0 if the option may have several values, which its variable has with colons between them.
backup_is_list() {
  case $1 in
    annotation | db-exclude | db-include | exclude | link-map | recovery-option | tablespace-map | tls-server-auth) ;;
    repo*-storage-tag) ;;
    *) return 1 ;;
  esac
}

# Sets an option; needs its name, its value and, unless it is a default, the variable it comes from.
backup_set() {
  [[ -n ${BACKUP_VALUES[$1]+set} ]] || BACKUP_OPTIONS+=("$1")
  BACKUP_VALUES[$1]=$2
  if [[ -n ${3-} ]]; then BACKUP_NAMES[$1]=$3; fi
}

# Sets an option unless the environment did.
backup_default() { [[ -n ${BACKUP_NAMES[$1]-} ]] || backup_set "$1" "$2"; }

# Takes one variable, or remembers why it cannot be taken.
backup_take() {
  local name=$1 value=${!1}
  if backup_is_ours "$name"; then return 0; fi
  if [[ $name == PGBACKREST_CONFIG || $name == PGBACKREST_CONFIG_PATH || $name == PGBACKREST_CONFIG_INCLUDE_PATH ]]; then
    BACKUP_FAULTS+=("$name: expected no configuration file beside the one that this image writes, found one named;"$'\x20'"leave it out, and give what is in the file as PGBACKREST_<OPTION>")
  elif [[ $value == *[$'\n\r']* ]]; then
    BACKUP_FAULTS+=("$name: expected one line, found a line break in the value; remove it")
  elif [[ $value == [[:space:]]* || $value == *[[:space:]] ]]; then
    BACKUP_FAULTS+=("$name: expected no blank at either end, which pgBackRest would drop, found one; remove it")
  elif byte_length "$value" && ((REPLY > 32768)); then
    # pgBackRest reads its file by lines of 64 kB at most, and says something else about longer ones.
    BACKUP_FAULTS+=("$name: expected at most 32768 bytes, found $REPLY; shorten it")
  else
    backup_option "$name"
    backup_set "$REPLY" "$value" "$name"
  fi
}

# Gives all options of the environment, and in BACKUP_FAULTS what cannot be taken.
backup_collect() {
  local name
  BACKUP_OPTIONS=() BACKUP_FAULTS=() BACKUP_IGNORED=() BACKUP_VALUES=() BACKUP_NAMES=()
  BACKUP_STANZA=${PGBACKREST_STANZA:-main}
  # Patterns and no regular expression: there, the letters from a to z are those of the locale.
  if [[ $BACKUP_STANZA == [.-]* || $BACKUP_STANZA == *[!A-Za-z0-9_.-]* || $BACKUP_STANZA == global ]] \
    || ((${#BACKUP_STANZA} > 63)); then
    BACKUP_FAULTS+=("PGBACKREST_STANZA: expected at most 63 letters, digits, _, . and - (and not global), found"$'\x20'"'${BACKUP_STANZA:0:80}'; choose another name")
    # The other faults can be found all the same.
    BACKUP_STANZA=main
  fi
  for name in "${ENV_NAMES[@]}"; do
    if [[ $name == PGBACKREST_* && -n ${!name-} ]]; then backup_take "$name"; fi
  done
  env_family PGBACKREST_
  for name in "${REPLY_LIST[@]}"; do backup_take "$name"; done
}

# Adds what the environment left open.
backup_defaults() {
  backup_default log-level-file off
  backup_default cmd "$BACKUP_COMMAND"
  backup_default pg1-path "$PGDATA"
  backup_default pg1-socket-path "${DATABASE_SOCKETS:-/var/run/postgresql}"
  backup_default pg1-port "${POSTGRESQL_PORT:-${PGPORT:-5432}}"
  backup_default pg1-user "${POSTGRES_USER:-postgres}"
}

# Gives in REPLY the configuration file's text.
backup_text() {
  local option value global="" own=""
  local -a values
  for option in "${BACKUP_OPTIONS[@]}"; do
    [[ -n ${BACKUP_VALUES[$option]+set} ]] || continue
    values=("${BACKUP_VALUES[$option]}")
    if backup_is_list "$option"; then IFS=: read -r -a values <<<"${values[0]}"; fi
    for value in "${values[@]}"; do
      # pgBackRest wants the options of the cluster in the section of the stanza, all others hold for every stanza.
      if [[ $option =~ ^pg[0-9]*- ]]; then own+="$option=$value"$'\n'; else global+="$option=$value"$'\n'; fi
    done
  done
  REPLY="# Written at every start; a change here is lost. See PGBACKREST_<OPTION>."$'\n'
  REPLY+="# stanza: $BACKUP_STANZA"$'\n'"# ignored: ${BACKUP_IGNORED[*]}"$'\n\n'"[global]"$'\n'"$global"$'\n'"[$BACKUP_STANZA]"$'\n'"$own"
}

# Writes the configuration so that a reader sees the old file or the new one, whole.
backup_write() {
  backup_text
  security_private_file "$BACKUP_FILE.new" "$REPLY" && mv -f -- "$BACKUP_FILE.new" "$BACKUP_FILE" && return 0
  die 3 "cannot write $BACKUP_FILE; make the folder writable for user $EUID, with room left"
}

# Becomes pgBackRest, for SECONDS at most; what the file says must not come from the environment once more.
backup_exec() {
  local limit=$1 name
  shift
  for name in "${!PGBACKREST_@}"; do unset -v "$name"; done
  exec timeout --kill-after=5 "$limit" "$BACKUP_PROGRAM" "--config=$BACKUP_FILE" "--stanza=$BACKUP_STANZA" \
    --log-level-console=off --log-level-stderr=warn --log-timestamp=n "$@"
}

# Runs pgBackRest for SECONDS at most; gives BACKUP_STATUS, BACKUP_WARNINGS and BACKUP_ERROR.
backup_ask() {
  BACKUP_STATUS=0
  # What it says about its own options goes to stdout, all else to stderr.
  BACKUP_OUTPUT=$(backup_exec "$@" 2>&1) || BACKUP_STATUS=$?
  backup_read_output "$1"
}

# Gives BACKUP_WARNINGS and BACKUP_ERROR, hints included, out of BACKUP_OUTPUT; needs the limit in seconds.
backup_read_output() {
  local line kind=""
  BACKUP_WARNINGS=() BACKUP_ERROR=""
  while IFS= read -r line; do
    if [[ $line =~ ^(P[0-9]+\ +)?(WARN|ERROR):\ (\[[0-9]+\]:\ )?(.*)$ ]]; then
      kind=${BASH_REMATCH[2]}
      if [[ $kind == WARN ]]; then BACKUP_WARNINGS+=("${BASH_REMATCH[4]}"); fi
      if [[ $kind == ERROR ]]; then BACKUP_ERROR+="${BACKUP_ERROR:+; }${BASH_REMATCH[4]}"; fi
    elif [[ $kind == ERROR && $line =~ ^[[:space:]]*(.+)$ ]]; then
      BACKUP_ERROR+="; ${BASH_REMATCH[1]}"
    fi
  done <<<"$BACKUP_OUTPUT"
  if ((BACKUP_STATUS == 124 || BACKUP_STATUS == 137)); then BACKUP_ERROR="no answer within $1 s"; fi
  if ((BACKUP_STATUS != 0)) && [[ -z $BACKUP_ERROR ]]; then BACKUP_ERROR="code $BACKUP_STATUS without a word"; fi
  if ((${#BACKUP_ERROR} > 600)); then BACKUP_ERROR="${BACKUP_ERROR:0:600}…"; fi
}

# Drops what pgBackRest does not take from a file: options it does not know, with a warning, and those of one command.
backup_heed_warnings() {
  local warning option
  for warning in "${BACKUP_WARNINGS[@]}"; do
    if [[ $warning =~ ^configuration\ file\ contains\ (invalid|command-line\ only)\ option\ \'([^\']+)\' ]]; then
      option=${BASH_REMATCH[2]}
      if [[ ${BASH_REMATCH[1]} == invalid ]]; then
        backup_variable "$option"
        log_warn "${BACKUP_NAMES[$option]-$REPLY}: expected an option of pgBackRest after PGBACKREST_, found '$option'," \
          "which the version in this image does not know; it is ignored; correct the name, or leave it out"
        BACKUP_IGNORED+=("$option")
      fi
      unset -v "BACKUP_VALUES[$option]"
    else
      log_warn "pgBackRest: $warning"
    fi
  done
}

# Remembers what pgBackRest refused and puts something in its place, so that it can go on to the next fault.
# Gives 1 if it cannot be told what that is.
backup_heed_error() {
  local option name yes
  if [[ $BACKUP_ERROR =~ requires\ option:\ ([a-z0-9-]+) ]]; then
    option=${BASH_REMATCH[1]}
    [[ -z ${BACKUP_VALUES[$option]-} ]] || return 1
    backup_variable "$option"
    name=$REPLY
    if [[ -n ${ENV_TYPE[$name]-} ]] && env_takes_file "$name"; then REPLY+=" or ${REPLY}_FILE"; fi
    BACKUP_FAULTS+=("$name: expected a value, which pgBackRest needs with the other settings, found none; set $REPLY")
    backup_set "$option" x
    return 0
  fi
  [[ $BACKUP_ERROR =~ for\ \'([a-z0-9-]+)\'\ option || $BACKUP_ERROR =~ option\ \'([a-z0-9-]+)\' ]] || return 1
  option=${BASH_REMATCH[1]}
  name=${BACKUP_NAMES[$option]-}
  [[ -n $name && -n ${BACKUP_VALUES[$option]+set} ]] || return 1
  yes=${BACKUP_VALUES[$option]}
  if [[ $BACKUP_ERROR == boolean* && $yes != [yn] ]] && valid_boolean "$yes"; then
    # pgBackRest takes y and n alone, every other variable of the image takes true and false.
    if [[ $REPLY == true ]]; then BACKUP_VALUES[$option]=y; else BACKUP_VALUES[$option]=n; fi
    return 0
  fi
  if env_is_secret "$name"; then BACKUP_ERROR="something else (not shown, it is a secret)"; fi
  BACKUP_FAULTS+=("$name: expected what pgBackRest takes, found: ${BACKUP_ERROR:0:300}; correct it")
  unset -v "BACKUP_VALUES[$option]"
}

# Lets pgBackRest judge the options for a command that ends before it touches anything; faults go to BACKUP_FAULTS.
backup_judge() {
  local round
  for ((round = 0; round < 40; round++)); do
    backup_write
    backup_ask 20 "$@"
    if ((round == 0)) && ((${#BACKUP_WARNINGS[@]} > 0)); then
      backup_heed_warnings
      # Written again without what was dropped.
      backup_write
    fi
    # 27 and 31 to 37 are its codes for a configuration that it cannot take.
    ((BACKUP_STATUS == 27 || (BACKUP_STATUS >= 31 && BACKUP_STATUS <= 37))) || return 0
    backup_heed_error && continue
    BACKUP_FAULTS+=("PGBACKREST_<OPTION>: expected options that pgBackRest takes together, found: $BACKUP_ERROR; correct them")
    return 0
  done
}

# Says all faults; ends with 2 if there are any.
backup_report() {
  local fault
  for fault in "${BACKUP_FAULTS[@]}"; do log_error "$fault"; done
  ((${#BACKUP_FAULTS[@]} == 0)) && return 0
  if [[ -n $BACKUP_FILE ]]; then rm -f -- "$BACKUP_FILE"; fi
  exit 2
}
