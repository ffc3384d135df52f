#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# HAProxy's configuration: written out of the settings, judged by HAProxy itself, read again at a hang-up.

PROXY_PROGRAM=${PROXY_PROGRAM:-/usr/sbin/haproxy}
PROXY_FILE=""   # the configuration
PROXY_OWN=""    # set if it is the user's
PROXY_ARGS=()   # the options that HAProxy gets
PROXY_TEXT=""   # the configuration's text, while it is made
PROXY_STATUS=0  # how HAProxy judged it
PROXY_ALERTS=() # what it refused, as it says it
PROXY_CODE=2    # the exit code for what is wrong
PROXY_IPV6=${PROXY_IPV6:-/proc/net/if_inet6}

# Adds lines.
proxy_add() {
  local line
  for line; do PROXY_TEXT+=$line$'\n'; done
}

# Adds a line that a variable decides, and says so at its end: where HAProxy refuses it, the variable is named.
proxy_add_for() { proxy_add "$2 # $1"; }

# Gives in REPLY the level of HAProxy's log.
proxy_log_level() {
  case ${LOG_LEVEL:-info} in
    warn) REPLY=warning ;;
    error) REPLY=err ;;
    *) REPLY=${LOG_LEVEL:-info} ;;
  esac
}

# Gives in REPLY the seconds that connections may last in a process that was told to end. Such a process watches nobody's
# health, so they would stay on a primary that is none any more: by itself no longer than a failover takes.
proxy_drain_limit() {
  REPLY=$HAPROXY_DRAIN_SECONDS
  ((REPLY >= 3)) || REPLY=3
}

# Adds what holds for all.
proxy_add_global() {
  proxy_log_level
  proxy_add "# Written at every start; a change here is lost. See HAPROXY_CONFIG." "global" \
    "  log stdout format raw daemon $REPLY"
  proxy_drain_limit
  # The statistics get their share, or nobody could see that all others are taken.
  proxy_add_for HAPROXY_MAX_CONNECTIONS "  maxconn $((PROXY_LIMIT * 2 + 50))"
  proxy_add_for HAPROXY_DRAIN_SECONDS "  hard-stop-after ${REPLY}s"
  proxy_add "  server-state-file $STATE_DIR/haproxy.states"
}

# Adds what the ports and groups of nodes share.
proxy_add_defaults() {
  proxy_add "" "defaults" "  mode tcp" "  log global" "  load-server-state-from-file global" \
    "  retries 2" "  option redispatch 1" "  timeout connect 3s" "  timeout check 1s"
  proxy_add_for HAPROXY_IDLE_TIMEOUT "  timeout client $HAPROXY_IDLE_TIMEOUT"
  proxy_add_for HAPROXY_IDLE_TIMEOUT "  timeout server $HAPROXY_IDLE_TIMEOUT"
  # A peer that is gone without a word is noticed within a minute.
  local side
  for side in cli srv; do
    proxy_add "  option ${side}tcpka" "  ${side}tcpka-idle 30s" "  ${side}tcpka-intvl 10s" "  ${side}tcpka-cnt 3"
  done
}

# Adds who tells the address of a name: asked all the time, because a node that is made anew has another one. A name that
# is gone takes its node out; a name server that is gone takes none.
proxy_add_resolvers() {
  local lookup
  for lookup in "${PROXY_LOOKUPS[@]}"; do
    [[ -n $lookup ]] || continue
    proxy_add "" "resolvers container" "  parse-resolv-conf" "  accepted_payload_size 8192" "  resolve_retries 3" \
      "  timeout resolve 1s" "  timeout retry 1s" "  hold valid 2s" "  hold nx 10s" "  hold timeout 24h" \
      "  hold refused 24h" "  hold other 24h"
    return 0
  done
}

# Gives 0 if the container has an address of IPv6; where the kernel has none of it, HAProxy could not open such a port.
proxy_has_ipv6() {
  local line=""
  { read -r line <"$PROXY_IPV6"; } 2>/dev/null
  [[ -n $line ]]
}

# Adds a port; needs NAME, PORT and the variable.
proxy_add_frontend() {
  proxy_add "" "frontend $1"
  proxy_add_for "$3" "  bind :$2"
  if proxy_has_ipv6; then proxy_add_for "$3" "  bind :::$2 v6only"; fi
}

# Adds a port for PostgreSQL; needs NAME, PORT and the variable.
proxy_add_postgres() {
  proxy_add_frontend "$@"
  proxy_add_for HAPROXY_MAX_CONNECTIONS "  maxconn $PROXY_LIMIT"
  proxy_add "  option tcplog"
  # One line for each connection is for who looks for a fault; connections that failed are always logged.
  if [[ ${LOG_LEVEL:-info} != debug ]]; then proxy_add "  option dontlog-normal"; fi
}

