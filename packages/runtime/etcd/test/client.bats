#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2154 # sourced from a copy; code stands in single quotes
load helper

setup() {
  etcd_setup
  COMMAND=$IMAGE/usr/local/bin/etcdctl
}

# Runs the program.
etcdctl_here() { as_user bash "$COMMAND" "$@"; }

# Makes a certificate for hosts, its own authority, and its key.
make_certificate() {
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  mkdir -p "$MEMBER_TLS_FOLDER"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x -addext "subjectAltName=$1" \
    -keyout "$MEMBER_TLS_FOLDER/tls.key" -out "$MEMBER_TLS_FOLDER/tls.crt" 2>/dev/null
  owned_by_user "$MEMBER_TLS_FOLDER"
}

@test "etcd_first_url: the first that is TCP" {
  run -0 with_etcd 'for list in "http://a:1,http://b:2" "unix://x,https://b:2" "unix://x" ""; do etcd_first_url "$list"; echo "<$REPLY>"; done'
  [ "$output" = $'<http://a:1>\n<https://b:2>\n<>\n<>' ]
}

@test "etcd_write_address, etcd_read_address: all that it takes to connect" {
  export ETCD_LISTEN_CLIENT_URLS=unix://x,https://0.0.0.0:2379 ETCD_ADVERTISE_CLIENT_URLS=https://here:2379 ETCD_CERT_FILE=/c ETCD_KEY_FILE=/k
  run -0 with_etcd 'MEMBER_CA=/ca; etcd_write_address; etcd_read_address "$STATE_DIR"
    echo "$CLIENT_URL $CLIENT_ADVERTISED $CLIENT_CERT $CLIENT_KEY $CLIENT_CA $CLIENT_HOST $CLIENT_PORT"'
  [ "$output" = 'https://0.0.0.0:2379 https://here:2379 /c /k /ca 127.0.0.1 2379' ]
  [ "$(stat -c %a "$STATE_FOLDERS/etcd.address")" = 644 ]
  ETCD_LISTEN_CLIENT_HTTP_URLS=http://1.2.3.4:5 run -0 with_etcd 'etcd_write_address; etcd_read_address "$STATE_DIR"; echo "$CLIENT_URL"'
  [ "$output" = 'http://1.2.3.4:5' ]
  ETCD_LISTEN_CLIENT_URLS=unix://x run -1 with_etcd 'etcd_write_address; etcd_read_address "$STATE_DIR"'
  run -1 with_etcd 'etcd_read_address /none'
}

@test "etcd_split_url: where to connect for an address to listen at" {
  run -0 with_etcd 'for url in http://0.0.0.0:1 http://[::]:2 https://10.0.0.1:3/x http://[fe80::1]:4; do etcd_split_url "$url"; echo "$CLIENT_HOST $CLIENT_PORT"; done'
  [ "$output" = $'127.0.0.1 1\n[::1] 2\n10.0.0.1 3\n[fe80::1] 4' ]
}

@test "etcdctl: without TLS, the address alone" {
  address http://0.0.0.0:2379 http://here:2379
  run -0 etcdctl_here get 'a b'
  [ "$(<"$CALLS")" = $'etcdctl <get> <a b>\nETCDCTL_ENDPOINTS=http://127.0.0.1:2379' ]
}

@test "etcdctl: with TLS, the host that the certificate is for, and the certificates" {
  make_certificate DNS:localhost
  address https://0.0.0.0:2379 https://here:2379 "$MEMBER_TLS_FOLDER/tls.crt" "$MEMBER_TLS_FOLDER/tls.key" /ca
  run -0 etcdctl_here get a
  [ "$(<"$CALLS")" = "etcdctl <get> <a>
ETCDCTL_CACERT=/ca
ETCDCTL_CERT=$MEMBER_TLS_FOLDER/tls.crt
ETCDCTL_ENDPOINTS=https://localhost:2379
ETCDCTL_KEY=$MEMBER_TLS_FOLDER/tls.key" ]
}

@test "etcdctl: a certificate without authority is trusted itself; one for a number, or for nobody" {
  make_certificate IP:127.0.0.1
  address https://0.0.0.0:2379 https://here:2379 "$MEMBER_TLS_FOLDER/tls.crt" "$MEMBER_TLS_FOLDER/tls.key"
  run -0 etcdctl_here get a
  [ "$(<"$CALLS")" = "etcdctl <get> <a>
ETCDCTL_CACERT=$MEMBER_TLS_FOLDER/tls.crt
ETCDCTL_ENDPOINTS=https://127.0.0.1:2379" ]
  make_certificate DNS:elsewhere
  run -0 with_etcd "CLIENT_CERT='$MEMBER_TLS_FOLDER/tls.crt'"'; etcd_certified_host here localhost "[::1]"; echo "$REPLY"'
  [ "$output" = here ]
}

@test "etcdctl: what is given counts, and only once" {
  address http://0.0.0.0:2379 http://here:2379
  ETCDCTL_ENDPOINTS=http://mine:1 run -0 etcdctl_here get a
  [[ $(<"$CALLS") == *'ENDPOINTS=http://mine:1' ]]
  : >"$CALLS"
  ETCDCTL_ENDPOINTS=http://mine:1 ETCD_ROOT_PASSWORD=x run -0 etcdctl_here --endpoints=http://b:2 --user root:y get -- --key
  [ "$(<"$CALLS")" = 'etcdctl <--endpoints=http://b:2> <--user> <root:y> <get> <--> <--key>' ]
}

@test "etcdctl: root's password from the variable or its file, unless somebody else is named" {
  local file=$BATS_TEST_TMPDIR/password
  address http://0.0.0.0:2379 http://here:2379
  printf 'from a file\n' >"$file"
  ETCD_ROOT_PASSWORD='a:b c' run -0 etcdctl_here get a
  [[ $(<"$CALLS") == *$'ETCDCTL_PASSWORD=a:b c\nETCDCTL_USER=root' ]]
  : >"$CALLS"
  ETCD_ROOT_PASSWORD_FILE=$file run -0 etcdctl_here get a
  [[ $(<"$CALLS") == *$'ETCDCTL_PASSWORD=from a file\nETCDCTL_USER=root' ]]
  : >"$CALLS"
  ETCD_ROOT_PASSWORD=x ETCDCTL_USER=me:y run -0 etcdctl_here get a
  [[ $(<"$CALLS") == *'ETCDCTL_USER=me:y' && $(<"$CALLS") != *PASSWORD* ]]
  : >"$CALLS"
  ETCD_ROOT_PASSWORD_FILE=/none run -0 etcdctl_here get a
  [[ $(<"$CALLS") != *PASSWORD* ]]
}

@test "etcdctl: where no etcd was started it is etcdctl and no more; its code is handed on" {
  ETCD_ROOT_PASSWORD=x run -0 env STATE_FOLDERS=/none bash "$COMMAND" version
  [ "$(<"$CALLS")" = 'etcdctl <version>' ]
  echo running >"$STATE_FOLDERS/phase"
  answer get-a 3 <<<'no'
  run -3 etcdctl_here get a
  [ "$output" = no ]
}
