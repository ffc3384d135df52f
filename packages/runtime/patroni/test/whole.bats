#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

# The whole init script with the real programs of Patroni. The store is one that is not asked: its nodes are its servers.

setup() {
  local program
  patroni_setup
  real_patroni
  single_user
  for program in pg_ctl pg_controldata pg_basebackup pg_isready pg_rewind; do stub "$program" <<<'exit 1'; done
  printf '%s\n' port=5433 'listen_addresses=*' "hba_file=$PGDATA/pg_hba.conf" max_connections=77 >"$SETTINGS"
  export PATRONI_ENABLE=true POSTGRES_PASSWORD=hunter2 PATRONI_RAFT_SELF_ADDR=192.0.2.7:2222 PATRONI_RAFT_PARTNER_ADDRS=192.0.2.8:2222
  DIR=$STATE_FOLDERS/patroni
}

# Runs what entrypoint.sh runs of it.
whole() { with_patroni 'env_export; init_config postgres; init_patroni postgres -c x=y'; }

@test "init_patroni: Patroni finds all that the container knows, and a node without settings is a good one" {
  run -0 whole
  [ -z "$output" ]
  [ "$(at name) $(at scope)" = "\"$HOSTNAME\" \"main\"" ]
  [ "$(at postgresql/connect_address) $(at postgresql/listen) $(at restapi/connect_address)" = '"192.0.2.7:5433" "*:5433" "192.0.2.7:8008"' ]
  [ "$(at postgresql/authentication/superuser/password)" = '"hunter2"' ]
  [ "$(at bootstrap/dcs/ttl) $(at bootstrap/dcs/synchronous_mode) $(at bootstrap/dcs/failsafe_mode)" = '10 false false' ]
  [ "$(at bootstrap/dcs/postgresql/parameters/max_connections)" = 77 ]
  [ "$(at postgresql/callbacks/on_role_change)" = "\"$PATRONI_HOME/callback.sh\"" ]
  [ "$(<"$STATE_FOLDERS/patroni.address.new")" = $'8008\n127.0.0.1\nhttp' ]
  [ "$(<"$STATE_FOLDERS/phase")" = initialising ]
}

@test "init_patroni: variables reach Patroni, in every mode" {
  export PATRONI_NAME='n 1' PATRONI_SCOPE=shop PATRONI_TTL=30 PATRONI_SYNCHRONOUS_MODE=strict PATRONI_FAILSAFE_MODE=true PATRONI_ADDRESS=db1
  run -0 whole
  [ "$(at name) $(at scope) $(at bootstrap/dcs/ttl) $(at bootstrap/dcs/failsafe_mode)" = '"n 1" "shop" 30 true' ]
  [ "$(at bootstrap/dcs/synchronous_mode) $(at bootstrap/dcs/synchronous_mode_strict)" = 'true true' ]
  [ "$(at bootstrap/dcs/primary_start_timeout) $(at restapi/connect_address)" = '0 "db1:8008"' ]
}

@test "init_patroni: the user's faults, each on a line of the log, code 2" {
  unset -v PATRONI_RAFT_SELF_ADDR PATRONI_RAFT_PARTNER_ADDRS
  PATRONI_CONFIGURATION='postgresql: {data_dir: /x}' run -2 whole
  [ "$(grep -c 'ERROR t: ' <<<"$output")" = 2 ]
  [[ $output == *'PATRONI_CONFIGURATION: expected no postgresql.data_dir'*'PATRONI_ENABLE: expected a store'* && $output != *hunter2* ]]
  [ ! -e "$STATE_FOLDERS/patroni.address.new" ]
}

@test "init_patroni: a variable without a value counts as not set, to Patroni too" {
  PATRONI_NAMESPACE='' PATRONI_RESTAPI_LISTEN='' PATRONI_ETCD3_HOSTS='' PATRONI_CONFIGURATION='' run -0 whole
  [ "$(at namespace) $(at restapi/listen) $(at etcd3)" = 'null "*:8008" null' ]
}

@test "init_patroni: a scope in PATRONI_CONFIGURATION counts where PATRONI_SCOPE is not set" {
  PATRONI_CONFIGURATION='scope: shop' run -0 whole
  [ "$(at scope)" = '"shop"' ]
  PATRONI_SCOPE=main PATRONI_CONFIGURATION='scope: shop' run -0 whole
  [ "$(at scope)" = '"main"' ]
}

@test "init_patroni: a role for replicas that PATRONI_CONFIGURATION names may connect, or is refused" {
  PATRONI_CONFIGURATION='postgresql: {authentication: {replication: {username: standby}}}' run whole
  [[ $status == 2 || $status == 0 ]]
  [ "$status" = 2 ] || grep -q '^host replication "standby" all ' "$STATE_FOLDERS/pg_hba.conf"
}

@test "init_patroni: every file that holds a secret is for its owner alone, in a folder that is so too" {
  run -0 whole
  [ "$(stat -c %a "$DIR")" = 700 ]
  run -0 as_user bash -c 'cd "$1" && grep -ls hunter2 * | while read -r file; do stat -c "%a %n" "$file"; done' x "$DIR"
  [ "$(grep -vc '^600 ' <<<"$output")" = 0 ]
}
