#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  haproxy_setup
  CHECK=$SCRIPTS/runtime/healthcheck.sh
  echo running >"$STATE_DIR/phase"
}

# Ends the server of a test.
end_server() {
  kill "$SERVER" 2>/dev/null || :
  wait "$SERVER" || :
  SERVER=""
  rm -f "$BATS_TEST_TMPDIR/port"
}

teardown() { [[ -z ${SERVER-} ]] || end_server; }

# Serves a text for every path on a port of its own, in PORT; the text comes from stdin.
serve() {
  cat >"$BATS_TEST_TMPDIR/answer"
  node -e 'const [file, port, status] = process.argv.slice(1), fs = require("fs");
    const server = require("http").createServer((request, response) => { response.writeHead(Number(status));
      response.end(request.url === "/nodes" || request.url.startsWith("/stats") ? fs.readFileSync(file) : "?"); });
    server.listen(0, "127.0.0.1", () => fs.writeFileSync(port, `${server.address().port}\n`));' \
    "$BATS_TEST_TMPDIR/answer" "$BATS_TEST_TMPDIR/port" "${1:-200}" 3>&- &
  SERVER=$!
  eventually test -s "$BATS_TEST_TMPDIR/port"
  PORT=$(<"$BATS_TEST_TMPDIR/port")
  printf '%s\n' "$$" "$PORT" >"$STATE_DIR/haproxy.address"
}

# Runs code with the functions of the probe at hand.
with_probe() { as_user bash -c 'source "$1"; '"$1" bash "$SCRIPTS/healthcheck.d/10-haproxy.sh"; }

@test "not well before HAProxy has opened its ports, and when nobody answers on them" {
  run -1 as_user "$BASH" "$CHECK"
  [[ $output == *'HAProxy has not opened its ports yet'* ]]
  printf '%s\n' "$$" 1 >"$STATE_DIR/haproxy.address"
  run -1 as_user "$BASH" "$CHECK"
  [[ $output == *'HAProxy does not answer on port 1'* ]]
}

@test "well with a primary and replicas" {
  serve <<<$'primary 1\nreplicas 2'
  run -0 as_user "$BASH" "$CHECK"
  [ "$output" = 'healthy: 10-haproxy: HAProxy answers: 1 primary, 2 for reads' ]
}

@test "an answer that is none, and one that HAProxy refuses to give, are not well" {
  serve <<<nonsense
  run -1 as_user "$BASH" "$CHECK"
  end_server
  serve 503 <<<$'primary 1\nreplicas 2'
  run -1 as_user "$BASH" "$CHECK"
}

@test "probe_tell: warnings without a primary, with two, without a replica" {
  run -10 with_probe 'PROXY_PRIMARIES=0 PROXY_REPLICAS=2; probe_tell'
  [[ $output == 'no node is known as the primary, so writes are refused; '* ]]
  run -10 with_probe 'PROXY_PRIMARIES=2 PROXY_REPLICAS=2; probe_tell'
  [[ $output == '2 nodes say that they are the primary, expected one; '* ]]
  run -10 with_probe 'PROXY_PRIMARIES=1 PROXY_REPLICAS=0; probe_tell'
  [[ $output == 'no replica takes reads, so they go to the primary; '* ]]
}

@test "a warning keeps the container healthy; live has no words about nodes" {
  serve <<<$'primary 0\nreplicas 0'
  run -0 as_user "$BASH" "$CHECK"
  [[ $output == 'healthy: 10-haproxy: warning: no node is known as the primary'* ]]
  run -0 as_user "$BASH" "$CHECK" live
  [ "$output" = 'healthy: 10-haproxy: HAProxy answers' ]
}

@test "with a configuration of the user's: whether a process works" {
  bash -c 'sleep 30 & wait' 3>&- &
  SERVER=$!
  has_child() { read -r REPLY <"/proc/$SERVER/task/$SERVER/children" || [[ -n $REPLY ]]; }
  eventually has_child
  printf '%s\n' "$SERVER" '' >"$STATE_DIR/haproxy.address"
  run -0 as_user "$BASH" "$CHECK"
  [ "$output" = 'healthy: 10-haproxy: HAProxy works, with a configuration of your own' ]
  kill "$REPLY"
  printf '%s\n' 99999999 '' >"$STATE_DIR/haproxy.address"
  run -1 as_user "$BASH" "$CHECK"
  [[ $output == *'HAProxy has no process that works'* ]]
}

@test "proxy_find_up: the nodes that are up, of both groups" {
  serve <<'R'
# pxname,svname
writes,FRONTEND,,,,,,,,,,,,,,,,OPEN,1
primary,a,,,,,,,,,,,,,,,,UP,1
primary,b,,,,,,,,,,,,,,,,DOWN,1
primary,BACKEND,,,,,,,,,,,,,,,,UP,1
replicas,b,,,,,,,,,,,,,,,,UP 1/2,1
replicas,c,,,,,,,,,,,,,,,,MAINT (resolution),1
R
  run -0 with_probe 'proxy_find_up "$(sed -n 2p "$STATE_DIR/haproxy.address")"; echo "${PROXY_UP[*]}"; proxy_find_up 1; echo "${#PROXY_UP[@]}"'
  [ "$output" = $'primary/a replicas/b\n0' ]
}
