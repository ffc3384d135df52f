#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { patroni_setup; }

# Asks the REST API and prints the status and the body; needs the path.
ask() {
  with_entrypoint 'PATRONI_PATIENCE_MS=30000; patroni_get "$STATE_DIR" "$1"; printf "%s <%s> <%s>\n" "$PATRONI_CODE" "$REPLY" "$PATRONI_BODY"' "$1"
}

# Serves connections in a way that no web server does; needs a line of Python, in which "peer" is the connection and asked()
# takes the whole question: what is left of it when the connection ends would take the answer away.
odd_server() {
  printf '%s\n' 'import socket, os, sys, time' 'server = socket.create_server(("127.0.0.1", 0))' \
    'open(sys.argv[1] + ".new", "w").write(str(server.getsockname()[1]))' 'os.rename(sys.argv[1] + ".new", sys.argv[1])' \
    'def asked():' '    question = b""' '    while not question.endswith(b"\r\n\r\n"): question += peer.recv(99) or b"\r\n\r\n"' \
    'while True:' '    peer = server.accept()[0]' "    $1" '    peer.close()' >"$BATS_TEST_TMPDIR/odd.py"
  python_in_background "$BATS_TEST_TMPDIR/odd.py" "$STATE_FOLDERS/port"
  eventually test -s "$STATE_FOLDERS/port"
  published "$(<"$STATE_FOLDERS/port")"
}

@test "patroni_enabled: by either name, and by nothing else" {
  run -1 with_entrypoint 'patroni_enabled'
  PATRONI_ENABLE=true run -0 with_entrypoint 'patroni_enabled'
  USE_PATRONI=true PATRONI_ENABLE=false run -0 with_entrypoint 'patroni_enabled'
  PATRONI_ENABLE=false USE_PATRONI=false run -1 with_entrypoint 'patroni_enabled'
  PATRONI_ENABLE='true $(x)' run -1 with_entrypoint 'patroni_enabled'
}

@test "patroni_dir: in the state folder" {
  run -0 with_entrypoint 'patroni_dir; echo "$PATRONI_DIR"'
  [ "$output" = "$STATE_FOLDERS/patroni" ]
}

@test "patroni_get: nobody is asked where nothing is published, and nobody answers where nobody listens" {
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
  : >"$STATE_FOLDERS/patroni.address"
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
  published 1
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
}

@test "patroni_get: the status and the body, of several lines too" {
  rest_api
  answer /one 200 '{"role": "primary"}'
  answer /two 503 $'{"state":\n "starting"}'
  run -0 ask /one
  [ "$output" = '200 <{"role": "primary"}> <{"role": "primary"}>' ]
  run -0 ask /two
  [ "$output" = $'503 <{"state":\n "starting"}> <{"state":\n "starting"}>' ]
  run -0 ask /none
  [ "$output" = '404 <> <>' ]
}

@test "patroni_get: an answer without a body, as Patroni gives where only the status counts" {
  rest_api
  answer /readiness 200
  run -0 ask /readiness
  [ "$output" = '200 <> <>' ]
}

@test "patroni_get: what an earlier answer left is not taken for this one's" {
  rest_api
  answer /one 200 body
  run -0 with_entrypoint 'PATRONI_PATIENCE_MS=30000; patroni_get "$STATE_DIR" /one; patroni_get "$STATE_DIR" /none; echo "$PATRONI_CODE <$REPLY$PATRONI_BODY>"
    patroni_get /nowhere /one; echo "$PATRONI_CODE <$REPLY$PATRONI_BODY>"'
  [ "$output" = $'404 <>\n0 <>' ]
}

@test "patroni_get: one that hangs is waited for only so long, and no descriptor is left open" {
  rest_api
  answer /hang hang
  run -0 with_entrypoint 'PATRONI_PATIENCE_MS=100; exec {before}</dev/null {before}<&-; patroni_get "$STATE_DIR" /hang; exec {after}</dev/null
    echo "$PATRONI_CODE"; ((before == after))'
  [ "$output" = 0 ]
}

@test "patroni_get: what is no HTTP, or ends at once, is no answer" {
  odd_server 'asked(); peer.sendall(b"SSH-2.0-OpenSSH 200 \r\n")'
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
  kill "$PID"
  rm "$STATE_FOLDERS/port"
  odd_server 'asked()'
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
  kill "$PID"
  rm "$STATE_FOLDERS/port"
  # Before it was asked.
  odd_server 'peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")'
  for _ in {1..20}; do
    run -0 ask /x
    [ "$output" = '0 <> <>' ]
  done
}

@test "patroni_get: headers of any kind are no body" {
  odd_server 'asked(); peer.sendall(b"HTTP/1.1 200 OK\r\nX: {\"role\": \"no\"}\r\nServer: a b\r\n\r\nbody")'
  run -0 ask /x
  [ "$output" = '200 <body> <body>' ]
}

# Starts the REST API over TLS; may need the authority whose certificates it asks for.
tls_api() {
  type -P openssl >/dev/null || skip "no openssl on this machine"
  python_has_yaml
  make_pair "$STATE_FOLDERS" tls
  rest_api https "$STATE_FOLDERS/tls.crt" "$STATE_FOLDERS/tls.key" "$@"
}

