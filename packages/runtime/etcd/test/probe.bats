#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2154 # sourced from a copy; code stands in single quotes
load helper

setup() {
  etcd_setup
  PROBE=$SCRIPTS/healthcheck.d/10-etcd.sh
}

teardown() { if [[ -n ${SERVER-} ]]; then kill "$SERVER" 2>/dev/null || :; fi; }

# Starts a server that answers as etcd does; needs http, https or silent, and its answer. Gives in PORT where it is.
serve() {
  local i
  type -P node >/dev/null || skip "node is not on this machine"
  rm -f "$BATS_TEST_TMPDIR/port"
  KIND=$1 ANSWER=${2-} TLS=$MEMBER_TLS_FOLDER PORT_FILE=$BATS_TEST_TMPDIR/port node -e '
const { KIND, ANSWER, TLS, PORT_FILE } = process.env, fs = require("fs");
const answer = (request, response) => { response.statusCode = /true/.test(ANSWER) ? 200 : 503; response.end(request.url === "/health" ? ANSWER : "?"); };
const read = (name) => fs.readFileSync(`${TLS}/${name}`);
const server = KIND === "http" ? require("http").createServer(answer)
  : KIND === "https" ? require("https").createServer({ cert: read("tls.crt"), key: read("tls.key"), ca: read("tls.crt"), requestCert: true, rejectUnauthorized: true }, answer)
  : require("net").createServer(() => {});
server.listen(0, "127.0.0.1", () => { fs.writeFileSync(`${PORT_FILE}.new`, String(server.address().port)); fs.renameSync(`${PORT_FILE}.new`, PORT_FILE); });
' >/dev/null 2>&1 3>&- &
  SERVER=$!
  eventually test -s "$BATS_TEST_TMPDIR/port"
  PORT=$(<"$BATS_TEST_TMPDIR/port")
}

# Runs the probe.
probe() { as_user bash "$PROBE" "$STATE_FOLDERS"; }

@test "not started, not listening" {
  run -1 probe
  [ "$output" = 'etcd is not started yet' ]
  address http://127.0.0.1:1
  run -1 probe
  [ "$output" = 'etcd does not take connections on 127.0.0.1:1: it starts, or it ended' ]
}

@test "well, over HTTP" {
  serve http '{"health":"true","reason":""}'
  address "http://0.0.0.0:$PORT"
  run -0 probe
  [ "$output" = "etcd answers on port $PORT, with a leader and a quorum" ]
  [ ! -s "$CALLS" ]
}

@test "well, over TLS, with the node's own certificate; without it not" {
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  mkdir "$MEMBER_TLS_FOLDER"
  make_pair "$MEMBER_TLS_FOLDER" tls
  serve https '{"health":"true"}'
  address "https://0.0.0.0:$PORT" x "$MEMBER_TLS_FOLDER/tls.crt" "$MEMBER_TLS_FOLDER/tls.key"
  run -0 probe
  [ "$output" = "etcd answers on port $PORT, with a leader and a quorum" ]
  address "https://0.0.0.0:$PORT"
  run -1 probe
  [[ $output == 'etcd does not take connections'* ]]
}

@test "no answer in time, over HTTP and over TLS" {
  serve silent
  export PROBE_LIMIT_MS=50
  address "http://127.0.0.1:$PORT"
  run -1 probe
  [ "$output" = 'etcd does not answer within 50 ms: it waits for enough nodes of its cluster (quorum), or is overloaded' ]
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  address "https://127.0.0.1:$PORT"
  run -1 probe
  [[ $output == 'etcd does not answer within 50 ms'* ]]
}

@test "what is wrong is told by its reason" {
  serve http '{"health":"false","reason":"RAFT NO LEADER"}'
  address "http://127.0.0.1:$PORT"
  run -1 probe
  [ "$output" = 'the cluster has no leader: it elects one, or too few of its nodes are there (no quorum)' ]
  run -0 bash -c 'source "$1"; probe_tell "ALARM NOSPACE"; probe_tell "ALARM CORRUPT"; probe_tell "QGET ERROR: x"; probe_tell ""' bash "$PROBE"
  [ "${lines[0]}" = 'etcd takes no more writes (alarm NOSPACE): compact, defragment, then etcdctl alarm disarm' ]
  [ "${lines[1]}" = 'etcd raised an alarm: ALARM CORRUPT; look with etcdctl alarm list' ]
  [[ ${lines[2]} == 'the cluster does not answer a read: '*'or it is overloaded (QGET ERROR: x)' ]]
  [[ ${lines[3]} == *'or it is overloaded' ]]
}

@test "without a reason, as before 3.5, etcdctl knows whether there is a leader" {
  serve http '{"health":"false"}'
  address "http://127.0.0.1:$PORT"
  answer endpoint-status 0 <<<'127.0.0.1:2379, 1, 3.4.23, 20 kB, false, false, 2, 8, 8, etcdserver: no leader'
  run -1 probe
  [[ $output == 'the cluster has no leader'* ]]
  grep -q "ETCDCTL_ENDPOINTS=http://127.0.0.1:$PORT" "$CALLS"
  answer endpoint-status 1 <<<''
  run -1 probe
  [[ $output == 'the cluster does not answer a read'* ]]
}

@test "authentication that is not on yet, or cannot be" {
  serve http '{"health":"true"}'
  address "http://127.0.0.1:$PORT"
  echo pending >"$STATE_FOLDERS/etcd.auth"
  run -1 probe
  [ "$output" = 'authentication is not on yet (ETCD_ROOT_PASSWORD)' ]
  echo wrong >"$STATE_FOLDERS/etcd.auth"
  run -10 probe
  [ "$output" = 'ETCD_ROOT_PASSWORD is not the password of user root' ]
  echo >"$STATE_FOLDERS/etcd.auth"
  run -0 probe
}

@test "as the health check runs it" {
  serve http '{"health":"false","reason":"RAFT NO LEADER"}'
  address "http://127.0.0.1:$PORT"
  echo running >"$STATE_FOLDERS/phase"
  run -1 as_user bash "$SCRIPTS/runtime/healthcheck.sh"
  [ "$output" = 'unhealthy: 10-etcd: the cluster has no leader: it elects one, or too few of its nodes are there (no quorum)' ]
  kill "$SERVER"
  serve http '{"health":"true"}'
  address "http://127.0.0.1:$PORT"
  echo wrong >"$STATE_FOLDERS/etcd.auth"
  run -0 as_user bash "$SCRIPTS/runtime/healthcheck.sh"
  [ "$output" = 'healthy: 10-etcd: warning: ETCD_ROOT_PASSWORD is not the password of user root' ]
}
