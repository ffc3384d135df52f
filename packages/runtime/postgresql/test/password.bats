#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  make_cluster 17
  export POSTGRES_PASSWORD_RECONCILE=true
}

@test "password_reconcile: the secret's, in single-user mode, with every letter in it" {
  POSTGRES_USER='a "b"' POSTGRES_PASSWORD="it's \\" run -0 with_postgresql 'init_password postgres -c x=y'
  [[ $output == *"the password of 'a \"b\"' is the one in POSTGRES_PASSWORD"* ]]
  [[ $(<"$CALLS") == *'<--single>'*'<x=y>'*$'\n''  single: ALTER ROLE "a ""b""" PASSWORD E'"'it''s \\\\';" ]]
  [[ $(head -n 1 "$CALLS") != *"it's"* ]]
}

@test "password_reconcile: nothing to set it to, or not here" {
  run -0 with_postgresql 'password_reconcile'
  [[ $output == *WARN*'POSTGRES_PASSWORD is not set'* ]]
  local name
  for name in standby.signal recovery.signal; do
    touch "$PGDATA/$name"
    POSTGRES_PASSWORD=x run -0 with_postgresql 'password_reconcile'
    [[ $output == *WARN*'does nothing on a standby'* ]]
    rm "$PGDATA/$name"
  done
  [ ! -s "$CALLS" ]
}

@test "password_reconcile: a role that is not there is named" {
  SINGLE_SAYS='x ERROR:  role "y" does not exist' POSTGRES_USER=y POSTGRES_PASSWORD=hunter2 run -1 with_postgresql 'password_reconcile'
  [[ $output == *"set the password of 'y', found: role \"y\" does not exist"* && $output != *hunter2* ]]
}

@test "init_password: off by default, and not for a cluster that was just made" {
  POSTGRES_PASSWORD=x POSTGRES_PASSWORD_RECONCILE=false run -0 with_postgresql 'init_password postgres'
  POSTGRES_PASSWORD=x run -0 with_postgresql 'unset -v POSTGRES_PASSWORD_RECONCILE; init_password postgres'
  POSTGRES_PASSWORD=x run -0 with_postgresql 'DATABASE_MADE=yes; init_password postgres'
  [ ! -s "$CALLS" ]
}

@test "init_password: not where another program decides whether this server may write" {
  POSTGRES_PASSWORD=x run -0 with_postgresql 'DATABASE_DECIDER=decide; init_password postgres'
  [ -z "$output" ]
  [ ! -s "$CALLS" ]
}

@test "06-password.sh: can be run alone" {
  run -0 as_user bash "$SCRIPTS/init/06-password.sh" postgres
  [[ $output == *WARN*'06-password: POSTGRES_PASSWORD_RECONCILE is on'* ]]
}
