#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { etcd_setup; }

# Prints variables as etcd is given them; needs their names.
given='given() { local name; for name; do printf "%s=%s\n" "$name" "$(printenv "$name")"; done; }; '

@test "etcd_take_command: every form of an option, for us alone" {
  export ETCD_NAME=of-the-environment
  run -0 with_etcd "$given"'etcd_take_command /usr/bin/etcd --name=a -data-dir /x --debug --log-level warn --initial-cluster=a=http://b:1
    printf "<%s>" "$MEMBER_COMMAND" "${MEMBER_ARGS[@]}"; echo
    echo "$ETCD_NAME|$ETCD_DATA_DIR|$ETCD_DEBUG|$ETCD_LOG_LEVEL|$ETCD_INITIAL_CLUSTER"; given ETCD_NAME ETCD_DATA_DIR'
  [ "${lines[0]}" = '</usr/bin/etcd><--name=a><-data-dir></x><--debug><--log-level><warn><--initial-cluster=a=http://b:1>' ]
  [ "${lines[1]}" = 'a|/x|true|warn|a=http://b:1' ]
  [ "${lines[2]}|${lines[3]}" = 'ETCD_NAME=|ETCD_DATA_DIR=' ]
}

@test "etcd_take_command: no option, a word that is none, an option that cannot be one" {
  run -0 with_etcd 'etcd_take_command; echo "$MEMBER_COMMAND ${#MEMBER_ARGS[@]}"'
  [ "$output" = 'etcd 0' ]
  run -2 with_etcd 'etcd_take_command etcd --debug --name a serve'
  [[ $output == *"etcd option 'serve': expected an option, which begins with -"* ]]
  run -0 with_etcd 'etcd_take_command etcd "--a b=c"; echo "${MEMBER_ARGS[0]}"'
  [ "$output" = '--a b=c' ]
}

@test "etcd_is_host: names, numbers, IPv6 in brackets; nothing else" {
  run -0 with_etcd 'for host in a etcd-0.etcd.svc 10.0.0.1 "[::1]" "[fe80::1]"; do etcd_is_host "$host" || echo "no $host"; done
    for host in "" a:1 "a b" "::1" "[]" "[a]" "[::1]:2" "ü" "a/b"; do if etcd_is_host "$host"; then echo "yes $host"; fi; done'
  [ -z "$output" ]
}

@test "etcd_read_nodes: names, names with hosts, blanks and lines between them" {
  export ETCD_NODES=$' a, b=10.0.0.2\n c=[::3],'
  run -0 with_etcd 'etcd_read_nodes; echo "${MEMBER_NAMES[*]}|${MEMBER_HOSTS[a]}|${MEMBER_HOSTS[b]}|${MEMBER_HOSTS[c]}|${#MEMBER_FAULTS[@]}"'
  [ "$output" = 'a b c|a|10.0.0.2|[::3]|0' ]
  unset ETCD_NODES
  run -0 with_etcd 'etcd_read_nodes; echo "${#MEMBER_NAMES[@]}|${#MEMBER_FAULTS[@]}"'
  [ "$output" = '0|0' ]
}

@test "etcd_prepare: all that is wrong with the nodes at once" {
  ETCD_NODES='a b:1 a=x=y a' run -2 with_etcd 'etcd_prepare'
  [[ $output == *"ETCD_NODES: expected names of hosts, or name=host, with commas between them, found 'b:1'"* ]]
  [[ $output == *"found 'a=x=y'"* ]]
  [[ $output == *"ETCD_NODES: expected each node once, found 'a' twice"* ]]
  [[ $output == *"ETCD_NAME: expected one of the nodes in ETCD_NODES (a), found 'here'; set it, or the container's host name"* ]]
  ETCD_NODES=, run -2 with_etcd 'etcd_prepare'
  [[ $output == *"with commas between them, found ','"* ]]
  ETCD_NAME=a=b run -2 with_etcd 'etcd_prepare'
  [[ $output == *"ETCD_NAME: expected a name without = and comma, found 'a=b'"* ]]
}

