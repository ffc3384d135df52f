#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# The settings of HAProxy: nodes and numbers out of HAPROXY_*, checked whole, before anything is written.

PROXY_FAULTS=()     # what cannot be taken
PROXY_NAMES=()      # names of the nodes, in the order given
PROXY_HOSTS=()      # their hosts: a name, an address of IPv4, or one of IPv6 without brackets
PROXY_PORTS=()      # where PostgreSQL listens
PROXY_REST_PORTS=() # where Patroni's REST API does
PROXY_LOOKUPS=()    # the full name that DNS is asked for all the time; empty where nothing has to be asked
PROXY_SEARCH=()     # domains that the container's resolver tries
PROXY_NDOTS=1       # dots from which on it takes a name for a full one
PROXY_LIMIT=1000    # connections for each port
PROXY_RESOLV=${PROXY_RESOLV:-/etc/resolv.conf}
PROXY_HOSTS_FILE=${PROXY_HOSTS_FILE:-/etc/hosts}

# Gives in REPLY a text without blanks at its ends.
proxy_trim() {
  REPLY=${1#"${1%%[![:space:]]*}"}
  REPLY=${REPLY%"${REPLY##*[![:space:]]}"}
}

# Remembers what is wrong with a node; needs its number, what was expected and what was found.
proxy_node_fault() {
  local found=$3
  if ((${#found} > 80)); then found="${found:0:80}…"; fi
  PROXY_FAULTS+=("HAPROXY_NODES: node $1: expected $2, found '$found'; correct it")
}

# Gives 0 if the text is an address of IPv4.
proxy_is_ipv4() {
  local part
  local -a parts=()
  [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
  IFS=. read -r -a parts <<<"$1"
  for part in "${parts[@]}"; do ((10#$part <= 255)) || return 1; done
}

# Gives 0 if the text may be the name of a host. Its last label has a letter: else it would be a mistyped address.
proxy_is_host() {
  local LC_ALL=C label host=${1%.}
  local -a labels=()
  ((${#host} <= 253)) && [[ $host == [A-Za-z0-9_]* && $host != *[!A-Za-z0-9._-]* && $host != *..* ]] || return 1
  IFS=. read -r -a labels <<<"$host"
  for label in "${labels[@]}"; do ((${#label} <= 63)) || return 1; done
  [[ $label == *[A-Za-z]* ]]
}

# Splits host[:port[:REST port]] into PROXY_FOUND; gives 1 if it has another form.
proxy_split_node() {
  local text=$1 host rest
  if [[ $text == \[*\]* ]]; then
    host=${text%%\]*}
    host=${host#\[}
    rest=${text#*\]}
    [[ $host == *:* && $host != *[!0-9A-Fa-f:.]* && ($rest == "" || $rest == :*) ]] || return 1
    rest=${rest#:}
  else
    host=${text%%:*}
    rest=${text#"$host"}
    rest=${rest#:}
    [[ -n $host && $text != *: ]] || return 1
  fi
  PROXY_FOUND=("$host" "${rest%%:*}" "")
  if [[ $rest == *:* ]]; then PROXY_FOUND[2]=${rest#*:}; fi
  [[ ${PROXY_FOUND[2]} != *:* && $rest != *: ]]
}

# Checks a port; gives it in REPLY. Needs the node's number, words for it and what was found.
proxy_port() {
  local found=$3
  valid_port "$found" && return 0
  proxy_node_fault "$1" "$2 from 1 to 65535" "$found"
  return 1
}

# Takes one node, or remembers all that is wrong with it; needs its number and its text.
proxy_take_node() {
  local number=$1 text=$2 name="" port rest before=${#PROXY_FAULTS[@]}
  if [[ $text == *=* ]]; then
    name=${text%%=*}
    text=${text#*=}
    if [[ -z $name || $name == *[!A-Za-z0-9._-]* ]] || ((${#name} > 64)); then
      proxy_node_fault "$number" "at most 64 letters, digits, _, . and - before the =" "$name"
    fi
  fi
  if ! proxy_split_node "$text"; then
    proxy_node_fault "$number" "host[:port[:REST port]], an IPv6 address in brackets" "$text"
    return 0
  fi
  if [[ ${PROXY_FOUND[0]} != *:* ]] && ! proxy_is_ipv4 "${PROXY_FOUND[0]}" && ! proxy_is_host "${PROXY_FOUND[0]}"; then
    proxy_node_fault "$number" "a host name or an address" "${PROXY_FOUND[0]}"
  fi
  proxy_port "$number" "a port" "${PROXY_FOUND[1]:-5432}" && port=$REPLY
  proxy_port "$number" "a REST port" "${PROXY_FOUND[2]:-8008}" && rest=$REPLY
  ((${#PROXY_FAULTS[@]} == before)) || return 0
  name=${name:-${PROXY_FOUND[0]%.}}
  proxy_add_node "$number" "${name//:/-}" "${PROXY_FOUND[0]}" "$port" "$rest"
}

# Adds a node unless one like it is there; needs its number, name, host, port and REST port.
proxy_add_node() {
  local i
  for i in "${!PROXY_NAMES[@]}"; do
    if [[ ${PROXY_HOSTS[i],,} == "${3,,}" && (${PROXY_PORTS[i]} == "$4" || ${PROXY_REST_PORTS[i]} == "$5") ]]; then
      proxy_node_fault "$1" "each PostgreSQL and each Patroni once" "$3:$4:$5"
      return 0
    elif [[ ${PROXY_NAMES[i]} == "$2" ]]; then
      proxy_node_fault "$1" "a name of its own, given as name=host" "$2"
      return 0
    fi
  done
  PROXY_NAMES+=("$2") PROXY_HOSTS+=("$3") PROXY_PORTS+=("$4") PROXY_REST_PORTS+=("$5")
}

# Takes all nodes of a text.
proxy_take_nodes() {
  local text=$1, number=0
  PROXY_NAMES=() PROXY_HOSTS=() PROXY_PORTS=() PROXY_REST_PORTS=()
  while [[ -n $text ]]; do
    number=$((number + 1))
    proxy_trim "${text%%,*}"
    text=${text#*,}
    if [[ -z $REPLY ]]; then
      proxy_node_fault "$number" "a host between two commas" ""
    else
      proxy_take_node "$number" "$REPLY"
    fi
  done
}

# Checks the numbers and what belongs together.
proxy_check_settings() {
  local text
  if [[ $HAPROXY_WRITE_PORT == "$HAPROXY_READ_PORT" || $HAPROXY_WRITE_PORT == "$HAPROXY_STATS_PORT" ||
    $HAPROXY_READ_PORT == "$HAPROXY_STATS_PORT" ]]; then
    PROXY_FAULTS+=("HAPROXY_WRITE_PORT, HAPROXY_READ_PORT, HAPROXY_STATS_PORT: expected three ports, found $HAPROXY_WRITE_PORT, $HAPROXY_READ_PORT and $HAPROXY_STATS_PORT; change one")
  fi
  if [[ -n ${HAPROXY_MAX_LAG-} && ! $HAPROXY_MAX_LAG =~ ^[0-9]{1,15}(B|kB|MB|GB|TB)?$ ]]; then
    PROXY_FAULTS+=("HAPROXY_MAX_LAG: expected a whole number of bytes, or one with kB, MB, GB or TB, found '${HAPROXY_MAX_LAG:0:80}'; correct it")
  fi
  if [[ ! $HAPROXY_IDLE_TIMEOUT =~ ^0*[1-9][0-9]{0,8}[smhd]$ ]]; then
    PROXY_FAULTS+=("HAPROXY_IDLE_TIMEOUT: expected a whole number over 0 with s, m, h or d, found '${HAPROXY_IDLE_TIMEOUT:0:80}'; correct it")
  fi
  if [[ -n ${HAPROXY_REST_CA-} && $HAPROXY_REST_TLS != verify ]]; then
    PROXY_FAULTS+=("HAPROXY_REST_CA: expected HAPROXY_REST_TLS=verify with it, found $HAPROXY_REST_TLS, which verifies nothing; set it")
  fi
  if ((HAPROXY_DRAIN_SECONDS >= TIMEOUT)); then
    PROXY_FAULTS+=("HAPROXY_DRAIN_SECONDS: expected less than TIMEOUT, after which HAProxy is killed, found $HAPROXY_DRAIN_SECONDS and $TIMEOUT; lower it, or raise TIMEOUT")
  fi
}

# Gives in PROXY_LIMIT the connections that each port may take within the limit of open files.
proxy_fit_files() {
  local files
  PROXY_LIMIT=$HAPROXY_MAX_CONNECTIONS
  files=$(ulimit -Hn)
  [[ $files =~ ^[0-9]+$ ]] || return 0
  # Two for each connection of both ports, and some for checks, listeners, logs and the statistics.
  if ((PROXY_LIMIT * 4 + 400 <= files)); then return 0; fi
  PROXY_LIMIT=$(((files - 400) / 4))
  ((PROXY_LIMIT > 0)) || PROXY_LIMIT=1
  log_warn "HAPROXY_MAX_CONNECTIONS: expected a limit of at least $((HAPROXY_MAX_CONNECTIONS * 4 + 400)) open files for" \
    "$HAPROXY_MAX_CONNECTIONS, found $files: each port takes $PROXY_LIMIT connections; raise it (docker run --ulimit nofile=…)"
}

# Gives in PROXY_SEARCH and PROXY_NDOTS how the container's resolver completes a name.
proxy_read_resolver() {
  local word rest
  PROXY_SEARCH=() PROXY_NDOTS=1
  [[ -r $PROXY_RESOLV ]] || return 0
  while read -r word rest; do
    case $word in
      search | domain) read -r -a PROXY_SEARCH <<<"$rest" ;;
      options) if [[ " $rest " =~ \ ndots:([0-9]{1,2})\  ]]; then PROXY_NDOTS=$((10#${BASH_REMATCH[1]})); fi ;;
    esac
  done <"$PROXY_RESOLV"
}

# Gives 0 if the container's own list of hosts has a name: DNS may know another one by it, or none.
proxy_in_hosts() {
  local address names
  [[ -r $PROXY_HOSTS_FILE ]] || return 1
  while read -r address names; do
    [[ $address != '#'* && " ${names%%#*} " == *[[:space:]]"$1"[[:space:]]* ]] && return 0
  done <"$PROXY_HOSTS_FILE"
  return 1
}

# Gives in REPLY the full name of a host: HAProxy asks for a name as it stands, while the container's resolver completes
# a short one by its domains, as in Kubernetes. The first that somebody knows is it. PROXY_SILENT is set once DNS is.
proxy_full_name() {
  local host=$1 dots=${1//[!.]/} domain name status
  local -a names=()
  REPLY=${host%.}
  if [[ $host == *. || ${#PROXY_SEARCH[@]} == 0 || ${#dots} -ge $PROXY_NDOTS ]]; then return 0; fi
  for domain in "${PROXY_SEARCH[@]}"; do
    # Whoever wrote a full name meant it.
    if [[ $host == *".${domain%.}" ]]; then return 0; fi
    names+=("$host.${domain%.}")
  done
  for name in "${names[@]}" "$host"; do
    [[ -z $PROXY_SILENT ]] || break
    status=0
    timeout 2 getent ahosts "$name." >/dev/null 2>&1 || status=$?
    if ((status == 124)); then PROXY_SILENT=yes; fi
    if ((status == 0)); then
      REPLY=$name
      return 0
    fi
  done
  REPLY=${names[0]}
  log_info "HAPROXY_NODES: nobody knows '$host' yet, it is looked for as '$REPLY'; where that is wrong, write its full name"
}

# Gives in PROXY_LOOKUPS what DNS is to be asked for, node by node.
proxy_find_lookups() {
  local host PROXY_SILENT=""
  PROXY_LOOKUPS=()
  proxy_read_resolver
  for host in "${PROXY_HOSTS[@]}"; do
    REPLY=""
    if [[ $host != *:* ]] && ! proxy_is_ipv4 "$host" && ! proxy_in_hosts "$host"; then proxy_full_name "$host"; fi
    PROXY_LOOKUPS+=("$REPLY")
  done
}

# Says all faults; gives 1 if there are any.
proxy_report() {
  local fault
  for fault in "${PROXY_FAULTS[@]}"; do log_error "$fault"; done
  ((${#PROXY_FAULTS[@]} == 0))
}
