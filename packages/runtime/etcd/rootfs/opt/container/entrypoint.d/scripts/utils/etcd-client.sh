#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# How to reach the etcd of this container, for etcdctl, for the health check and for turning authentication on. The mode
# writes it down: address to listen at, address for others, certificate, key, authorities, one a line.

CLIENT_PROGRAM=${CLIENT_PROGRAM:-/usr/bin/etcdctl}
CLIENT_URL="" CLIENT_ADVERTISED="" CLIENT_CERT="" CLIENT_KEY="" CLIENT_CA="" # what is written down
CLIENT_HOST="" CLIENT_PORT=""                                                # where to connect

# Gives in REPLY the first address of a list that is one of TCP, or nothing.
etcd_first_url() {
  local url
  local -a urls=()
  REPLY=""
  IFS=, read -r -a urls <<<"$1"
  for url in "${urls[@]}"; do
    if [[ $url == http://* || $url == https://* ]]; then
      REPLY=$url
      return 0
    fi
  done
}

# Writes down how to reach etcd; needs its variables. Some releases have HTTP on a port of its own.
etcd_write_address() {
  local url
  etcd_first_url "${ETCD_LISTEN_CLIENT_HTTP_URLS:-${ETCD_LISTEN_CLIENT_URLS-}}"
  url=$REPLY
  etcd_first_url "${ETCD_ADVERTISE_CLIENT_URLS-}"
  state_write etcd.address "$url" "$REPLY" "${ETCD_CERT_FILE-}" "${ETCD_KEY_FILE-}" "${MEMBER_CA:-${ETCD_TRUSTED_CA_FILE-}}"
}

# Gives in CLIENT_HOST and CLIENT_PORT where to connect for an address to listen at.
etcd_split_url() {
  local rest=${1#*://}
  rest=${rest%%/*}
  CLIENT_HOST=${rest%:*} CLIENT_PORT=${rest##*:}
  case $CLIENT_HOST in
    0.0.0.0) CLIENT_HOST=127.0.0.1 ;;
    '[::]') CLIENT_HOST='[::1]' ;;
  esac
}

# Gives all that is written down, and where to connect; needs the state folder. 1 if etcd was not started there.
etcd_read_address() {
  local -a lines=()
  [[ -r $1/etcd.address ]] || return 1
  mapfile -t lines <"$1/etcd.address"
  CLIENT_URL=${lines[0]-} CLIENT_ADVERTISED=${lines[1]-}
  CLIENT_CERT=${lines[2]-} CLIENT_KEY=${lines[3]-} CLIENT_CA=${lines[4]-}
  [[ -n $CLIENT_URL ]] || return 1
  etcd_split_url "$CLIENT_URL"
}

# Gives in REPLY the first of some hosts that the node's certificate is for; the first of all where it is for none.
etcd_certified_host() {
  local host check
  for host; do
    check=-checkip
    if [[ $host == *[!0-9.]* && $host != \[* ]]; then check=-checkhost; fi
    REPLY=${host//[\[\]]/}
    if [[ $(openssl x509 -in "$CLIENT_CERT" -noout "$check" "$REPLY" 2>/dev/null) == *' does match '* ]]; then
      REPLY=$host
      return 0
    fi
  done
  REPLY=$1
}

# Gives a variable of etcdctl a value if there is one, unless it has another, or its option is given: it takes no thing twice.
etcd_client_default() {
  [[ -n $2 && " ${CLIENT_GIVEN-} " != *" $1 "* && -z ${!1-} ]] || return 0
  export "$1=$2"
}

# Gives etcdctl its variables; needs the state folder. The names of those that are given as options are in CLIENT_GIVEN.
etcd_client_env() {
  local url
  etcd_read_address "$1" || return 0
  if [[ $CLIENT_URL != https://* ]]; then
    etcd_client_default ETCDCTL_ENDPOINTS "http://$CLIENT_HOST:$CLIENT_PORT"
    return 0
  fi
  url=${CLIENT_ADVERTISED#*://}
  url=${url%%/*}
  etcd_certified_host "${url%:*}" localhost "$CLIENT_HOST"
  etcd_client_default ETCDCTL_ENDPOINTS "https://$REPLY:$CLIENT_PORT"
  # A certificate that is trusted itself needs no authority.
  etcd_client_default ETCDCTL_CACERT "${CLIENT_CA:-$CLIENT_CERT}"
  if [[ -n $CLIENT_CA ]]; then
    etcd_client_default ETCDCTL_CERT "$CLIENT_CERT"
    etcd_client_default ETCDCTL_KEY "$CLIENT_KEY"
  fi
}
