#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() { haproxy_setup; }

# Makes the text for three nodes and prints it.
text='HAPROXY_NODES=db1,db2:5433:8009,[::1]; proxy_take_nodes "$HAPROXY_NODES"; proxy_find_lookups; proxy_fit_files; proxy_text; printf "%s" "$PROXY_TEXT"'

@test "proxy_add, proxy_add_for: lines, and which variable decides about them" {
  run -0 with_haproxy 'proxy_add a "b c"; proxy_add_for HAPROXY_X "  d"; printf "%s" "$PROXY_TEXT"'
  [ "$output" = $'a\nb c\n  d # HAPROXY_X' ]
}

@test "proxy_log_level: our levels in HAProxy's words" {
  run -0 with_haproxy 'for LOG_LEVEL in debug info warn error; do proxy_log_level; echo -n "$REPLY "; done; unset LOG_LEVEL; proxy_log_level; echo "$REPLY"'
  [ "$output" = 'debug info warning err info' ]
}

@test "proxy_drain_limit: as long as a failover takes, or as was asked for" {
  run -0 with_haproxy 'for HAPROXY_DRAIN_SECONDS in 0 2 3 20; do proxy_drain_limit; echo -n "$REPLY "; done'
  [ "$output" = '3 3 3 20 ' ]
}

@test "proxy_text: two ports for PostgreSQL, the nodes once for each, checks on their REST ports" {
  run -0 with_haproxy "$text"
  [[ $output == *$'frontend writes\n  bind :5432 # HAPROXY_WRITE_PORT\n'*$'  default_backend primary\n'* ]]
  [[ $output == *$'frontend reads\n  bind :5433 # HAPROXY_READ_PORT\n'*'use_backend primary if { nbsrv(replicas) eq 0 }'* ]]
  [[ $output == *$'backend primary\n  no log\n  balance first\n  option httpchk\n  http-check send meth OPTIONS uri /primary\n'* ]]
  [[ $output == *$'backend replicas\n  no log\n  balance leastconn\n  option httpchk\n  http-check send meth OPTIONS uri /replica\n'* ]]
  [ "$(grep -cxF '  server db1 db1:5432 check port 8008 resolvers container resolve-prefer ipv4 init-addr last,libc,none # HAPROXY_NODES' <<<"$output")" = 2 ]
  [ "$(grep -cF '  server db2 db2:5433 check port 8009 ' <<<"$output")" = 2 ]
  [ "$(grep -cxF '  server --1 [::1]:5432 check port 8008 init-addr last,libc,none # HAPROXY_NODES' <<<"$output")" = 2 ]
  [[ $output == *'on-marked-down shutdown-sessions'*'monitor-uri /healthz'*'stats uri /stats'* ]]
  [[ $output == *$'hard-stop-after 3s # HAPROXY_DRAIN_SECONDS'* && $output == *"server-state-file $STATE_DIR/haproxy.states"* ]]
}

@test "proxy_text: what each variable changes" {
  export HAPROXY_WRITE_PORT=6432 HAPROXY_READ_PORT=6433 HAPROXY_STATS_PORT=9404 HAPROXY_MAX_LAG=16MB HAPROXY_IDLE_TIMEOUT=2h
  export HAPROXY_MAX_CONNECTIONS=7 HAPROXY_DRAIN_SECONDS=9 LOG_LEVEL=debug
  run -0 with_haproxy "$text"
  [[ $output == *'bind :6432 '*'bind :6433 '*'uri /replica?lag=16MB'*'bind :9404 '* ]]
  [[ $output == *'  maxconn 64 # HAPROXY_MAX_CONNECTIONS'*'hard-stop-after 9s'*'timeout client 2h # HAPROXY_IDLE_TIMEOUT'*'  maxconn 7 #'* ]]
  [[ $output == *'daemon debug'* && $output != *dontlog-normal* ]]
}

@test "proxy_add_frontend, proxy_has_ipv6: IPv6 too where the container has it" {
  echo '00000000000000000000000000000001 01 80 10 80 lo' >"$PROXY_IPV6"
  run -0 with_haproxy "$text"
  [ "$(grep -c 'bind :::[0-9]* v6only' <<<"$output")" = 3 ]
}

@test "proxy_add_resolvers: none where nothing is asked" {
  run -0 with_haproxy 'proxy_take_nodes 10.0.0.1; proxy_find_lookups; proxy_text; printf "%s" "$PROXY_TEXT"'
  [[ $output != *resolvers* ]]
}

