#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  haproxy_setup
  export HAPROXY_NODES=db1,db2
}

# Gives 0 if the log of the container in the background has a text.
said() { grep -qF "$1" "$BATS_TEST_TMPDIR/out"; }

# Gives 0 if HAProxy was told something.
told() { grep -qxF "$1" "$CALLS"; }

# Gives 0 once HAProxy's place is published.
published() { grep -q . "$STATE_DIR/haproxy.address" 2>/dev/null; }

# Waits until the process has ended; gives its code in CODE.
ended() {
  CODE=0
  wait "$PID" || CODE=$?
  PID=""
}

@test "mode_haproxy_rank, mode_haproxy_needs_init: a server" {
  run -0 with_haproxy 'mode_haproxy_rank; echo "$REPLY"; mode_haproxy_needs_init'
  [ "$output" = 50 ]
}

@test "mode_haproxy_args: options only are HAProxy's" {
  run -0 with_haproxy 'mode_haproxy_args -d -V; echo "${ENTRYPOINT_ARGS[*]}"; mode_haproxy_args bash || echo no; mode_haproxy_args || echo no'
  [ "$output" = $'haproxy -d -V\nno\nno' ]
}

@test "mode_haproxy_wants: a proxy that serves, not one that is asked something" {
  run -0 with_haproxy 'mode_haproxy_wants haproxy && mode_haproxy_wants /usr/sbin/haproxy -V && mode_haproxy_wants haproxy -f /x
    for w in -v -vv -c -h --help -dKall -cc; do mode_haproxy_wants haproxy "$w" && echo "$w"; done; mode_haproxy_wants bash || mode_haproxy_wants || echo no'
  [ "$output" = no ]
}

@test "a container's life: written, started, published, hang-up, stopped by TERM" {
  in_background "$CONTAINER/entrypoint.sh" haproxy
  eventually published
  [ "$(<"$STATE_DIR/phase")" = running ]
  [ "$(sed -n 2p "$STATE_DIR/haproxy.address")" = 8404 ]
  told "haproxy <-W> <-db> <-f> <$STATE_DIR/haproxy.cfg>"
  said 'writes go to the primary on port 5432, reads to replicas on port 5433, of the nodes db1 db2; '
  kill -HUP "$PID"
  eventually told hangup
  said 'the configuration was made anew for the nodes db1 db2'
  kill -TERM "$PID"
  ended
  [ "$CODE" = 0 ]
  run ! told soft
}

@test "a hang-up with what HAProxy refuses does not reach it" {
  in_background "$CONTAINER/entrypoint.sh" haproxy
  eventually published
  refuse <<<'[ALERT] (1) : config : parsing [/x:3] : bad'
  kill -HUP "$PID"
  eventually said 'HAProxy goes on with the one it has'
  kill -TERM "$PID"
  ended
  [ "$CODE" = 0 ]
  run ! told hangup
}

@test "mode_haproxy_stop: HAPROXY_DRAIN_SECONDS lets open connections go on, QUIT does not" {
  HAPROXY_DRAIN_SECONDS=20 run -0 with_haproxy 'startup_child "$PROXY_PROGRAM" -W; until [[ -s $CALLS ]]; do sleep 0.02; done; sleep 0.1
    mode_haproxy_stop TERM; sleep 0.1; kill -0 "$CHILD_PID" && echo goes on; mode_haproxy_stop QUIT; startup_wait_until "$CHILD_PID" 10; echo "$WAIT_STATUS"'
  [[ ${lines[0]} == *'no new connections are taken; open ones may go on for 20 s (HAPROXY_DRAIN_SECONDS)' ]]
  [ "${lines[1]} ${lines[2]}" = 'goes on 143' ]
  told soft
}

@test "mode_haproxy_stop: after those seconds it ends all the same" {
  HAPROXY_DRAIN_SECONDS=1 in_background "$CONTAINER/entrypoint.sh" haproxy
  eventually published
  kill -TERM "$PID"
  ended
  [ "$CODE" = 0 ]
  told soft
}

@test "with a configuration of the user's no port is published, and a hang-up is HAProxy's own matter" {
  echo own >"$PROXY_DEFAULT"
  chmod 644 "$PROXY_DEFAULT"
  unset HAPROXY_NODES
  in_background "$CONTAINER/entrypoint.sh" -V
  eventually published
  [ -z "$(sed -n 2p "$STATE_DIR/haproxy.address")" ]
  told "haproxy <-W> <-db> <-f> <$PROXY_DEFAULT> <-V>"
  kill -HUP "$PID"
  eventually told hangup
  run ! said 'made anew'
  kill -TERM "$PID"
  ended
}

@test "mode_haproxy_ready: not before there is a worker and a handler for the hang-up" {
  run -0 with_haproxy 'CHILD_PID=99999999; mode_haproxy_ready || echo gone
    sleep 30 & CHILD_PID=$!; mode_haproxy_ready || echo alone; kill "$CHILD_PID"
    bash -c "sleep 1 & wait" & CHILD_PID=$!; until read -r children <"/proc/$CHILD_PID/task/$CHILD_PID/children" || [[ -n $children ]]; do sleep 0.02; done
    mode_haproxy_ready || echo deaf'
  [[ $output == *gone*alone*deaf* ]]
}
