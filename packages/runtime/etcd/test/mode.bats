#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { etcd_setup; }

@test "mode_etcd_rank, mode_etcd_needs_init: as any server, and with init" {
  run -0 with_etcd 'mode_etcd_rank; mode_etcd_needs_init; echo "$REPLY"'
  [ "$output" = 50 ]
}

@test "mode_etcd_args: only options are completed" {
  run -0 with_etcd 'mode_etcd_args --name "a b"; printf "<%s>" "${ENTRYPOINT_ARGS[@]}"'
  [ "$output" = '<etcd><--name><a b>' ]
  run -1 with_etcd 'mode_etcd_args bash'
  run -1 with_etcd 'mode_etcd_args'
}

@test "mode_etcd_wants: a server that serves" {
  run -0 with_etcd 'mode_etcd_wants etcd; mode_etcd_wants /usr/bin/etcd --name a'
  local args
  for args in '' bash 'etcd --version' 'etcd --name a --help' 'etcd gateway start' 'etcd grpc-proxy' 'etcd-x' 'etcd -h'; do
    run -1 with_etcd "mode_etcd_wants $args"
  done
}

@test "mode_etcd_start, mode_etcd_stop: its own variables, where to reach it, TERM and HUP" {
  export ETCD_NODES=here ETCD_ROOT_PASSWORD_FILE=/x
  local start='init_etcd etcd --log-level=warn 2>/dev/null; mode_etcd_start etcd --log-level=warn; phase_get; echo "$REPLY"
    until grep -q ready "$CALLS"; do sleep 0.01; done; '
  run -0 with_etcd "$start"'mode_etcd_stop TERM; wait "$CHILD_PID"'
  [ "$output" = running ]
  [ "$(head -1 "$CALLS")" = 'etcd <--log-level=warn>' ]
  grep -qx 'ETCD_INITIAL_CLUSTER=here=http://here:2380' "$CALLS"
  run ! grep -qE 'ETCD_(NODES|ROOT_PASSWORD|LOG_LEVEL)' "$CALLS"
  [ "$(tail -1 "$CALLS")" = 'signal TERM' ]
  [ "$(head -2 "$STATE_FOLDERS/etcd.address")" = $'http://0.0.0.0:2379\nhttp://here:2379' ]
  [ -z "$(<"$STATE_FOLDERS/etcd.auth")" ]
  : >"$CALLS"
  run -0 with_etcd "$start"'mode_etcd_stop QUIT; wait "$CHILD_PID"'
  [ "$(tail -1 "$CALLS")" = 'signal HUP' ]
}

@test "mode_etcd_start: the first node turns authentication on, and forgets the password" {
  ETCD_ROOT_PASSWORD=x run -0 with_etcd 'init_etcd etcd; startup_child() { CHILD_PID=77; }; etcd_auth_run() { echo "for $1 <$AUTH_PASSWORD>"; }
    mode_etcd_start; wait; echo "<$AUTH_PASSWORD>"; cat "$STATE_DIR/etcd.auth"'
  [ "$output" = $'for 77 <x>\n<>\npending' ]
}