@test "proxy_add_backend, proxy_server_verify: Patroni over TLS, with the name verified that was given" {
  HAPROXY_REST_TLS=on run -0 with_haproxy "$text"
  [ "$(grep -c ' check-ssl verify none resolvers' <<<"$output")" = 4 ]
  HAPROXY_REST_TLS=verify run -0 with_haproxy "$text"
  [ "$(grep -c ' check-ssl verify required ca-file @system-ca check-sni db1 verifyhost db1 ' <<<"$output")" = 2 ]
  [ "$(grep -c 'server --1 .* ca-file @system-ca init-addr' <<<"$output")" = 2 ]
  HAPROXY_REST_TLS=verify HAPROXY_REST_CA=/ca.crt run -0 with_haproxy "$text"
  [ "$(grep -c ' ca-file /ca.crt .* # HAPROXY_REST_CA$' <<<"$output")" = 6 ]
}

@test "proxy_states: down until checked, but for what was up" {
  run -0 with_haproxy 'proxy_take_nodes "a,b:7"; proxy_states replicas/b; printf "%s" "$REPLY"'
  [ "${lines[0]}" = 1 ]
  [[ ${lines[1]} == '# be_id be_name srv_id srv_name srv_addr srv_op_state '*' srv_agent_port' ]]
  [ "$(wc -w <<<"${lines[2]}")" = $(($(wc -w <<<"${lines[1]}") - 1)) ]
  [[ ${lines[2]} == '0 primary 0 a - 0 '*' - 5432 - '* && ${lines[3]} == '0 primary 0 b - 0 '*' - 7 - '* ]]
  [[ ${lines[4]} == '0 replicas 0 a - 0 '* && ${lines[5]} == '0 replicas 0 b - 2 '* ]]
}

@test "proxy_write: for its owner alone, and a fault with the code for permission where it cannot" {
  run -0 with_haproxy 'proxy_write "$STATE_DIR/x" text; stat -c %a "$STATE_DIR/x"; cat "$STATE_DIR/x"; proxy_write /nowhere/x text || echo "$PROXY_CODE ${PROXY_FAULTS[*]}"'
  [ "${lines[0]}" = 600 ]
  [[ ${lines[1]} == 'text3 cannot write /nowhere/x; '* ]]
}

@test "proxy_ask: HAProxy's own judgement, without the lines that say only that there were others" {
  run -0 with_haproxy 'proxy_ask -f x; echo "$PROXY_STATUS ${#PROXY_ALERTS[@]}"'
  [ "$output" = '0 0' ]
  refuse <<'R'
[NOTICE]   (1) : haproxy version is 3.0
[ALERT]    (1) : config : parsing [/x:4] : timer overflow
[ALERT]    (1) : [/x:5] : other
[ALERT]    (1) : config : Error(s) found in configuration file : /x
[ALERT]    (1) : config : Fatal errors found in configuration.
R
  run -0 with_haproxy 'proxy_ask -f x; echo "$PROXY_STATUS"; printf "%s\n" "${PROXY_ALERTS[@]}"'
  [ "$output" = $'1\nparsing [/x:4] : timer overflow\n[/x:5] : other' ]
  grep -qxF 'haproxy <-c> <-f> <x>' "$CALLS"
  refuse <<<'killed'
  run -0 with_haproxy 'proxy_ask -f x; echo "${PROXY_ALERTS[*]}"'
  [ "$output" = 'code 1, and: killed' ]
}

@test "proxy_blame: by the variable of the line, each fault once" {
  printf '%s\n' a 'timeout # HAPROXY_IDLE_TIMEOUT' 'server # HAPROXY_REST_CA' plain >"$BATS_TEST_TMPDIR/cfg"
  run -0 with_haproxy 'PROXY_ALERTS=("parsing [/x:2] : overflow" "[/x:3] : '"'server a/b'"' : no file" "unable to load" "[/x:3] : '"'server a/c'"' : no file" "[/x:4] : odd" "[/x:9] : no line")
    proxy_blame "$1"; printf "%s\n" "${PROXY_FAULTS[@]}"' "$BATS_TEST_TMPDIR/cfg"
  [ "${lines[0]}" = 'HAPROXY_IDLE_TIMEOUT: expected what HAProxy takes, found: overflow; correct it' ]
  [ "${lines[1]}" = 'HAPROXY_REST_CA: expected what HAProxy takes, found: no file; correct it' ]
  [ "${lines[2]}" = 'HAPROXY_*: expected what HAProxy takes, found: odd; correct it' ]
  [ "${lines[3]}" = 'HAPROXY_*: expected what HAProxy takes, found: no line; correct it' ]
  [ "${#lines[@]}" = 4 ]
  run -0 with_haproxy 'PROXY_ALERTS=(odd); proxy_blame "$1"; printf "%s\n" "${PROXY_FAULTS[@]}"' "$BATS_TEST_TMPDIR/cfg"
  [ "$output" = 'HAPROXY_*: expected what HAProxy takes, found: odd; correct it' ]
}

