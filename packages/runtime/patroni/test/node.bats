#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

# The process that is loaded while the settings are gathered, and becomes Patroni: what is asked of it, and what it says.

setup() {
  patroni_setup
  python_stub
  export PATRONI_ENABLE=true POSTGRES_PASSWORD=hunter2
}

@test "patroni_log: a line for each level, in the container's log; what it waits for is in the phase" {
  run -0 with_patroni 'printf "%s\t%s\n" error "bad \$(x) %s" warn hm wait "for the store" info no "" no exit 0 | patroni_log; phase_get; echo "$REPLY: $PHASE_WAITS"'
  [[ $output == *"ERROR t: bad \$(x) %s"*'WARN  t: hm'*'WARN  t: for the store'*'initialising: for the store' && $output != *no* ]]
}

@test "patroni_log: where REST API and server are, and the status that was told; none is a fault" {
  run -0 with_patroni 'printf "%b" "api\t8009\t::1\thttps\nserver\t5433\t*\nexit\t0\n" | patroni_log; cat "$STATE_DIR/patroni.address.new" "$PATRONI_DIR/listen"'
  [ "$output" = $'8009\n::1\nhttps\n5433\n*' ]
  run -7 with_patroni 'printf "exit\t7\n" | patroni_log'
  run -1 with_patroni 'patroni_log </dev/null'
  [[ $output == *'ERROR t: Patroni ended while it was loaded, expected it to make its configuration; what it met stands above' ]]
}

# Loads the stand-in for Patroni and asks it what init does; needs more code.
loaded() { with_patroni 'PATRONI_SETTINGS=(a text "x y" b text ""); patroni_load; (patroni_prepare "42" 17 ttl); '"$1"; }

@test "patroni_prepare: environment, settings and what to look at reach the process that becomes Patroni, whatever is in them" {
  PATRONI_NAME=$'two\nlines é' run -0 loaded 'env_is_secret POSTGRES_PASSWORD; cat "$STATE_DIR/patroni.address.new"'
  [ "$output" = $'8008\n127.0.0.1\nhttp' ]
  [ "$(<"$GIVEN")" = $'a\ntext\nx y\nb\ntext' ]
  grep -qx POSTGRES_PASSWORD=hunter2 "$KNOWN"
  [[ $(<"$KNOWN") == *$'PATRONI_NAME=two\nlines é'* ]]
  [[ $(<"$CALLS") == "python3 <-I> <$PATRONI_HOME/node.py> <"*"> <$STATE_FOLDERS/patroni/patroni.yml>"$'\nlook <42> <17> <ttl>' ]]
}

@test "patroni_prepare: a fault ends it with what was said" {
  CONFIGURATION_SAYS='error\tbad thing\n' CONFIGURATION_CODE=2 run -2 loaded
  [[ $output == *'ERROR t: bad thing' ]]
  CLUSTER_SAYS='error\tother thing\n' CLUSTER_CODE=2 run -2 loaded
  [[ $output == *'ERROR t: other thing' ]]
}

@test "patroni_prepare: a process that is gone is a fault, whether it has read or not" {
  stub python3 <<<'exit 9'
  run -1 loaded
  [[ $output == *'Patroni ended while it was loaded'* ]]
  stub python3 <<<'sleep 0.5'
  run -1 loaded
  [[ $output == *'Patroni ended while it was loaded'* ]]
}

@test "patroni_load: its secrets are in no environment, and it ends with the shell, which may end at any time" {
  run -0 loaded 'tr "\0" "\n" <"/proc/$PATRONI_PID/environ"; echo "$PATRONI_PID" >"$STATE_DIR/pid"'
  [[ $output == *PATRONI_ENABLE=true* && $output != *hunter2* ]]
  gone() { ! kill -0 "$(<"$STATE_FOLDERS/pid")" 2>/dev/null; }
  eventually gone
  run -0 with_patroni 'patroni_load; echo "$PATRONI_PID" >"$STATE_DIR/pid"'
  eventually gone
  [ -z "$(find "$STATE_FOLDERS/patroni" -type p)" ]
}

@test "patroni_unload: ends it where init ends" {
  stub python3 <<<'exec sleep 60 >/dev/null 2>&1 3>&-'
  TRAPS=yes run -3 with_patroni 'patroni_load; echo "$PATRONI_PID" >"$STATE_DIR/pid"; exit 3'
  gone() { ! kill -0 "$(<"$STATE_FOLDERS/pid")" 2>/dev/null; }
  eventually gone
}
