#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  callback=$CONTAINER/patroni/callback.sh
  rm -f "$SCRIPTS"/callbacks.d/*
}

# Adds a callback; needs its name, its text comes from stdin.
add() { cat >"$SCRIPTS/callbacks.d/$1.sh"; }

@test "callback.sh: runs all scripts in order of their names, with the arguments as they are" {
  add 20-b <<<'echo "b <$1> <$2> <$3>"'
  add 10-a <<<'echo "a <$1> <$2> <$3>"'
  echo 'echo no' >"$SCRIPTS/callbacks.d/30-c.txt"
  mkdir "$SCRIPTS/callbacks.d/40-d.sh"
  run -0 as_user "$callback" on_start replica 'the "scope" $(x)'
  [ "$output" = $'a <on_start> <replica> <the "scope" $(x)>\nb <on_start> <replica> <the "scope" $(x)>' ]
}

@test "callback.sh: the role has one name in all versions of Patroni" {
  add a <<<'echo "$2"'
  run -0 as_user "$callback" on_role_change master main
  [ "$output" = primary ]
  local role
  for role in primary replica standby_leader; do
    run -0 as_user "$callback" on_role_change "$role" main
    [ "$output" = "$role" ]
  done
}

@test "callback.sh: one that fails is told of and stops nothing" {
  add a <<<'exit 7'
  add b <<<'set -e; false; echo no'
  add c <<<'echo c'
  run -0 as_user "$callback" on_role_change primary main
  [[ ${lines[0]} == *'WARN  patroni-callback: callback a.sh failed with code 7 at on_role_change as primary; see above' ]]
  [[ ${lines[1]} == *'callback b.sh failed with code 1'* ]]
  [ "${lines[2]}" = c ]
}

@test "callback.sh: without scripts, and without a scope, it does nothing" {
  run -0 as_user "$callback" on_stop replica
  [ -z "$output" ]
  LOG_LEVEL=debug run -0 as_user "$callback" on_stop replica
  [[ $output == *'DEBUG patroni-callback: on_stop as replica' ]]
}
