#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

# What a real store answers is tested with one; here nobody is there.

setup() {
  patroni_setup
  configuration_setup
  unset -v PATRONI_ETCD3_HOSTS
}

# Looks at the cluster for some seconds; needs a store in YAML.
look() {
  PATRONI_CONFIGURATION=$1 run -0 configure
  run as_user timeout "${SECONDS_GIVEN-3}" bash -c 'exec python3 -I "$@"' x "$PATRONI_HOME/cluster.py" "$DIR/patroni.yml" "" 17 ttl
}

@test "cluster.py: waits for a store at which nobody listens, and says so once" {
  look '{etcd3: {hosts: "127.0.0.1:1"}}'
  [ "$status" = 124 ]
  [ "$output" = $'wait\twaits for the store: no server of etcd3 can be reached: 127.0.0.1:1 (Connection refused)' ]
}

@test "cluster.py: every server of the store is named, however it is written" {
  local text wanted
  while IFS='|' read -r text wanted; do
    SECONDS_GIVEN=2 look "$text"
    [ "$status" = 124 ]
    [ "${#lines[@]}" = 1 ]
    [[ $output == $'wait\twaits for the store: no server of '*': '* ]]
    [ "$(grep -oE '(127\.0\.0\.1|::1|localhost):[0-9]+ ' <<<"$output" | tr -d '\n')" = "$wanted" ]
  done <<'E'
{etcd3: {hosts: "127.0.0.1:1, [::1]:2"}}|127.0.0.1:1 ::1:2 
{etcd3: {hosts: ["127.0.0.1:1", "127.0.0.1:3"]}}|127.0.0.1:1 127.0.0.1:3 
{etcd: {host: "127.0.0.1:4"}}|127.0.0.1:4 
{zookeeper: {hosts: ["127.0.0.1:5"]}}|127.0.0.1:5 
{consul: {host: "127.0.0.1:6"}}|127.0.0.1:6 
E
}

@test "cluster.py: a store by its address shows neither user nor password" {
  SECONDS_GIVEN=2 look '{etcd3: {url: "https://u:hunter3@127.0.0.1:7", password: hunter4}}'
  [ "$status" = 124 ]
  [[ $output == *'127.0.0.1:7 (Connection refused)' && $output != *hunter* ]]
}

@test "cluster.py: nodes that are the store themselves are not asked" {
  look '{raft: {self_addr: "192.0.2.7:2222", partner_addrs: ["192.0.2.8:2222"]}}'
  [ "$status" = 0 ]
  [ -z "$output" ]
}

@test "cluster.py: settings that differ from the cluster's, and what a setting is that the cluster does not have" {
  run -0 as_user bash -c 'exec python3 -I -c "$2" "$1"' x "$PATRONI_HOME" 'import sys; sys.path.insert(0, sys.argv[1]); import cluster
wanted = {"ttl": 10, "synchronous_mode": True, "synchronous_mode_strict": True, "postgresql": {"parameters": {"max_connections": 7, "x": 1}}}
for found in ({"ttl": 10, "synchronous_mode": True}, {"ttl": "30", "synchronous_mode": "quorum", "synchronous_mode_strict": True, "postgresql": {"parameters": {"max_connections": "7"}}}, {}):
  print(list(cluster.differences(wanted, found)))
print(list(cluster.differences({"synchronous_mode_strict": False}, {"ttl": 10})))'
  [ "${lines[0]}" = "[('synchronous_mode_strict', True, False)]" ]
  [ "${lines[1]}" = "[('ttl', 10, '30'), ('synchronous_mode', True, 'quorum')]" ]
  [ "${lines[2]}" = "[('synchronous_mode_strict', True, False)]" ]
  [ "${lines[3]}" = "[]" ]
}

@test "cluster.py: a stop ends it at once" {
  PATRONI_CONFIGURATION='{etcd3: {hosts: "127.0.0.1:1"}}' run -0 configure
  python_in_background "$PATRONI_HOME/cluster.py" "$DIR/patroni.yml" "" 17
  eventually grep -q waits "$BATS_TEST_TMPDIR/out"
  kill -TERM "$PID"
  gone() { ! kill -0 "$PID" 2>/dev/null; }
  eventually gone
}

@test "patroni_log: what it waits for is in the phase, for the health check" {
  PATRONI_CONFIGURATION='{etcd3: {hosts: "127.0.0.1:1"}}' run -0 configure
  run -124 with_patroni '{ timeout 3 python3 -I "$PATRONI_HOME/cluster.py" "$PATRONI_DIR/patroni.yml" "" 17 || printf "exit\t%s\n" "$?"; } | patroni_log'
  [[ $output == *'WARN  t: waits for the store: no server of etcd3 can be reached'* ]]
  [[ $(<"$STATE_FOLDERS/phase") == $'initialising\nwaits for the store: no server of etcd3'* ]]
}