@test "proxy_make, proxy_save: two files for their owner alone, and nothing else is left" {
  HAPROXY_NODES=db1,db2 run -0 with_haproxy 'proxy_make && proxy_save; cd "$STATE_DIR" && stat -c "%a %n" *'
  [ "$output" = $'600 haproxy.cfg\n600 haproxy.states' ]
  grep -qxF "haproxy <-c> <-f> <$STATE_DIR/haproxy.cfg.made>" "$CALLS"
  grep -q 'init-addr last,libc,none' "$STATE_DIR/haproxy.cfg"
}

@test "proxy_make: faults are told before HAProxy is asked, and what HAProxy refuses is one" {
  run -1 with_haproxy 'HAPROXY_IDLE_TIMEOUT=x; proxy_make || { printf "%s\n" "${PROXY_FAULTS[@]}"; exit 1; }'
  [[ ${lines[0]} == 'HAPROXY_NODES: expected the nodes of the cluster, such as db1,db2,db3, found none;'* && ${lines[1]} == HAPROXY_IDLE_TIMEOUT* ]]
  [ ! -s "$CALLS" ]
  refuse <<<'[ALERT] (1) : config : parsing [/x:3] : bad'
  HAPROXY_NODES=db1 run -1 with_haproxy 'proxy_make || { printf "%s\n" "${PROXY_FAULTS[@]}"; exit 1; }'
  [ "$output" = 'HAPROXY_*: expected what HAProxy takes, found: bad; correct it' ]
  HAPROXY_NODES=db1 run -1 with_haproxy 'PROXY_FILE=/nowhere/x; proxy_make'
}

@test "proxy_find_kept: what is up and whose line stays" {
  run -0 with_haproxy 'proxy_find_up() { PROXY_UP=(primary/a replicas/b replicas/c replicas/gone); }
    proxy_take_nodes "a,b,c"; proxy_find_lookups; proxy_text; before=$PROXY_TEXT
    proxy_take_nodes "a,b:7,c,d"; proxy_find_lookups; proxy_text; proxy_find_kept "$before"; echo "${REPLY_LIST[*]}"'
  [ "$output" = 'primary/a replicas/c' ]
}

@test "proxy_renew: reads the file of the nodes again, keeps who is up, and says so" {
  echo db1,db2 >"$BATS_TEST_TMPDIR/nodes"
  chmod 644 "$BATS_TEST_TMPDIR/nodes"
  export HAPROXY_NODES_FILE=$BATS_TEST_TMPDIR/nodes
  run -0 with_haproxy 'proxy_find_up() { PROXY_UP=(primary/db1); }; proxy_make; proxy_save
    HAPROXY_NODES_FILE=$STATE_DIR/nodes; echo db1,db3 >"$HAPROXY_NODES_FILE"; proxy_renew; grep -o "server db[0-9]*" "$PROXY_FILE" | sort -u; grep -c " 2 0 1 1 0 15 " "$STATE_DIR/haproxy.states"'
  [[ ${lines[0]} == *'the configuration was made anew for the nodes db1 db3; HAProxy reads it now' ]]
  [ "${lines[1]} ${lines[2]} ${lines[3]}" = 'server db1 server db3 1' ]
}

@test "proxy_renew: what cannot be taken changes nothing, and says why" {
  echo db1,db2 >"$BATS_TEST_TMPDIR/nodes"
  chmod 644 "$BATS_TEST_TMPDIR/nodes"
  HAPROXY_NODES_FILE=$BATS_TEST_TMPDIR/nodes run -0 with_haproxy 'proxy_make; proxy_save; before=$(<"$PROXY_FILE")
    echo db1,db1 >"$STATE_DIR/other"; HAPROXY_NODES_FILE=$STATE_DIR/other; proxy_renew && echo told
    HAPROXY_NODES_FILE=/nowhere; proxy_renew && echo told; HAPROXY_NODES_FILE=$STATE_DIR/other; echo db7 >"$STATE_DIR/other"
    chmod a-w "$STATE_DIR"; proxy_renew && echo told; chmod u+w "$STATE_DIR"; [[ $before == "$(<"$PROXY_FILE")" ]] && echo same'
  [[ ${lines[0]} == *'HAPROXY_NODES: node 2: expected each PostgreSQL'* ]]
  [[ ${lines[1]} == *'the configuration cannot be made anew, see above; HAProxy goes on with the one it has' ]]
  [[ ${lines[2]} == *"HAPROXY_NODES_FILE: expected the path of a file, found '/nowhere'"* ]]
  [[ ${lines[4]} == *"cannot write $STATE_DIR/haproxy.cfg.made; "* ]]
  [ "${lines[-1]}" = same ]
  [[ $output != *told* ]]
}

@test "proxy_renew: a file that root handed on cannot be read again" {
  HAPROXY_NODES=db1 run -0 with_haproxy 'proxy_make; proxy_save; HAPROXY_NODES_FILE=/dev/fd/9; proxy_renew && echo told'
  [[ ${lines[0]} == *'HAPROXY_NODES_FILE cannot be read again, because the container was started as root'* ]]
  [ "${lines[-1]}" = told ]
}
