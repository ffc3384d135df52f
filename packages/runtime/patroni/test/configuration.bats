#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  configuration_setup
}

# Prints the passwords that were derived: of the roles for replicas and for pg_rewind, and of the REST API.
derived() { for path in postgresql/authentication/replication postgresql/authentication/rewind restapi/authentication; do at "$path/password"; done; }

@test "configuration.py: what the container says, as data of its types" {
  run -0 configure bootstrap/dcs/postgresql/use_slots flag true postgresql/parameters/hba_file text '/a "b": {c} # é'
  [ "$output" = $'api\t8008\t127.0.0.1\thttp\nserver\t5432\t127.0.0.1' ]
  [ "$(at bootstrap/dcs/ttl) $(at bootstrap/dcs/postgresql/use_slots) $(at bootstrap/dcs/synchronous_mode)" = '10 true false' ]
  [ "$(at postgresql/parameters/hba_file)" = '"/a \"b\": {c} # \u00e9"' ]
  [ "$(at etcd3/hosts)" = '["127.0.0.1:1"]' ]
}

@test "configuration.py: the user's counts more than the container's, Patroni's variables more than both" {
  export PATRONI_CONFIGURATION='{name: n2, restapi: {connect_address: "192.0.2.8:8008"}, tags: {nosync: true}, bootstrap: {dcs: {ttl: 60, x: [1]}}}'
  PATRONI_NAME=n3 run -0 configure
  [ "$(at name)" = '"n3"' ]
  [ "$(at restapi/connect_address) $(at restapi/listen)" = '"192.0.2.8:8008" "127.0.0.1:8008"' ]
  [ "$(at tags/nosync) $(at bootstrap/dcs/ttl) $(at bootstrap/dcs/loop_wait) $(at bootstrap/dcs/x)" = 'true 60 2 [1]' ]
  run -0 configure
  [ "$(at name)" = '"n2"' ]
  PATRONI_RESTAPI_CONNECT_ADDRESS=192.0.2.9:8008 run -0 configure
  [ "$(at restapi/connect_address)" = '"192.0.2.9:8008"' ]
}

@test "configuration.py: Patroni itself reads what was written as it was meant" {
  PATRONI_CONFIGURATION='{postgresql: {parameters: {work_mem: 8MB}}}' run -0 configure
  # Patroni reads its variables again.
  run -0 python3 -I -c 'import sys; from patroni.config import Config; config = Config(sys.argv[1], validator=None)
print(config["name"], config["postgresql"]["parameters"]["work_mem"], config["restapi"]["auth"].split(":")[0], config["etcd3"]["hosts"])' "$DIR/patroni.yml"
  [ "$output" = "n1 8MB patroni ['127.0.0.1:1']" ]
}

@test "configuration.py: files are for their owner alone; nothing secret is said" {
  PATRONI_ETCD3_USERNAME=u PATRONI_ETCD3_PASSWORD=hunter3 run -0 configure
  [ "$output" = $'api\t8008\t127.0.0.1\thttp\nserver\t5432\t127.0.0.1' ]
  [ "$(stat -c %a "$DIR"/{patroni.yml,roles})" = $'600\n600' ]
  [ "$(at etcd3/password)" = '"hunter3"' ]
}

@test "configuration.py: a file that others could read before does not stay so" {
  touch "$DIR"/{patroni.yml,roles}
  chmod 644 "$DIR"/{patroni.yml,roles}
  owned_by_user "$DIR"
  run -0 configure
  [ "$(stat -c %a "$DIR"/{patroni.yml,roles})" = $'600\n600' ]
}

@test "configuration.py: names and passwords of the roles are left for the callback, whatever is in them" {
  POSTGRES_PASSWORD=$'p "w"\n\\ é' PATRONI_REPLICATION_USERNAME='re "p"' PATRONI_REPLICATION_PASSWORD="it's" PATRONI_REWIND_PASSWORD=w run -0 configure
  run -0 as_user bash -c 'mapfile -t -d "" fields <"$1"; printf "<%s>" "${fields[@]}"' x "$DIR/roles"
  [ "$output" = $'<postgres><p "w"\n\\ é><re "p"><it\'s><rewind><w>' ]
}