@test "etcd_prepare: a configuration file, a password that etcdctl would cut, and what is wrong with TLS besides" {
  ETCD_CONFIG_FILE=/x ETCD_ROOT_PASSWORD='a secret 2718' ETCD_TLS_CERT=/none run -2 with_etcd 'etcd_prepare'
  [[ $output == *"ETCD_CONFIG_FILE: expected settings as variables or options, found a file"*"'/x'"* ]]
  [[ $output == *"ETCD_ROOT_PASSWORD: expected a password without blanks"* ]]
  [[ $output == *"ETCD_TLS_KEY: expected the key of the certificate /none, found none"* ]]
  [[ $output != *2718* ]]
}

@test "etcd_find_self: by the host name, by the name; who is first" {
  ETCD_NODES=here,there run -0 with_etcd "$given"'etcd_read_nodes; etcd_find_self; echo "$MEMBER_HOST|$MEMBER_FIRST"; given ETCD_NAME'
  [ "$output" = $'here|yes\nETCD_NAME=here' ]
  ETCD_NODES=here,b=10.0.0.2 ETCD_NAME=b run -0 with_etcd 'etcd_read_nodes; etcd_find_self; echo "$MEMBER_HOST|$MEMBER_FIRST"'
  [ "$output" = '10.0.0.2|' ]
  run -0 with_etcd 'etcd_find_self; echo "$ETCD_NAME|$MEMBER_HOST|$MEMBER_FIRST"'
  [ "$output" = 'here|here|yes' ]
  run -0 with_etcd 'unset HOSTNAME; etcd_find_self; echo "$ETCD_NAME|$MEMBER_HOST"'
  [ "$output" = 'default|localhost' ]
}

