#!/usr/bin/env bash
# The environment contract: reads what the fragments declare, checks all of it at once, applies *_FILE and defaults.
# Contract files: one record a line, "var|NAME|type|default|flags|constraint" or "prefix|TEXT"; NAME* is a family.

declare -gA ENV_TYPE=() ENV_DEFAULT=() ENV_FLAGS=() ENV_LIMIT=()
declare -ga ENV_NAMES=() ENV_FAMILIES=() ENV_PREFIXES=() ENV_PRESENT=() ENV_ERRORS=() ENV_WARNINGS=()

# Adds the records of one contract file to the tables.
env_read_contract() {
  local kind name type default flags limit
  while IFS='|' read -r kind name type default flags limit || [[ -n $kind ]]; do
    case $kind in
      var)
        ENV_TYPE[$name]=$type ENV_DEFAULT[$name]=$default ENV_FLAGS[$name]=$flags ENV_LIMIT[$name]=$limit
        if [[ $name == *'*' ]]; then ENV_FAMILIES+=("${name%'*'}"); else ENV_NAMES+=("$name"); fi
        ;;
      # Two fragments may have one in common; what is wrong is said once.
      prefix) [[ " ${ENV_PREFIXES[*]} " == *" $name "* ]] || ENV_PREFIXES+=("$name") ;;
    esac
  done <"$1"
}

# Gives in ENV_PRESENT the names of all variables that the process was given; reads them without a process.
env_read_names() {
  local entry
  ENV_PRESENT=()
  while IFS= read -r -d '' entry; do
    ENV_PRESENT+=("${entry%%=*}")
  done <"${1:-/proc/self/environ}"
}

# Gives 0 if the value may come from a file named by NAME_FILE.
env_takes_file() { [[ ,${ENV_FLAGS[$1]-}, == *,secret,* || ,${ENV_FLAGS[$1]-}, == *,file,* ]]; }

# Gives 0 if the value must not be shown.
env_is_secret() { [[ ,${ENV_FLAGS[$1]-}, == *,secret,* ]]; }

