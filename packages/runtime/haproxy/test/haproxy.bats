#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() { haproxy_setup; }

# Prints the nodes that are taken out of a text, then the faults.
show_nodes='show() { local i; proxy_take_nodes "$1"; for i in "${!PROXY_NAMES[@]}"; do
  echo "${PROXY_NAMES[i]} ${PROXY_HOSTS[i]} ${PROXY_PORTS[i]} ${PROXY_REST_PORTS[i]}"; done
  printf "%s\n" "${PROXY_FAULTS[@]}"; }; '

@test "proxy_trim takes blanks from both ends" {
  run -0 with_haproxy 'for t in " a b " a "" $'"'\n a\t'"'; do proxy_trim "$t"; printf "<%s>" "$REPLY"; done'
  [ "$output" = '<a b><a><><a>' ]
}

@test "proxy_take_nodes, proxy_take_node, proxy_add_node: defaults, ports, names, IPv6, blanks and lines" {
  run -0 with_haproxy "$show_nodes"'show $'"'"'db1, db2:5433,\n one=10.0.0.7:1:2 ,[fd00::1],six=[::1]:5:6,db3.example.com.:7'"'"
  [ "$output" = $'db1 db1 5432 8008\ndb2 db2 5433 8008\none 10.0.0.7 1 2\nfd00--1 fd00::1 5432 8008\nsix ::1 5 6\ndb3.example.com db3.example.com. 7 8008' ]
}

@test "proxy_take_nodes: every fault at once, each with the node's number" {
  run -0 with_haproxy "$show_nodes"'show "db1,,a b,db2:0,db3:1:70000,db4:1:2:3,[::1,[db],300.1.1.1,1.2.3,-x,=db5,n/m=db6,db7:,a..b"'
  [ "${lines[0]}" = 'db1 db1 5432 8008' ]
  [ "${#lines[@]}" = 15 ]
  [ "${lines[1]}" = "HAPROXY_NODES: node 2: expected a host between two commas, found ''; correct it" ]
  [ "${lines[2]}" = "HAPROXY_NODES: node 3: expected a host name or an address, found 'a b'; correct it" ]
  [ "${lines[3]}" = "HAPROXY_NODES: node 4: expected a port from 1 to 65535, found '0'; correct it" ]
  [ "${lines[4]}" = "HAPROXY_NODES: node 5: expected a REST port from 1 to 65535, found '70000'; correct it" ]
  [ "${lines[5]}" = "HAPROXY_NODES: node 6: expected host[:port[:REST port]], an IPv6 address in brackets, found 'db4:1:2:3'; correct it" ]
  [[ ${lines[6]} == *"node 7: expected a host name or an address, found '['"* && ${lines[7]} == *'node 8: expected host['* ]]
  [[ ${lines[8]} == *"node 9: "*"'300.1.1.1'"* && ${lines[9]} == *"node 10: "*"'1.2.3'"* && ${lines[10]} == *"node 11: "*"'-x'"* ]]
  [[ ${lines[11]} == *"node 12: expected at most 64 letters"*"found ''"* && ${lines[12]} == *"node 13: "*"'n/m'"* ]]
  [[ ${lines[13]} == *"node 14: "*"'db7:'"* && ${lines[14]} == *"node 15: "*"'a..b'"* ]]
}