# Adds a group of nodes; needs NAME, what Patroni is asked, and how a node is chosen. What becomes of nodes HAProxy writes
# to stderr, so it is not logged once more.
proxy_add_backend() {
  local i line tls=""
  case $HAPROXY_REST_TLS in
    on) tls=" check-ssl verify none" ;;
    verify) tls=" check-ssl verify required ca-file ${HAPROXY_REST_CA:-@system-ca}" ;;
  esac
  proxy_add "" "backend $1" "  no log" "  balance $3" "  option httpchk" "  http-check send meth OPTIONS uri $2" \
    "  http-check expect status 200" \
    "  default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 1 on-marked-down shutdown-sessions"
  for i in "${!PROXY_NAMES[@]}"; do
    proxy_server_address "$i"
    line="  server ${PROXY_NAMES[i]} $REPLY check port ${PROXY_REST_PORTS[i]}$tls"
    if [[ $HAPROXY_REST_TLS == verify ]]; then proxy_server_verify "$i" && line+=$REPLY; fi
    if [[ -n ${PROXY_LOOKUPS[i]} ]]; then line+=" resolvers container resolve-prefer ipv4"; fi
    line+=" init-addr last,libc,none"
    if [[ -n ${HAPROXY_REST_CA-} ]]; then proxy_add_for HAPROXY_REST_CA "$line"; else proxy_add_for HAPROXY_NODES "$line"; fi
  done
}

# Gives in REPLY where a node's PostgreSQL is; needs the node's place in the lists.
proxy_server_address() {
  local host=${PROXY_LOOKUPS[$1]:-${PROXY_HOSTS[$1]}}
  if [[ $host == *:* ]]; then host="[$host]"; fi
  REPLY=$host:${PROXY_PORTS[$1]}
}

# Gives in REPLY the name that a node's certificate has to have; 1 for an address, which HAProxy cannot look for in one.
proxy_server_verify() {
  local host=${PROXY_HOSTS[$1]%.}
  if [[ $host == *:* ]] || proxy_is_ipv4 "$host"; then return 1; fi
  REPLY=" check-sni $host verifyhost $host"
}

# Gives in PROXY_TEXT the whole configuration.
proxy_text() {
  local lag=""
  PROXY_TEXT=""
  proxy_add_global
  proxy_add_defaults
  proxy_add_resolvers
  proxy_add_postgres writes "$HAPROXY_WRITE_PORT" HAPROXY_WRITE_PORT
  proxy_add "  default_backend primary"
  proxy_add_postgres reads "$HAPROXY_READ_PORT" HAPROXY_READ_PORT
  proxy_add "  use_backend primary if { nbsrv(replicas) eq 0 }" "  default_backend replicas"
  if [[ -n ${HAPROXY_MAX_LAG-} ]]; then lag="?lag=$HAPROXY_MAX_LAG"; fi
  # There is one. Should two say that they are, all go to the same: what is written must not be spread over both.
  proxy_add_backend primary /primary first
  proxy_add_backend replicas "/replica$lag" leastconn
  proxy_add_frontend statistics "$HAPROXY_STATS_PORT" HAPROXY_STATS_PORT
  proxy_add "  mode http" "  no log" "  timeout client 10s" "  timeout http-request 10s" "  monitor-uri /healthz" \
    "  http-request use-service prometheus-exporter if { path /metrics }" \
    '  http-request return status 200 content-type text/plain lf-string "primary %[nbsrv(primary)]\nreplicas %[nbsrv(replicas)]\n" if { path /nodes }' \
    "  stats enable" "  stats uri /stats" "  stats refresh 10s"
}

# Gives in REPLY the states that HAProxy begins with. It would take a node for well until its first check: so each is down
# until then, but for those that were up in the process before, given as GROUP/NODE.
proxy_states() {
  local group i entry up=" $* "
  REPLY=$'1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight'
  REPLY+=' srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state'
  REPLY+=' bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr'
  REPLY+=$' srv_agent_addr srv_agent_port\n'
  for group in primary replicas; do
    for i in "${!PROXY_NAMES[@]}"; do
      # Operational state 2 is up, 0 down; with each the last check's status, result and what it has come to.
      entry="- 0 0 1 1 0 6 2 0"
      if [[ $up == *" $group/${PROXY_NAMES[i]} "* ]]; then entry="- 2 0 1 1 0 15 3 2"; fi
      REPLY+="0 $group 0 ${PROXY_NAMES[i]} $entry 6 0 0 0 - ${PROXY_PORTS[i]} - 0 0 - - 0"$'\n'
    done
  done
}

# Writes a file of the state folder so that a reader sees the old one or the new one, whole; needs its path and text.
proxy_write() {
  { security_private_file "$1.new" "$2" && mv -f -- "$1.new" "$1"; } 2>/dev/null && return 0
  PROXY_CODE=3
  PROXY_FAULTS+=("cannot write $1; make the folder writable for user $EUID, with room left")
  return 1
}