# Gives 0 for what Kubernetes sets for a service that is named like us: no configuration, though it looks like it.
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
env_is_service_link() {
  local name=$1
  [[ $name == *_SERVICE_HOST || $name == *_SERVICE_PORT || $name == *_SERVICE_PORT_* ]] && return 0
  [[ $name =~ _PORT_[0-9]+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?$ ]] && return 0
  [[ $name == *_PORT && ${!name-} =~ ^(tcp|udp|sctp):// ]]
}

# Remembers that a variable holds what it must not; needs NAME, EXPECTED and, unless it is secret, FOUND.
env_fault() {
  local name=$1 expected=$2 found=${3-}
  if ((${#found} > 80)); then found="${found:0:80}…"; fi
  if env_is_secret "$name"; then found="something else (not shown, it is a secret)"; else found="'$found'"; fi
  ENV_ERRORS+=("$name: expected $expected, found $found; change it, or leave it out")
}

# Gives in REPLY the content of NAME_FILE without the newline at its end; remembers a fault and gives 1 if it cannot.
env_read_file() {
  local name=$1 path=$2
  # What root handed on: opening it anew would ask for rights that only the opener had.
  if [[ $path =~ ^/dev/fd/([0-9]+)$ ]]; then
    REPLY=""
    { IFS= read -r -d '' REPLY <&"${BASH_REMATCH[1]}" || :; } 2>/dev/null
    return 0
  fi
  if [[ ! -f $path && ! -p $path && ! -c $path ]]; then
    ENV_ERRORS+=("${name}_FILE: expected the path of a file, found '${path:0:80}', which is none; mount the file or correct it")
    return 1
  elif [[ ! -r $path ]]; then
    ENV_ERRORS+=("${name}_FILE: expected a file that user $EUID can read, found '$path', which it cannot; change its mode")
    return 1
  fi
  REPLY=""
  # read gives 1 at the end of the file, 0 at a zero byte, which no variable can hold.
  if IFS= read -r -d '' REPLY <"$path"; then
    ENV_ERRORS+=("${name}_FILE: expected text in '$path', found a zero byte; write the file as text")
    return 1
  fi
  while [[ $REPLY == *$'\n' ]]; do REPLY=${REPLY%$'\n'}; done
}

# Sets one declared variable: from itself or its file, else the default, in normal form; remembers faults.
env_resolve() {
  local name=$1 value=${!1-} source="${1}_FILE"
  if env_takes_file "$name" && [[ -n ${!source-} ]]; then
    if [[ -n $value ]]; then
      ENV_ERRORS+=("$name and $source are both set, expected one of them; leave the other out")
      return 0
    fi
    env_read_file "$name" "${!source}" || return 0
    value=$REPLY
  fi
  if [[ -z $value ]]; then
    printf -v "$name" '%s' "${ENV_DEFAULT[$name]}"
    return 0
  fi
  if env_check "$name" "$value" "$name"; then printf -v "$name" '%s' "$REPLY"; fi
}

# Checks a value against what is declared; needs the declared NAME, VALUE and the name to blame. Normal form in REPLY.
env_check() {
  local declared=$1 value=$2 blame=$3
  case ${ENV_TYPE[$declared]} in
    integer | boolean | enum | path | port)
      "valid_${ENV_TYPE[$declared]}" "$value" "${ENV_LIMIT[$declared]}" && return 0
      env_fault "$blame" "$REPLY" "$value"
      return 1
      ;;
    *) REPLY=$value ;;
  esac
}

# Gives 0 if bash takes the text as the name of a variable. By patterns: in a regular expression the letters from a to z
# are those of the locale, in which ü may be one.
env_is_name() { [[ $1 == [A-Za-z_]* && $1 != *[!A-Za-z0-9_]* ]]; }

# Gives in REPLY_LIST the names of the given variables of a family that have a value; needs its prefix.
env_family() {
  local prefix=$1 name
  REPLY_LIST=()
  for name in "${ENV_PRESENT[@]}"; do
    [[ $name == "$prefix"?* && -z ${ENV_TYPE[$name]-} ]] || continue
    env_is_name "$name" || continue
    [[ -n ${!name-} ]] || continue
    env_is_service_link "$name" || REPLY_LIST+=("$name")
  done
}

# Checks the members of one family; needs its prefix.
env_resolve_family() {
  local prefix=$1 name
  for name in "${ENV_PRESENT[@]}"; do
    [[ $name != "$prefix"* ]] || env_is_name "$name" \
      || ENV_ERRORS+=("$name: expected letters, digits and _ in the name (for a dot write __); rename it")
  done
  env_family "$prefix"
  for name in "${REPLY_LIST[@]}"; do env_check "$prefix*" "${!name}" "$name" || :; done
}

# Gives 0 if somebody declared the variable, its _FILE, or a family it belongs to.
env_is_known() {
  local name=$1 family
  [[ -n ${ENV_TYPE[$name]-} ]] && return 0
  [[ $name == *_FILE && -n ${ENV_TYPE[${name%_FILE}]-} ]] && env_takes_file "${name%_FILE}" && return 0
  for family in "${ENV_FAMILIES[@]}"; do
    [[ $name == "$family"?* ]] && return 0
  done
  return 1
}

# Remembers a warning for every given variable that has one of our prefixes and that nobody declared.
env_find_unknown() {
  local name prefix
  for prefix in "${ENV_PREFIXES[@]}"; do
    for name in "${ENV_PRESENT[@]}"; do
      [[ $name == "$prefix"* ]] || continue
      if env_is_known "$name" || env_is_service_link "$name"; then continue; fi
      name_nearest "$name" "${ENV_NAMES[@]}"
      ENV_WARNINGS+=("$name is set, but nothing here reads it${REPLY:+; did you mean $REPLY?}")
    done
  done
}

# Reads all contracts of a folder and sets all they declare; faults in ENV_ERRORS, hints in ENV_WARNINGS.
env_load() {
  local file name
  ENV_TYPE=() ENV_DEFAULT=() ENV_FLAGS=() ENV_LIMIT=() ENV_NAMES=() ENV_FAMILIES=() ENV_PREFIXES=()
  ENV_ERRORS=() ENV_WARNINGS=()
  env_read_names "${2:-/proc/self/environ}"
  for file in "$1"/*.contract; do
    if [[ -r $file ]]; then env_read_contract "$file"; fi
  done
  for name in "${ENV_NAMES[@]}"; do env_resolve "$name"; done
  for name in "${ENV_FAMILIES[@]}"; do env_resolve_family "$name"; done
  env_find_unknown
}

# Hands what was read from *_FILE on to the program that takes the shell's place: as pipes, because that program may run
# as a user who cannot read the files, and a value in the environment could be read in /proc.
env_hand_on_files() {
  local name source fd
  for name in "${ENV_NAMES[@]}"; do
    source=${name}_FILE
    if ! env_takes_file "$name" || [[ -z ${!source-} || -z ${!name-} ]]; then continue; fi
    exec {fd}< <(printf '%s' "${!name}")
    printf -v "$source" '/dev/fd/%s' "$fd"
    export "${source?}"
  done
}

# Gives every declared variable that has a value to the programs that init starts.
env_export() {
  local name
  for name in "${ENV_NAMES[@]}"; do
    # shellcheck disable=SC2163 # the variable that $name names is meant
    if [[ -n ${!name-} ]]; then export "$name"; fi
  done
}

# Takes every secret out of the environment, so that the server and what it starts do not inherit it.
env_forget_secrets() {
  local name
  for name in "${ENV_NAMES[@]}"; do
    if env_is_secret "$name"; then unset -v "$name"; fi
  done
}

# Writes all warnings, then all faults; gives 1 if there was a fault. With "lenient" faults are warnings too.
env_report() {
  local text
  for text in "${ENV_WARNINGS[@]}"; do log_warn "$text"; done
  for text in "${ENV_ERRORS[@]}"; do
    if [[ ${1-} == lenient ]]; then log_warn "$text"; else log_error "$text"; fi
  done
  [[ ${1-} == lenient ]] || ((${#ENV_ERRORS[@]} == 0))
}
