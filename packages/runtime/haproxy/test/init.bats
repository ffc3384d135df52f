#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() { haproxy_setup; }

@test "proxy_split_args: options for HAProxy, and whether they name a configuration" {
  run -0 with_haproxy 'proxy_split_args haproxy -V; echo "<$PROXY_OWN> ${PROXY_ARGS[*]}"; proxy_split_args haproxy -f /x -d; echo "<$PROXY_OWN> ${PROXY_ARGS[*]}"
    proxy_split_args haproxy -f/x; echo "<$PROXY_OWN>"; proxy_split_args haproxy -- /x; echo "<$PROXY_OWN>"; proxy_split_args haproxy; echo "<$PROXY_OWN>${#PROXY_ARGS[@]}"'
  [ "$output" = $'<> -V\n<yes> -f /x -d\n<yes>\n<yes>\n<>0' ]
}

@test "proxy_find_own: none where there is none, the mounted one as it is, and a word about what it makes useless" {
  run -1 with_haproxy 'proxy_find_own'
  [ -z "$output" ]
  echo own >"$PROXY_DEFAULT"
  chmod 644 "$PROXY_DEFAULT"
  run -0 with_haproxy 'PROXY_ARGS=(-V); proxy_find_own; echo "$PROXY_OWN ${PROXY_ARGS[*]}"'
  [ "$output" = "yes -f $PROXY_DEFAULT -V" ]
  HAPROXY_NODES=db1 run -0 with_haproxy 'proxy_find_own'
  [[ $output == *' WARN '*"HAPROXY_NODES has no effect, because the configuration $PROXY_DEFAULT is used as it is"* ]]
}

@test "proxy_find_own: one that was named has to be there, and to be readable" {
  HAPROXY_CONFIG=/nowhere run -2 with_haproxy 'proxy_find_own'
  [[ $output == *"HAPROXY_CONFIG: expected a configuration, found nothing at '/nowhere'; "* ]]
  : >"$PROXY_DEFAULT"
  chmod 000 "$PROXY_DEFAULT"
  run -3 with_haproxy 'proxy_find_own'
  [[ $output == *"HAPROXY_CONFIG: expected a file that user "*" can read, found '$PROXY_DEFAULT'"* ]]
}

@test "proxy_check_own: all that HAProxy refuses, and the code for configuration" {
  run -0 with_haproxy 'PROXY_ARGS=(-f /x); proxy_check_own; echo on'
  [ "$output" = on ]
  refuse <<<$'[ALERT] (1) : config : parsing [/x:3] : bad\n[ALERT] (1) : config : [/x:4] : worse'
  run -2 with_haproxy 'PROXY_ARGS=(-f /x); proxy_check_own; echo on'
  [[ ${lines[0]} == *'HAPROXY_CONFIG: expected a configuration that HAProxy takes, found: parsing [/x:3] : bad; correct it' ]]
  [[ ${lines[1]} == *'found: [/x:4] : worse; correct it' && ${#lines[@]} == 2 ]]
}

@test "init_haproxy, proxy_configure: a configuration out of the variables" {
  HAPROXY_NODES=db1 run -0 with_haproxy 'init_haproxy haproxy -V; echo "${PROXY_ARGS[*]}|$PROXY_OWN|$RES_OPTIONS"'
  [ "$output" = "-f $STATE_DIR/haproxy.cfg -V||timeout:1 attempts:1" ]
  [ -s "$STATE_DIR/haproxy.states" ]
}

@test "init_haproxy: all faults, and the code for configuration; that for permission where nothing can be written" {
  HAPROXY_NODES=db1,db1 HAPROXY_MAX_LAG=x run -2 with_haproxy 'init_haproxy haproxy'
  [ "${#lines[@]}" = 2 ]
  HAPROXY_NODES=db1 run -3 with_haproxy 'STATE_DIR=/nowhere; init_haproxy haproxy'
}

@test "init_haproxy: the user's configuration, mounted or named by the command, is only judged" {
  echo own >"$PROXY_DEFAULT"
  chmod 644 "$PROXY_DEFAULT"
  run -0 with_haproxy 'init_haproxy haproxy'
  run -0 with_haproxy 'init_haproxy /usr/sbin/haproxy -f /mine'
  [ "$(cat "$CALLS")" = "haproxy <-c> <-f> <$PROXY_DEFAULT>"$'\n''haproxy <-c> <-f> </mine>' ]
  [ ! -e "$STATE_DIR/haproxy.cfg" ]
}

@test "init_haproxy does nothing for another command" {
  run -0 with_haproxy 'init_haproxy postgres'
  [ ! -s "$CALLS" ]
}

@test "the step alone, by hand" {
  HAPROXY_NODES=db1 run -0 as_user "$BASH" "$SCRIPTS/init/02-haproxy.sh" haproxy
  [ -s "$STATE_DIR/haproxy.cfg" ]
}
