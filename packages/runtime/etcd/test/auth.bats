#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2154 # sourced from a copy; code stands in single quotes
load helper

setup() {
  etcd_setup
  address http://0.0.0.0:2379 http://here:2379
  secret='AUTH_PASSWORD=pass2718; '
}

# Prints the calls without what is the same in all.
calls() { grep -v ENDPOINTS "$CALLS" | sed 's/ <--command-timeout=5s>//'; }

@test "etcd_auth_attempt: off, so root is made and it is turned on; the password comes by stdin" {
  run -0 with_etcd "$secret"'etcd_auth_attempt'
  [[ $output == *INFO*'authentication is on: user root has the password in ETCD_ROOT_PASSWORD' ]]
  [ "$(calls)" = 'etcdctl <get> <strata>
etcdctl <user> <add> <root> <--interactive=false>
read: pass2718
etcdctl <auth> <enable>' ]
}

@test "etcd_auth_attempt: root is there already, from a try that ended halfway" {
  answer user-add 1 <<<'Error: etcdserver: user name already exists'
  run -0 with_etcd "$secret"'etcd_auth_attempt'
  [ "$(calls)" = 'etcdctl <get> <strata>
etcdctl <user> <add> <root> <--interactive=false>
read: pass2718
etcdctl <user> <passwd> <root> <--interactive=false>
read: pass2718
etcdctl <auth> <enable>' ]
}

@test "etcd_auth_attempt: on already, and the password is right, wrong, or cannot be asked" {
  answer get-strata 1 <<<'Error: etcdserver: user name is empty'
  run -0 with_etcd "$secret"'etcd_auth_attempt'
  [ "$(calls)" = 'etcdctl <get> <strata>
etcdctl <user> <get> <root>
ETCDCTL_PASSWORD=pass2718
ETCDCTL_USER=root' ]
  answer user-get 2 <<<'Error: etcdserver: authentication failed, invalid user ID or password'
  run -2 with_etcd "$secret"'etcd_auth_attempt'
  answer user-get 1 <<<'Error: context deadline exceeded'
  run -1 with_etcd "$secret"'etcd_auth_attempt || { echo "$AUTH_STEP: $AUTH_SAID"; exit 1; }'
  [ "$output" = 'logging in as root: context deadline exceeded' ]
  answer get-strata 1 <<<'Error: etcdserver: permission denied'
  rm "$ANSWERS/user-get"
  run -0 with_etcd "$secret"'etcd_auth_attempt'
}

@test "etcd_auth_attempt: each step may fail, and says so" {
  answer get-strata 1 <<<$'{"level":"warn"}\nError: context deadline exceeded'
  run -1 with_etcd "$secret"'etcd_auth_attempt || { echo "$AUTH_STEP: $AUTH_SAID"; exit 1; }'
  [ "$output" = 'an answer of the cluster: context deadline exceeded' ]
  rm "$ANSWERS/get-strata"
  answer user-add 1 <<<'Error: one'
  run -1 with_etcd "$secret"'etcd_auth_attempt || { echo "$AUTH_STEP: $AUTH_SAID"; exit 1; }'
  [ "$output" = 'making user root: one' ]
  answer user-add 1 <<<'Error: user name already exists'
  answer user-passwd 1 <<<'Error: two'
  run -1 with_etcd "$secret"'etcd_auth_attempt || { echo "$AUTH_STEP: $AUTH_SAID"; exit 1; }'
  [ "$output" = 'making user root: two' ]
  rm "$ANSWERS"/user-*
  answer auth-enable 1 <<<'Error: three'
  run -1 with_etcd "$secret"'etcd_auth_attempt || { echo "$AUTH_STEP: $AUTH_SAID"; exit 1; }'
  [ "$output" = 'turning authentication on: three' ]
}

@test "etcd_auth_complain: once for each reason; that nobody answers only after some patience" {
  local step='AUTH_STEP="turning authentication on" AUTH_SAID=no AUTH_BEGAN=$EPOCHSECONDS; '
  run -0 with_etcd "$step"'etcd_auth_complain ""; etcd_auth_complain "turning authentication on: no"'
  [[ $output == *'authentication: expected turning authentication on to succeed, found: no; until it is on, everybody'* ]]
  [ "${#lines[@]}" = 1 ]
  run -0 with_etcd "$step"'AUTH_STEP="an answer of the cluster"; etcd_auth_complain ""; AUTH_BEGAN=$((EPOCHSECONDS - 31)); etcd_auth_complain ""'
  [ "${#lines[@]}" = 1 ]
}

# What stands for a port that opens, for pauses and for a server that runs.
quick='etcd_auth_listens() { :; }; startup_pause() { echo "pause $1"; }; '

@test "etcd_auth_run: tries until it is on, and says so to the health check" {
  answer auth-enable.1 1 <<<'Error: no'
  answer auth-enable.2 1 <<<'Error: no'
  answer auth-enable.3 1 <<<'Error: other'
  echo pending >"$STATE_FOLDERS/etcd.auth"
  chmod 666 "$STATE_FOLDERS/etcd.auth"
  run -0 with_etcd "$quick$secret"'etcd_auth_run $$'
  [[ $output == *'found: no;'*$'\npause 1\npause 2\n'*'found: other;'*$'\npause 4\n'*'authentication is on'* ]]
  [ "$(grep -c 'found: no' <<<"$output")" = 1 ]
  [ -z "$(<"$STATE_FOLDERS/etcd.auth")" ]
  [[ $output != *2718* ]]
}

@test "etcd_auth_run: another password is told of, and that is all" {
  answer get-strata 1 <<<'Error: etcdserver: user name is empty'
  answer user-get 2 <<<'Error: etcdserver: authentication failed, invalid user ID or password'
  run -0 with_etcd "$quick$secret"'etcd_auth_run $$'
  [[ $output == *ERROR*'ETCD_ROOT_PASSWORD: expected the password of user root, found another (not shown, it is a secret)'* ]]
  [[ $output != *2718* ]]
  [ "$(<"$STATE_FOLDERS/etcd.auth")" = wrong ]
}

@test "etcd_auth_run: waits for nodes every second; ends with the server, and when the container stops" {
  answer get-strata 1 <<<'Error: context deadline exceeded'
  run -0 with_etcd "$quick$secret"'count=0; startup_pause() { echo "pause $1"; if ((++count == 3)); then phase_set stopping; fi; ((count < 9)) || exit 9; }; etcd_auth_run $$'
  [ "$output" = $'pause 1\npause 1\npause 1' ]
  run -0 with_etcd "$quick$secret"'etcd_auth_run 4000001'
  [ -z "$output" ]
  run -0 with_etcd "$quick$secret"'etcd_auth_listens() { return 1; }; etcd_auth_run 4000001'
  [ -z "$output" ]
}

@test "etcd_auth_listens: a port that is open, one that is not" {
  run -1 with_etcd 'CLIENT_HOST=127.0.0.1 CLIENT_PORT=1; etcd_auth_listens'
  [ -z "$output" ]
}