@test "proxy_take_nodes: one node may have two faults; what is long is cut" {
  run -0 with_haproxy "$show_nodes"'show "db1:x:y"; printf -v long "%0200d" 0; PROXY_FAULTS=(); show "$long="'
  [[ ${lines[0]} == *"found 'x'"* && ${lines[1]} == *"found 'y'"* ]]
  [[ ${lines[2]} == *'0…'* && ${#lines[2]} -lt 220 ]]
}

@test "proxy_add_node: the same PostgreSQL or Patroni twice is a fault, and so is a name; another port is none" {
  run -0 with_haproxy "$show_nodes"'show "db1,DB1,x=db1:5433,x=db1:5433:8009,x=db2,db1=db3"'
  [ "${lines[0]}" = 'db1 db1 5432 8008' ]
  [ "${lines[1]}" = 'x db1 5433 8009' ]
  [ "${lines[2]}" = "HAPROXY_NODES: node 2: expected each PostgreSQL and each Patroni once, found 'DB1:5432:8008'; correct it" ]
  [ "${lines[3]}" = "HAPROXY_NODES: node 3: expected each PostgreSQL and each Patroni once, found 'db1:5433:8008'; correct it" ]
  [ "${lines[4]}" = "HAPROXY_NODES: node 5: expected a name of its own, given as name=host, found 'x'; correct it" ]
  [ "${lines[5]}" = "HAPROXY_NODES: node 6: expected a name of its own, given as name=host, found 'db1'; correct it" ]
}

@test "proxy_is_host, proxy_is_ipv4: what DNS takes, whatever the locale" {
  run -0 with_haproxy 'for h in db db_1.x a-b.c. 1a ü "a;b" '"'"'$(id)'"'"' 1 1.1.1.1 .a a.; do
    proxy_is_host "$h" && echo -n "$h "; done; printf -v l "%064d" 1; proxy_is_host "a.x$l" || echo long; proxy_is_ipv4 1.2.3.255 && echo four; proxy_is_ipv4 1.2.3.256 || echo no'
  [ "$output" = $'db db_1.x a-b.c. 1a a. long\nfour\nno' ]
}

@test "proxy_check_settings: good ones have no fault, and every bad one is told" {
  run -0 with_haproxy 'HAPROXY_MAX_LAG=16MB HAPROXY_IDLE_TIMEOUT=90s; proxy_check_settings; echo "${#PROXY_FAULTS[@]}"
    HAPROXY_MAX_LAG=1mb HAPROXY_IDLE_TIMEOUT=5 HAPROXY_REST_CA=/x HAPROXY_DRAIN_SECONDS=30 HAPROXY_READ_PORT=5432
    proxy_check_settings; printf "%s\n" "${PROXY_FAULTS[@]}"'
  [ "${lines[0]}" = 0 ]
  [[ ${lines[1]} == 'HAPROXY_WRITE_PORT, HAPROXY_READ_PORT, HAPROXY_STATS_PORT: expected three ports, found 5432, 5432 and 8404;'* ]]
  [[ ${lines[2]} == "HAPROXY_MAX_LAG: expected"*"found '1mb'"* ]]
  [[ ${lines[3]} == "HAPROXY_IDLE_TIMEOUT: expected"*"found '5'"* ]]
  [[ ${lines[4]} == 'HAPROXY_REST_CA: expected HAPROXY_REST_TLS=verify with it, found off,'* ]]
  [[ ${lines[5]} == 'HAPROXY_DRAIN_SECONDS: expected less than TIMEOUT, after which HAProxy is killed, found 30 and 30;'* ]]
  [ "${#lines[@]}" = 6 ]
}

@test "proxy_check_settings: no timeout of nothing, no lag that is an option of the request" {
  local value
  for value in 0s 00m -1s 1 s 1w '5s x'; do
    HAPROXY_IDLE_TIMEOUT=$value run -0 with_haproxy 'proxy_check_settings; echo "${#PROXY_FAULTS[@]}"'
    [ "$output" = 1 ]
  done
  for value in '1&x' MB 1.5MB '1 MB' $'1\n2'; do
    HAPROXY_MAX_LAG=$value run -0 with_haproxy 'proxy_check_settings; echo "${#PROXY_FAULTS[@]}"'
    [ "$output" = 1 ]
  done
}

@test "proxy_fit_files: as many connections as there may be files, with a warning where these are few" {
  run -0 with_haproxy 'ulimit() { echo unlimited; }; proxy_fit_files; echo "$PROXY_LIMIT"
    ulimit() { echo 4400; }; proxy_fit_files; echo "$PROXY_LIMIT"'
  [ "$output" = $'1000\n1000' ]
  run -0 with_haproxy 'ulimit() { echo 1024; }; proxy_fit_files; echo "$PROXY_LIMIT"; ulimit() { echo 100; }; proxy_fit_files; echo "$PROXY_LIMIT"'
  [[ ${lines[0]} == *'HAPROXY_MAX_CONNECTIONS: expected a limit of at least 4400 open files for 1000, found 1024: each port takes 156 '* ]]
  [ "${lines[1]}" = 156 ]
  [ "${lines[3]}" = 1 ]
}

@test "proxy_read_resolver: the last list of domains, the dots, or what the resolver has by itself" {
  printf '%s\n' '# x' 'domain a.b' 'search ns.svc.cluster.local svc.cluster.local' 'options edns0 ndots:5 trust-ad' >"$PROXY_RESOLV"
  run -0 with_haproxy 'proxy_read_resolver; echo "${PROXY_SEARCH[*]} $PROXY_NDOTS"; PROXY_RESOLV=/nowhere; proxy_read_resolver; echo "${#PROXY_SEARCH[@]} $PROXY_NDOTS"'
  [ "$output" = $'ns.svc.cluster.local svc.cluster.local 5\n0 1' ]
}

@test "proxy_in_hosts: every name of a line, not comments, not parts of names" {
  printf '%s\n' '# 1.2.3.4 db9' $'10.0.0.1\tdb1 db1.lan # db8' '' '10.0.0.2 db2' >"$PROXY_HOSTS_FILE"
  run -0 with_haproxy 'for h in db1 db1.lan db2 db8 db9 db "#"; do proxy_in_hosts "$h" && echo -n "$h "; done; PROXY_HOSTS_FILE=/nowhere; proxy_in_hosts db1 || echo none'
  [ "$output" = 'db1 db1.lan db2 none' ]
}

@test "proxy_full_name: a name stays as it is where the resolver would leave it so" {
  stub getent <<<'echo "asked $*" >>"$CALLS"; exit 2'
  run -0 with_haproxy 'PROXY_SILENT=; proxy_full_name db1; echo "$REPLY"
    PROXY_SEARCH=(lan) PROXY_NDOTS=0; proxy_full_name db1; echo "$REPLY"
    PROXY_NDOTS=5; proxy_full_name db1.example.com.; echo "$REPLY"; proxy_full_name db1.x.lan; echo "$REPLY"'
  [ "$output" = $'db1\ndb1\ndb1.example.com\ndb1.x.lan' ]
  [ ! -s "$CALLS" ]
}

@test "proxy_full_name: a short name is completed by the first domain in which somebody knows it" {
  stub getent <<<'[[ $2 == pg-0.pg.ns.svc.local. || $2 == db.example.com. ]] || exit 2'
  run -0 with_haproxy 'PROXY_SILENT=; PROXY_SEARCH=(ns.svc.local svc.local. local) PROXY_NDOTS=5
    for h in pg-0.pg pg-0.pg.ns db.example.com; do proxy_full_name "$h"; echo "$REPLY"; done'
  [ "${lines[0]}" = pg-0.pg.ns.svc.local ]
  [ "${lines[1]}" = pg-0.pg.ns.svc.local ]
  [ "${lines[2]}" = db.example.com ]
}

@test "proxy_full_name: nobody knows it: the first domain, and a line that says so; a DNS that is silent is asked once" {
  stub getent <<<'echo asked >>"$CALLS"; exit 2'
  run -0 with_haproxy 'PROXY_SILENT=; PROXY_SEARCH=(ns.local local) PROXY_NDOTS=5; proxy_full_name pg; echo "$REPLY"'
  [[ ${lines[0]} == *"nobody knows 'pg' yet, it is looked for as 'pg.ns.local'; where that is wrong, write its full name" ]]
  [ "${lines[1]}" = pg.ns.local ]
  [ "$(wc -l <"$CALLS")" = 3 ]
  : >"$CALLS"
  stub timeout <<<'echo "$*" >>"$CALLS"; exit 124'
  run -0 with_haproxy 'PROXY_SILENT=; PROXY_SEARCH=(ns.local local) PROXY_NDOTS=5; proxy_full_name pg; proxy_full_name pg2; echo "$REPLY"'
  [ "$(cat "$CALLS")" = '2 getent ahosts pg.ns.local.' ]
  [ "${lines[-1]}" = pg2.ns.local ]
}

@test "proxy_find_lookups: DNS is asked for names alone, not for addresses and what the list of hosts has" {
  echo '10.0.0.1 db2' >>"$PROXY_HOSTS_FILE"
  run -0 with_haproxy 'proxy_take_nodes "db1,db2,10.0.0.3,[::4],db5."; proxy_find_lookups; printf "<%s>" "${PROXY_LOOKUPS[@]}"'
  [ "$output" = '<db1><><><><db5>' ]
}

@test "proxy_report says all faults as errors" {
  run -0 with_haproxy 'proxy_report'
  [ -z "$output" ]
  run -1 with_haproxy 'PROXY_FAULTS=(one two); proxy_report'
  [[ ${lines[0]} == *' ERROR t: one' && ${lines[1]} == *' ERROR t: two' ]]
}