@test "patroni_get: over TLS, whatever the certificate says" {
  tls_api
  answer /one 503 $'{"role":\n"replica"}'
  run -0 ask /one
  [ "$output" = $'503 <{"role":\n"replica"}> <{"role":\n"replica"}>' ]
}

@test "patroni_get: over TLS, an answer without a body" {
  tls_api
  answer /readiness 200
  run -0 ask /readiness
  [ "$output" = '200 <> <>' ]
}

@test "patroni_get: over TLS, one that speaks none, and nobody, are no answer" {
  rest_api
  published "$(<"$STATE_FOLDERS/port")" https
  answer /x 200 plain
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
  published 1 https
  run -0 ask /x
  [ "$output" = '0 <> <>' ]
}

@test "patroni_get: one that asks for certificates gets that of patronictl, else its own; without any it is no answer" {
  type -P openssl >/dev/null || skip "no openssl on this machine"
  make_pair "$STATE_FOLDERS" ours
  tls_api "$STATE_FOLDERS/ours.crt"
  answer /one 200 body
  run -0 ask /one
  [ "$output" = '0 <> <>' ]
  mkdir "$STATE_FOLDERS/patroni"
  local section
  for section in ctl restapi; do
    printf '%s\n' 'restapi: {listen: x}' "$section: {certfile: $STATE_FOLDERS/ours.crt, keyfile: $STATE_FOLDERS/ours.key}" >"$STATE_FOLDERS/patroni/patroni.yml"
    run -0 ask /one
    [ "$output" = '200 <body> <body>' ]
  done
  printf '%s\n' 'restapi: {listen: x}' 'ctl:' >"$STATE_FOLDERS/patroni/patroni.yml"
  run -0 ask /one
  [ "$output" = '0 <> <>' ]
}

@test "ask.py: the status on the first line, then the body; a time that is over ends it" {
  tls_api
  local port
  port=$(<"$STATE_FOLDERS/port")
  answer /one 200 'é "x"'
  run -0 as_user bash -c 'python3 -I "$@"' x "$PATRONI_HOME/ask.py" 127.0.0.1 "$port" /one 30
  [ "$output" = $'200\né "x"' ]
  answer /hang hang
  run -1 as_user bash -c 'python3 -I "$@"' x "$PATRONI_HOME/ask.py" 127.0.0.1 "$port" /hang 0.3
}

@test "patroni_field: text, numbers and flags by name; nothing for what is not there" {
  run -0 with_entrypoint 'body="{\"state\": \"running\", \"role\":\"primary\", \"timeline\": 7, \"last\": true, \"x\": {\"y\": 1}}"
    for name in state role timeline last y none; do patroni_field "$body" "$name"; echo -n "<$REPLY>"; done; patroni_field "" state; echo "<$REPLY>"'
  [ "$output" = '<running><primary><7><true><1><><>' ]
}

@test "patroni_probe: off where nothing is published" {
  run -0 with_entrypoint 'patroni_probe "$STATE_DIR" /primary well ill'
  [ -z "$output" ]
  run -0 with_entrypoint 'patroni_probe "" /primary well ill'
  [ -z "$output" ]
}

@test "patroni_probe: well, ill, no answer" {
  rest_api
  answer /primary 200
  answer /replica 503 '{"state": "ignored"}'
  run -0 with_entrypoint 'PATRONI_PATIENCE_MS=30000; patroni_probe "$STATE_DIR" /primary "all is well" ill'
  [ "$output" = 'Patroni says that all is well' ]
  run -1 with_entrypoint 'PATRONI_PATIENCE_MS=30000; patroni_probe "$STATE_DIR" /replica well "it is ill"'
  [ "$output" = 'Patroni says that it is ill' ]
  published 1
  run -1 with_entrypoint 'patroni_probe "$STATE_DIR" /primary well ill'
  [ "$output" = "Patroni's REST API does not answer: it starts, or hangs" ]
}

@test "patroni_probe: why it is ill, as far as Patroni says it, within what is left of the time" {
  published 1
  local fake='patroni_get() { PATRONI_CODE=503 REPLY="" PATRONI_BODY=""; [[ $2 != /patroni ]] || REPLY=$BODY PATRONI_BODY=$BODY PATIENCE=$PATRONI_PATIENCE_MS; }; '
  BODY='{"state": "running", "role": "replica"}' run -1 with_entrypoint "$fake"'patroni_probe "$STATE_DIR" /x well "it is ill" || { echo "$PATIENCE"; exit 1; }'
  [ "$output" = $'Patroni says that it is ill, its role is replica, its state is running\n200' ]
  BODY='{"state": "starting"}' run -1 with_entrypoint "$fake"'patroni_probe "$STATE_DIR" /x well "it is ill"'
  [ "$output" = 'Patroni says that it is ill, its state is starting' ]
  BODY='' run -1 with_entrypoint "$fake"'patroni_probe "$STATE_DIR" /x well "it is ill"'
  [ "$output" = 'Patroni says that it is ill' ]
}