@test "etcd_set_defaults: a cluster of three" {
  ETCD_NODES=a,here,c=10.0.0.3 LOG_LEVEL=warn run -0 with_etcd "$given"'etcd_prepare 2>/dev/null
    given ETCD_{LISTEN,ADVERTISE}_CLIENT_URLS ETCD_LISTEN_PEER_URLS ETCD_INITIAL_{ADVERTISE_PEER_URLS,CLUSTER} ETCD_AUTO_COMPACTION_{MODE,RETENTION} ETCD_LOGGER ETCD_LOG_LEVEL'
  [ "$output" = 'ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379
ETCD_ADVERTISE_CLIENT_URLS=http://here:2379
ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://here:2380
ETCD_INITIAL_CLUSTER=a=http://a:2380,here=http://here:2380,c=http://10.0.0.3:2380
ETCD_AUTO_COMPACTION_MODE=periodic
ETCD_AUTO_COMPACTION_RETENTION=1h
ETCD_LOGGER=zap
ETCD_LOG_LEVEL=warn' ]
}

@test "etcd_set_defaults: one alone keeps its port for nodes to itself" {
  run -0 with_etcd "$given"'etcd_prepare 2>/dev/null; given ETCD_LISTEN_PEER_URLS ETCD_INITIAL_CLUSTER'
  [ "$output" = $'ETCD_LISTEN_PEER_URLS=http://127.0.0.1:2380\nETCD_INITIAL_CLUSTER=here=http://here:2380' ]
  ETCD_INITIAL_ADVERTISE_PEER_URLS=http://a:1,http://b:2 run -0 with_etcd "$given"'etcd_prepare 2>/dev/null; given ETCD_INITIAL_CLUSTER'
  [ "$output" = 'ETCD_INITIAL_CLUSTER=here=http://a:1,here=http://b:2' ]
}

@test "etcd_set_defaults: what the user set counts, also by an option; discovery takes no list" {
  export ETCD_NODES=here,b ETCD_LISTEN_CLIENT_URLS=http://10.0.0.9:1 ETCD_AUTO_COMPACTION_MODE=revision ETCD_LOG_LEVEL=error
  run -0 with_etcd "$given"'etcd_take_command etcd --initial-cluster=x=y --listen-peer-urls http://1.2.3.4:5; etcd_prepare 2>/dev/null
    given ETCD_LISTEN_CLIENT_URLS ETCD_AUTO_COMPACTION_MODE ETCD_AUTO_COMPACTION_RETENTION ETCD_LOG_LEVEL ETCD_INITIAL_CLUSTER ETCD_LISTEN_PEER_URLS
    echo "$ETCD_INITIAL_CLUSTER"'
  [ "$output" = 'ETCD_LISTEN_CLIENT_URLS=http://10.0.0.9:1
ETCD_AUTO_COMPACTION_MODE=revision
ETCD_AUTO_COMPACTION_RETENTION=
ETCD_LOG_LEVEL=error
ETCD_INITIAL_CLUSTER=
ETCD_LISTEN_PEER_URLS=
x=y' ]
  unset ETCD_NODES
  ETCD_DISCOVERY=http://d run -0 with_etcd "$given"'etcd_prepare 2>/dev/null; given ETCD_INITIAL_CLUSTER ETCD_LISTEN_PEER_URLS'
  [ "$output" = $'ETCD_INITIAL_CLUSTER=\nETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380' ]
}

@test "etcd_read_tls: mounted files are in force for clients and between nodes" {
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  mkdir "$MEMBER_TLS_FOLDER"
  make_pair "$MEMBER_TLS_FOLDER" tls
  cp "$MEMBER_TLS_FOLDER/tls.crt" "$MEMBER_TLS_FOLDER/ca.crt"
  export names='ETCD_LISTEN_CLIENT_URLS ETCD_INITIAL_ADVERTISE_PEER_URLS ETCD_CERT_FILE ETCD_KEY_FILE ETCD_TRUSTED_CA_FILE ETCD_CLIENT_CERT_AUTH ETCD_PEER_CERT_FILE ETCD_PEER_KEY_FILE ETCD_PEER_TRUSTED_CA_FILE ETCD_PEER_CLIENT_CERT_AUTH'
  run -0 with_etcd "$given"'etcd_prepare; given $names'
  [ "$output" = "ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://here:2380
ETCD_CERT_FILE=$MEMBER_TLS_FOLDER/tls.crt
ETCD_KEY_FILE=$MEMBER_TLS_FOLDER/tls.key
ETCD_TRUSTED_CA_FILE=$MEMBER_TLS_FOLDER/ca.crt
ETCD_CLIENT_CERT_AUTH=true
ETCD_PEER_CERT_FILE=$MEMBER_TLS_FOLDER/tls.crt
ETCD_PEER_KEY_FILE=$MEMBER_TLS_FOLDER/tls.key
ETCD_PEER_TRUSTED_CA_FILE=$MEMBER_TLS_FOLDER/ca.crt
ETCD_PEER_CLIENT_CERT_AUTH=true" ]
  ETCD_TLS_CLIENT_AUTH=false run -0 with_etcd "$given"'etcd_prepare; given ETCD_TRUSTED_CA_FILE ETCD_CLIENT_CERT_AUTH ETCD_PEER_TRUSTED_CA_FILE'
  [[ $output == *WARN*$'ETCD_TRUSTED_CA_FILE=\nETCD_CLIENT_CERT_AUTH=\nETCD_PEER_TRUSTED_CA_FILE='"$MEMBER_TLS_FOLDER/ca.crt" ]]
  rm "$MEMBER_TLS_FOLDER/ca.crt"
  run -0 with_etcd "$given"'etcd_prepare 2>/dev/null; given ETCD_CERT_FILE ETCD_TRUSTED_CA_FILE ETCD_PEER_CLIENT_CERT_AUTH'
  [ "$output" = "ETCD_CERT_FILE=$MEMBER_TLS_FOLDER/tls.crt"$'\nETCD_TRUSTED_CA_FILE=\nETCD_PEER_CLIENT_CERT_AUTH=' ]
}

@test "etcd_read_tls: an authority alone, one that is not there, half a pair" {
  mkdir "$MEMBER_TLS_FOLDER"
  ETCD_TLS_CA=/ca run -2 with_etcd 'etcd_read_tls'
  [[ $output == *"ETCD_TLS_CA: expected a certificate and its key beside the authority in '/ca', found neither"* ]]
  touch "$MEMBER_TLS_FOLDER/tls.key"
  run -2 with_etcd 'etcd_read_tls'
  [[ $output == *'ETCD_TLS_CERT: expected the certificate of the key'*'found none'* ]]
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  make_pair "$MEMBER_TLS_FOLDER" tls
  ETCD_TLS_CA=/none run -2 with_etcd 'etcd_read_tls'
  [[ $output == *"ETCD_TLS_CA: expected a file, found '/none'"* ]]
}

@test "etcd_warn_open: loudly, unless a password or certificates are asked for" {
  run -0 with_etcd 'etcd_prepare'
  [[ $output == *WARN*'ANYONE who can reach the port may READ AND CHANGE EVERYTHING'* ]]
  ETCD_ROOT_PASSWORD=x run -0 with_etcd 'etcd_prepare'
  [ -z "$output" ]
  ETCD_TRUSTED_CA_FILE=/x run -0 with_etcd 'etcd_warn_open'
  [ -z "$output" ]
}

@test "etcd_hide_own: etcd sees neither our variables nor those of Kubernetes" {
  export ETCD_NODES=here ETCD_TLS_CLIENT_AUTH=true ETCD_ROOT_PASSWORD_FILE=/x ETCD_NAME=a ETCD_PORT=tcp://1.2.3.4:5 ETCD_SERVICE_HOST=1.2.3.4
  run -0 with_etcd 'etcd_hide_own; env | grep ^ETCD_ | sort; echo "$ETCD_NODES"'
  [ "$output" = "ETCD_DATA_DIR=$ETCD_DATA_DIR"$'\nETCD_NAME=a\nhere' ]
}

@test "etcd_drop_misspelt: what is nearly one of ours and no option of etcd, with a warning and no value" {
  stub etcd <<<'printf "  --snapshot-count 100\\n  --nodes-x\\n"'
  local ours='ENV_NAMES=(ETCD_NODES ETCD_ROOT_PASSWORD) ENV_TYPE=([ETCD_NODES]=string [ETCD_ROOT_PASSWORD]=string [ETCD_DATA_DIR]=path); '
  export ETCD_ROOT_PASWORD=secret2718 ETCD_NODE=a ETCD_SNAPSHOT_COUNT=5 ETCD_ROOT_PASSWORD_FILE=/x ETCD_SOMETHING_ELSE=1
  run -0 with_etcd "$ours"'etcd_drop_misspelt; env | grep ^ETCD_ | cut -d= -f1 | sort'
  [[ $output == *WARN*'ETCD_ROOT_PASWORD is set, but nothing here reads it; did you mean ETCD_ROOT_PASSWORD?'* ]]
  [[ $output == *'ETCD_NODE is set, but nothing here reads it; did you mean ETCD_NODES?'* ]]
  [[ $output == *$'ETCD_DATA_DIR\nETCD_ROOT_PASSWORD_FILE\nETCD_SNAPSHOT_COUNT\nETCD_SOMETHING_ELSE' ]]
  [[ $output != *2718* ]]
  unset ETCD_ROOT_PASWORD ETCD_NODE ETCD_SNAPSHOT_COUNT ETCD_ROOT_PASSWORD_FILE ETCD_SOMETHING_ELSE
  stub etcd <<<'echo asked >>"$CALLS"'
  run -0 with_etcd "$ours"'etcd_drop_misspelt'
  [ ! -s "$CALLS" ]
}
