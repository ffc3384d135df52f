#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  configuration_setup
}

# Has the last run said exactly so many faults and nothing else, and written nothing?
faults() {
  [ "$(grep -c $'^error\t' <<<"$output")" = "$1" ]
  [ "${#lines[@]}" = "$1" ]
  [ ! -e "$DIR/patroni.yml" ]
}

@test "configuration.py: what is no YAML is a fault, with its line" {
  PATRONI_CONFIGURATION=$'a: 1\nb: [2' run -2 configure
  faults 1
  [[ $output == $'error\tPATRONI_CONFIGURATION: expected YAML, found '*' in line '[23]'; correct it' ]]
  PATRONI_CONFIGURATION=$'a: \x01' run -2 configure
  faults 1
}

@test "configuration.py: what is no mapping is a fault; nothing, or comments alone, is none" {
  local text
  for text in '- a' 'text' '42' '"x"'; do
    PATRONI_CONFIGURATION=$text run -2 configure
    faults 1
    [[ $output == $'error\tPATRONI_CONFIGURATION: expected names with values, found something else'* ]]
  done
  for text in '' '# nothing' '{}' '---'; do PATRONI_CONFIGURATION=$text run -0 configure; done
}

@test "configuration.py: what is the image's to set is a fault, all of it at once; the same value is none" {
  PATRONI_CONFIGURATION='{postgresql: {data_dir: /x, bin_dir: /x, config_dir: /x, custom_conf: /x}}' run -2 configure
  faults 4
  [[ $output == *'PATRONI_CONFIGURATION: expected no postgresql.data_dir, which PGDATA sets; leave it out'* ]]
  [[ $output == *'PATRONI_CONFIGURATION: expected no postgresql.bin_dir, which this image sets; leave it out'* ]]
  PATRONI_CONFIGURATION="{postgresql: {data_dir: $PGDATA}}" run -0 configure
}

@test "configuration.py: what a variable is there for is a fault in the text, with the variable" {
  PATRONI_CONFIGURATION='{postgresql: {pg_hba: [x], authentication: {replication: {username: x}, superuser: {username: y}}}}' run -2 configure
  faults 3
  [[ $output == *'expected no postgresql.pg_hba, found one; set POSTGRES_HBA instead'* ]]
  [[ $output == *'expected no postgresql.authentication.replication.username, found one; set PATRONI_REPLICATION_USERNAME instead'* ]]
  [[ $output == *'expected no postgresql.authentication.superuser.username, found one; set POSTGRES_USER instead'* ]]
}

@test "configuration.py: an address to listen at without a port is a fault" {
  local listen
  for listen in 127.0.0.1 '127.0.0.1:x' 8009; do
    PATRONI_RESTAPI_LISTEN=$listen run -2 configure
    [[ $output == *"restapi.listen: expected an address with a port, such as *:8008, found '$listen'; correct it"* ]]
  done
}

@test "configuration.py: no store is a fault, and one that says where it is not is none" {
  unset -v PATRONI_ETCD3_HOSTS
  run -2 configure
  faults 1
  [[ $output == $'error\tPATRONI_ENABLE: expected a store that the nodes agree in, found none; set PATRONI_ETCD3_HOSTS='* ]]
  PATRONI_ETCD3_PROTOCOL=https PATRONI_CONSUL_SCHEME=http run -2 configure
  faults 1
  PATRONI_CONFIGURATION='{etcd3: {host: "127.0.0.1:1"}}' run -0 configure
}

@test "configuration.py: faults of different kinds are told at once" {
  unset -v PATRONI_ETCD3_HOSTS
  PATRONI_CONFIGURATION='{postgresql: {data_dir: /x}}' run -2 configure
  faults 2
  PATRONI_CONFIGURATION='[' run -2 configure
  faults 2
}

@test "configuration.py: what Patroni's validator refuses is a fault, all of it at once" {
  PATRONI_CONFIGURATION='{restapi: {connect_address: "127.0.0.1:8008"}, postgresql: {connect_address: "localhost:5432"}}' run -2 configure
  faults 2
  [[ $output == *$'error\tPatroni\'s configuration: restapi.connect_address: '*'must not contain'*'; correct the variable or PATRONI_CONFIGURATION'* ]]
  [[ $output == *"Patroni's configuration: postgresql.connect_address: "* ]]
  rm "$DIR/bin/pg_rewind" "$DIR/bin/pg_ctl"
  run -2 configure
  [[ $output == *"Patroni's configuration: postgresql.bin_dir: "* ]]
}

@test "configuration.py: what the validator does not know, or what is not its business, is no fault" {
  local port
  # A store that is away, or whose name nobody knows now; a port that is in use.
  PATRONI_ETCD3_HOSTS=no-such-host.invalid:2379,127.0.0.1:1 run -0 configure
  rest_api
  port=$(<"$STATE_FOLDERS/port")
  PATRONI_RESTAPI_LISTEN=127.0.0.1:$port run -0 configure
  # Data that another step judges.
  make_cluster 9
  run -0 configure
  # A ttl that is smaller than Patroni's own smallest one, and modes of newer releases.
  run -0 configure bootstrap/dcs/ttl number 5 bootstrap/dcs/synchronous_mode text quorum
  [ "$(at bootstrap/dcs/ttl) $(at bootstrap/dcs/synchronous_mode)" = '5 "quorum"' ]
}

# Runs configuration.py with each of the lines on stdin; fails with all of those that did not end with faults in words.
refuses_each() {
  local text failed=""
  while IFS= read -r text; do
    PATRONI_CONFIGURATION=$text run configure
    if [[ $status != 2 || $output != $'error\t'* || $output == *Traceback* ]]; then failed+="$text: $status, ${lines[*]: -1}"$'\n'; fi
  done
  printf '%s' "$failed"
  [ -z "$failed" ]
}

@test "configuration.py: what is no mapping where Patroni has one is a fault in words, at any place" {
  refuses_each <<'E'
restapi: 8008
restapi:
postgresql: x
postgresql: {authentication: [x]}
postgresql: {authentication: {replication: x}}
bootstrap:
bootstrap: [1]
bootstrap: {dcs: [1]}
E
}

@test "configuration.py: a store that is no mapping is a fault in words" {
  unset -v PATRONI_ETCD3_HOSTS
  refuses_each <<'E'
etcd3: etcd1:2379
etcd3: [etcd1]
consul: true
E
}

@test "configuration.py: a value of a type that YAML guesses is taken or refused in words" {
  PATRONI_CONFIGURATION='tags: {since: 2024-01-01}' run configure
  [[ $output != *Traceback* ]]
  [[ $status == 0 || $output == $'error\t'* ]]
}

@test "configuration.py: a fault shows no secret" {
  local text failed=""
  for text in 'password: *hunter3' 'password: !hunter3 x' 'password: {a: hunter3}' 'password: [hunter3]' $'password: "hunter3\nx: [' 'password: &hunter3 a, b: &hunter3 c'; do
    PATRONI_CONFIGURATION="{postgresql: {authentication: {replication: {$text}}}}" run configure
    if [[ $output == *hunter* ]]; then failed+="$text: $output"$'\n'; fi
  done
  printf '%s' "$failed"
  [ -z "$failed" ]
}
