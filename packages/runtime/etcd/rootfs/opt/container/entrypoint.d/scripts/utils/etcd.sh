#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# etcd's settings. It reads them from ETCD_<OPTION> itself: what the user left open there follows from ETCD_NODES and
# ETCD_TLS_*, and is put there too. No other variable here begins with ETCD_: etcd warns of those that it does not know.

MEMBER_COMMAND=etcd # the server's program
MEMBER_ARGS=()      # its options
MEMBER_FAULTS=()    # what is wrong with the settings
MEMBER_NAMES=()     # the nodes of the cluster
MEMBER_HOST=""      # where the others reach this node
MEMBER_FIRST=""     # set on the node that does what one does for all
MEMBER_CA=""        # the authorities by which a client can check this node
MEMBER_TLS_FOLDER=${MEMBER_TLS_FOLDER:-/etc/etcd/tls}
MEMBER_SPACE_MB=192 # etcd writes two files of 64 MB ahead for its log
declare -gA MEMBER_HOSTS=()

# Gives MEMBER_COMMAND and MEMBER_ARGS, and puts what options say into their variables; needs the container's command.
# The variables are for us alone then: etcd does not start if it is told a thing twice.
etcd_take_command() {
  local word name value
  MEMBER_COMMAND=${1:-etcd} MEMBER_ARGS=("${@:2}")
  shift || :
  while (($# > 0)); do
    word=$1 value=true
    shift
    [[ $word == -?* ]] || die 2 "etcd option '$word': expected an option, which begins with -, found another word; correct the command"
    name=${word#-}
    name=${name#-}
    if [[ $name == *=* ]]; then
      value=${name#*=}
      name=${name%%=*}
    elif (($# > 0)) && [[ $1 != -* ]]; then
      value=$1
      shift
    fi
    name=ETCD_${name//-/_}
    name=${name^^}
    # What can be no variable is no option either: etcd says so.
    env_is_name "$name" || continue
    printf -v "$name" '%s' "$value"
    export -n "${name?}"
  done
}

# Sets one of etcd's own variables unless the user did, there or by an option.
etcd_default() { if [[ -z ${!1-} ]]; then export "$1=$2"; fi; }

# Gives 0 if a text can be a host in an address: a name, a number, or an IPv6 address in brackets.
etcd_is_host() {
  case $1 in
    \[*\]) [[ ${1:1:-1} == *:* && ${1:1:-1} != *[!0-9A-Fa-f:.]* ]] ;;
    *) [[ -n $1 && $1 != *[!A-Za-z0-9._-]* ]] ;;
  esac
}

# Gives in MEMBER_NAMES the nodes of ETCD_NODES and in MEMBER_HOSTS where they are; remembers faults.
etcd_read_nodes() {
  local entry name host list=${ETCD_NODES-}
  local -a entries=()
  MEMBER_NAMES=() MEMBER_HOSTS=()
  read -r -a entries <<<"${list//[,$'\n']/ }"
  if [[ -n $list && ${#entries[@]} == 0 ]]; then entries=("$list"); fi
  for entry in "${entries[@]}"; do
    name=${entry%%=*} host=${entry#*=}
    if [[ -z $name || $name == *[!A-Za-z0-9._-]* ]] || ! etcd_is_host "$host"; then
      MEMBER_FAULTS+=("ETCD_NODES: expected names of hosts, or name=host, with commas between them, found '$entry'; correct it")
    elif [[ -n ${MEMBER_HOSTS[$name]-} ]]; then
      MEMBER_FAULTS+=("ETCD_NODES: expected each node once, found '$name' twice; leave one out, or give them names: name=host")
    else
      MEMBER_NAMES+=("$name")
      MEMBER_HOSTS[$name]=$host
    fi
  done
}

# Gives in ETCD_NAME, MEMBER_HOST and MEMBER_FIRST which node this is; remembers a fault.
etcd_find_self() {
  local names
  etcd_default ETCD_NAME "${HOSTNAME:-default}"
  MEMBER_HOST=${HOSTNAME:-localhost} MEMBER_FIRST=""
  if [[ -z ${ETCD_NODES-} ]]; then
    MEMBER_FIRST=yes
    [[ $ETCD_NAME != *[=,]* ]] || MEMBER_FAULTS+=("ETCD_NAME: expected a name without = and comma, found '$ETCD_NAME'; change it")
    return 0
  fi
  ((${#MEMBER_NAMES[@]} > 0)) || return 0
  if [[ $ETCD_NAME == "${MEMBER_NAMES[0]}" ]]; then MEMBER_FIRST=yes; fi
  MEMBER_HOST=${MEMBER_HOSTS[$ETCD_NAME]-}
  if [[ -z $MEMBER_HOST ]]; then
    printf -v names ', %s' "${MEMBER_NAMES[@]}"
    MEMBER_FAULTS+=("ETCD_NAME: expected one of the nodes in ETCD_NODES (${names:2}), found '$ETCD_NAME'; set it, or the"$'\x20'"container's host name, to the name of this node")
  fi
}

# Checks the settings that nothing else checks; remembers faults.
etcd_check_settings() {
  if [[ -n ${ETCD_CONFIG_FILE-} ]]; then
    MEMBER_FAULTS+=("ETCD_CONFIG_FILE: expected settings as variables or options, found a file, with which etcd would ignore all"$'\x20'"of them; give what is in '$ETCD_CONFIG_FILE' as ETCD_<OPTION>")
  fi
  # etcdctl reads a password only up to the first blank.
  if [[ ${ETCD_ROOT_PASSWORD-} == *[[:space:][:cntrl:]]* ]]; then
    MEMBER_FAULTS+=("ETCD_ROOT_PASSWORD: expected a password without blanks and control characters, found one with such (not"$'\x20'"shown, it is a secret); change it")
  fi
}

# Takes away variables that etcd does not know and that are nearly called like one of ours, with a warning: etcd would
# print them with their values, and one may hold a password. It is asked only where there is a variable to ask about.
etcd_drop_misspelt() {
  local name option known
  env_family ETCD_
  ((${#REPLY_LIST[@]} > 0)) || return 0
  known=$("$MEMBER_COMMAND" --help 2>&1) || :
  for name in "${REPLY_LIST[@]}"; do
    option=${name#ETCD_}
    option=${option,,}
    # The file of a secret is no option of etcd.
    if [[ $known == *"--${option//_/-}"[!a-z0-9-]* || -n ${ENV_TYPE[${name%_FILE}]-} ]]; then continue; fi
    name_nearest "$name" "${ENV_NAMES[@]}"
    [[ -n $REPLY ]] || continue
    log_warn "$name is set, but nothing here reads it; did you mean $REPLY?"
    unset -v "$name"
  done
}

# Puts the mounted certificate and key in force, for clients and between nodes.
etcd_read_tls() {
  local cert=${ETCD_TLS_CERT-} key=${ETCD_TLS_KEY-} folder=$MEMBER_TLS_FOLDER
  MEMBER_CA=${ETCD_TLS_CA-}
  if [[ -z $cert$key ]]; then
    if [[ -e $folder/tls.crt ]]; then cert=$folder/tls.crt; fi
    if [[ -e $folder/tls.key ]]; then key=$folder/tls.key; fi
  fi
  if [[ -z $MEMBER_CA && -e $folder/ca.crt ]]; then MEMBER_CA=$folder/ca.crt; fi
  [[ -n $cert$key$MEMBER_CA ]] || return 0
  [[ -n $cert$key ]] || die 2 "ETCD_TLS_CA: expected a certificate and its key beside the authority in '$MEMBER_CA', found" \
    "neither; mount them too, as ETCD_TLS_CERT and ETCD_TLS_KEY"
  certificates_check_pair ETCD_TLS "$cert" "$key"
  etcd_default ETCD_CERT_FILE "$cert"
  etcd_default ETCD_KEY_FILE "$key"
  etcd_default ETCD_PEER_CERT_FILE "$cert"
  etcd_default ETCD_PEER_KEY_FILE "$key"
  [[ -n $MEMBER_CA ]] || return 0
  certificates_check_file ETCD_TLS_CA "$MEMBER_CA"
  etcd_default ETCD_PEER_TRUSTED_CA_FILE "$MEMBER_CA"
  etcd_default ETCD_PEER_CLIENT_CERT_AUTH true
  # The authorities alone make etcd ask clients for a certificate.
  if [[ ${ETCD_TLS_CLIENT_AUTH:-true} == true ]]; then
    etcd_default ETCD_TRUSTED_CA_FILE "$MEMBER_CA"
    etcd_default ETCD_CLIENT_CERT_AUTH true
  fi
}

# Gives in REPLY the nodes as ETCD_INITIAL_CLUSTER has them; needs the scheme between nodes.
etcd_cluster() {
  local name list=""
  if ((${#MEMBER_NAMES[@]} == 0)); then
    REPLY="$ETCD_NAME=${ETCD_INITIAL_ADVERTISE_PEER_URLS//,/,$ETCD_NAME=}"
    return 0
  fi
  for name in "${MEMBER_NAMES[@]}"; do list+=",$name=$1://${MEMBER_HOSTS[$name]}:2380"; done
  REPLY=${list:1}
}

# Puts what follows from the settings into etcd's variables.
etcd_set_defaults() {
  local client=http peer=http peers=127.0.0.1
  if [[ -n ${ETCD_CERT_FILE-} || ${ETCD_AUTO_TLS-} == true ]]; then client=https; fi
  if [[ -n ${ETCD_PEER_CERT_FILE-} || ${ETCD_PEER_AUTO_TLS-} == true ]]; then peer=https; fi
  # Nobody else needs the port between nodes of a node alone.
  if [[ -n ${ETCD_NODES-}${ETCD_INITIAL_CLUSTER-}${ETCD_DISCOVERY-}${ETCD_DISCOVERY_SRV-} ]]; then peers=0.0.0.0; fi
  etcd_default ETCD_LISTEN_CLIENT_URLS "$client://0.0.0.0:2379"
  etcd_default ETCD_ADVERTISE_CLIENT_URLS "$client://$MEMBER_HOST:2379"
  etcd_default ETCD_LISTEN_PEER_URLS "$peer://$peers:2380"
  etcd_default ETCD_INITIAL_ADVERTISE_PEER_URLS "$peer://$MEMBER_HOST:2380"
  if [[ -z ${ETCD_DISCOVERY-}${ETCD_DISCOVERY_SRV-} ]]; then
    etcd_cluster "$peer"
    etcd_default ETCD_INITIAL_CLUSTER "$REPLY"
  fi
  if [[ -z ${ETCD_AUTO_COMPACTION_MODE-}${ETCD_AUTO_COMPACTION_RETENTION-} ]]; then
    export ETCD_AUTO_COMPACTION_MODE=periodic ETCD_AUTO_COMPACTION_RETENTION=1h
  fi
  # 3.4 has a logger of its own unless it is told so; the other is the only one of later releases.
  etcd_default ETCD_LOGGER zap
  etcd_default ETCD_LOG_LEVEL "${LOG_LEVEL:-info}"
}

# Says loudly what it means that nobody is asked who he is.
etcd_warn_open() {
  [[ -z ${ETCD_ROOT_PASSWORD-} && -z ${ETCD_TRUSTED_CA_FILE-} && ${ETCD_CLIENT_CERT_AUTH-} != true ]] || return 0
  log_warn "neither ETCD_ROOT_PASSWORD nor certificates of clients are in use: ANYONE who can reach the port may READ AND" \
    "CHANGE EVERYTHING; set the one, or mount ca.crt for the other, or keep the port to a network that only you can reach"
}

# Checks all settings, says all that is wrong, ends with 2 if anything is; then gives etcd its variables.
etcd_prepare() {
  local fault
  MEMBER_FAULTS=()
  etcd_read_nodes
  etcd_find_self
  etcd_check_settings
  for fault in "${MEMBER_FAULTS[@]}"; do log_error "$fault"; done
  if ((${#MEMBER_FAULTS[@]} > 0)); then
    # What is wrong there is said too.
    (etcd_read_tls) || :
    exit 2
  fi
  etcd_drop_misspelt
  etcd_read_tls
  etcd_set_defaults
  etcd_warn_open
}

# Takes out of the environment what is ours or the engine's: etcd would warn of it, and print it.
etcd_hide_own() {
  local name
  for name in "${!ETCD_@}"; do
    case $name in
      ETCD_NODES | ETCD_TLS_* | ETCD_ROOT_PASSWORD*) export -n "${name?}" ;;
      *) if env_is_service_link "$name"; then unset -v "$name"; fi ;;
    esac
  done
}