@test "configuration.py: derived passwords are the same on every node, another for each purpose, scope and secret" {
  run -0 configure
  local first other
  first=$(derived)
  [ "$(sort -u <<<"$first" | grep -cE '^"[0-9a-f]{64}"$')" = 3 ]
  rm "$DIR"/{patroni.yml,roles}
  run -0 configure name text n2 restapi/connect_address text 192.0.2.99:8008
  [ "$(derived)" = "$first" ]
  PATRONI_SCOPE=shop run -0 configure
  other=$(derived)
  [ "$(sort -u <<<"$first"$'\n'"$other" | wc -l)" = 6 ]
  PATRONI_SUPERUSER_PASSWORD=other run -0 configure
  [ "$(sort -u <<<"$first"$'\n'"$other"$'\n'"$(derived)" | wc -l)" = 9 ]
  [[ $(<"$DIR/roles") != *hunter2* ]]
}

@test "configuration.py: a password that is given stays, and one with a certificate of its own needs none" {
  PATRONI_REPLICATION_PASSWORD=r PATRONI_REWIND_SSLCERT=/c PATRONI_RESTAPI_PASSWORD=a run -0 configure
  [ "$(derived)" = $'"r"\nnull\n"a"' ]
  PATRONI_CONFIGURATION='{postgresql: {authentication: {replication: {password: given}}}}' run -0 configure
  [ "$(derived | head -n 1)" = '"given"' ]
}

@test "configuration.py: where the health check finds the REST API" {
  local listen wanted
  while read -r listen wanted; do
    wanted=${wanted/\\t/$'\t'}
    PATRONI_RESTAPI_LISTEN=$listen run -0 configure
    [ "${lines[0]}" = $'api\t'"$wanted"$'\thttp' ]
  done <<'E'
0.0.0.0:8009 8009\t127.0.0.1
127.0.0.1:8010 8010\t127.0.0.1
E
  PATRONI_RESTAPI_CERTFILE=/c.crt PATRONI_RESTAPI_KEYFILE=/c.key run -0 configure
  [ "${lines[0]}" = $'api\t8008\t127.0.0.1\thttps' ]
}

@test "configuration.py: where the health check finds the server, whoever says where it listens" {
  local listen wanted
  while read -r listen wanted; do
    run -0 configure postgresql/listen text "$listen"
    [ "${lines[1]}" = $'server\t'"${wanted/ /$'\t'}" ]
  done <<'E'
*:5433 5433 *
10.0.0.1,10.0.0.2:5432 5432 10.0.0.1
E
  PATRONI_CONFIGURATION='postgresql: {listen: "127.0.0.1:5444"}' run -0 configure
  [ "${lines[1]}" = $'server\t5444\t127.0.0.1' ]
}

@test "configuration.py: others reach the node at its address, with the ports that it listens at, unless they are told another" {
  run -0 configure
  [ "$(at restapi/connect_address) $(at postgresql/connect_address) $(at address)" = '"192.0.2.7:8008" "192.0.2.7:5432" null' ]
  PATRONI_RESTAPI_LISTEN='*:8009' PATRONI_POSTGRESQL_CONNECT_ADDRESS=db1:6432 PATRONI_CONFIGURATION='postgresql: {listen: "*:5444"}' run -0 configure
  [ "$(at restapi/connect_address) $(at postgresql/connect_address)" = '"192.0.2.7:8009" "db1:6432"' ]
  PATRONI_CONFIGURATION='postgresql: {listen: "127.0.0.1:5444"}' run -0 configure address text '[2001:db8::1]'
  [ "$(at restapi/connect_address) $(at postgresql/connect_address)" = '"[2001:db8::1]:8008" "[2001:db8::1]:5444"' ]
}

@test "configuration.py: Kubernetes needs no address of its store" {
  unset -v PATRONI_ETCD3_HOSTS
  PATRONI_KUBERNETES_LABELS='{application: patroni}' PATRONI_KUBERNETES_NAMESPACE=default run -0 configure
  [ "$(at kubernetes/labels/application)" = '"patroni"' ]
}

@test "configuration.py: variables with secrets make no user of the database" {
  PATRONI_RESTAPI_PASSWORD=a PATRONI_SUPERUSER_PASSWORD=b PATRONI_CTL_KEYFILE_PASSWORD=c PATRONI_RESTAPI_KEYFILE_PASSWORD=d \
    PATRONI_ETCD3_PASSWORD=e run -0 configure
  [ "$(at bootstrap/users)" = null ]
}