# Lets HAProxy judge a configuration; gives PROXY_STATUS and PROXY_ALERTS. Needs options of HAProxy.
proxy_ask() {
  local output line
  PROXY_STATUS=0 PROXY_ALERTS=()
  output=$(timeout --kill-after=5 60 "$PROXY_PROGRAM" -c "$@" 2>&1 </dev/null) || PROXY_STATUS=$?
  ((PROXY_STATUS != 0)) || return 0
  while IFS= read -r line; do
    # Its last words say only that there were others.
    if [[ $line =~ ^\[ALERT\][^:]*:\ (config\ :\ )?(.*)$ ]] \
      && [[ ${BASH_REMATCH[2]} != 'Error(s) found in'* && ${BASH_REMATCH[2]} != 'Fatal errors found in'* ]]; then
      PROXY_ALERTS+=("${BASH_REMATCH[2]}")
    fi
  done <<<"$output"
  if ((${#PROXY_ALERTS[@]} == 0)); then PROXY_ALERTS=("code $PROXY_STATUS, and: ${output:0:300}"); fi
}

# Turns what HAProxy refused in a configuration of ours into faults of variables; needs its path.
proxy_blame() {
  local alert variable fault
  local -a lines=()
  local -A told=()
  mapfile -t lines <"$1"
  for alert in "${PROXY_ALERTS[@]}"; do
    # One without a place repeats another in other words.
    [[ $alert =~ \[[^]]*:([0-9]+)\]\ :\ (\'server\ [^\']*\'\ :\ )?(.*)$ ]] || continue
    variable=${lines[BASH_REMATCH[1] - 1]-}
    if [[ $variable == *' # HAPROXY_'* ]]; then variable=${variable##* # }; else variable='HAPROXY_*'; fi
    fault="$variable: expected what HAProxy takes, found: ${BASH_REMATCH[3]:0:300}; correct it"
    # A setting that is used twice is refused twice.
    if [[ -z ${told[$fault]-} ]]; then PROXY_FAULTS+=("$fault"); fi
    told[$fault]=yes
  done
  ((${#PROXY_FAULTS[@]} > 0)) || PROXY_FAULTS=("HAPROXY_*: expected what HAProxy takes, found: ${PROXY_ALERTS[*]}; correct it")
}

# Gives in PROXY_TEXT a configuration that HAProxy takes, out of the settings; faults in PROXY_FAULTS, 1 if there are any.
proxy_make() {
  PROXY_FAULTS=()
  if [[ -z ${HAPROXY_NODES-} ]]; then
    PROXY_FAULTS+=("HAPROXY_NODES: expected the nodes of the cluster, such as db1,db2,db3, found none; set it, or mount a configuration at $HAPROXY_CONFIG")
  else
    proxy_take_nodes "$HAPROXY_NODES"
  fi
  proxy_check_settings
  ((${#PROXY_FAULTS[@]} == 0)) || return 1
  proxy_find_lookups
  proxy_fit_files
  proxy_text
  # To judge it, no name has to be looked up, which takes its time where DNS is dead.
  proxy_write "$PROXY_FILE.made" "${PROXY_TEXT//init-addr last,libc,none/init-addr none}" || return 1
  proxy_ask -f "$PROXY_FILE.made"
  if ((PROXY_STATUS != 0)); then proxy_blame "$PROXY_FILE.made"; fi
  rm -f -- "$PROXY_FILE.made"
  ((${#PROXY_FAULTS[@]} == 0))
}

# Writes the configuration and the states it begins with; needs GROUP/NODE of those that are up already.
proxy_save() {
  proxy_states "$@"
  proxy_write "$STATE_DIR/haproxy.states" "$REPLY" && proxy_write "$PROXY_FILE" "$PROXY_TEXT"
}

# Gives in REPLY_LIST the GROUP/NODE of those that are up and stay as they are; needs the configuration until now.
proxy_find_kept() {
  local entry line
  REPLY_LIST=()
  proxy_find_up "$HAPROXY_STATS_PORT"
  for entry in "${PROXY_UP[@]}"; do
    while IFS= read -r line; do
      # A node whose line has changed may be another machine.
      if [[ $line == "  server ${entry#*/} "* && $1 == *$'\n'"$line"$'\n'* ]]; then
        REPLY_LIST+=("$entry")
        break
      fi
    done <<<"$PROXY_TEXT"
  done
}

# Hang-up hook: makes the configuration anew out of the same variables, of which HAPROXY_NODES_FILE may say something new.
# Gives 1, and all stays as it is, where that cannot be taken.
proxy_renew() {
  local before
  before=$(<"$PROXY_FILE")$'\n'
  ENV_ERRORS=()
  if [[ ${HAPROXY_NODES_FILE-} == /dev/fd/* ]]; then
    log_warn "HAPROXY_NODES_FILE cannot be read again, because the container was started as root, so the nodes stay as they" \
      "are; start it anew, or as user $EUID"
  elif [[ -n ${HAPROXY_NODES_FILE-} ]]; then
    if env_read_file HAPROXY_NODES "$HAPROXY_NODES_FILE"; then HAPROXY_NODES=$REPLY; fi
  fi
  if ((${#ENV_ERRORS[@]} > 0)); then
    PROXY_FAULTS=("${ENV_ERRORS[@]}")
  elif proxy_make && proxy_find_kept "$before" && proxy_save "${REPLY_LIST[@]}"; then
    log_info "the configuration was made anew for the nodes ${PROXY_NAMES[*]}; HAProxy reads it now"
    return 0
  fi
  proxy_report || log_error "the configuration cannot be made anew, see above; HAProxy goes on with the one it has"
  return 1
}
