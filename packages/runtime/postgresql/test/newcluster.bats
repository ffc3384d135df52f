#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "database_check_name: 63 bytes, not letters" {
  run -0 with_postgresql 'DATABASE_FAULTS=(); database_check_name X "$(printf "a%.0s" {1..63})"; database_check_name Y "$(printf "é%.0s" {1..32})"; echo "${DATABASE_FAULTS[*]}"'
  [ "$output" = 'Y: expected at most 63 bytes, found 64; shorten it' ]
}

@test "database_check_method: one of the server's words, options after it, one line" {
  local method
  for method in trust scram-sha-256 'ldap ldapserver="x y"' $'pam\tpamservice=x'; do
    POSTGRES_HOST_AUTH_METHOD=$method run -0 with_postgresql 'DATABASE_FAULTS=(); database_check_method; echo "${#DATABASE_FAULTS[@]}"'
    [[ $output == "$(if [[ $method == pam* ]]; then echo 1; else echo 0; fi)" ]]
  done
  for method in nonsense trusted ' trust' $'trust\nlocal all all trust'; do
    POSTGRES_HOST_AUTH_METHOD=$method run -0 with_postgresql 'DATABASE_FAULTS=(); database_check_method; echo "${DATABASE_FAULTS[0]}"'
    [[ $output == 'POSTGRES_HOST_AUTH_METHOD: expected a method'*POSTGRES_HBA ]]
  done
}

@test "database_check_settings: every fault, code 2" {
  POSTGRES_USER=pg_x POSTGRES_DB=$(printf 'é%.0s' {1..32}) POSTGRES_INITDB_ARGS="'" POSTGRES_HOST_AUTH_METHOD=nonsense \
    run -2 with_postgresql 'database_check_settings'
  [ "${#lines[@]}" = 5 ]
  local name
  for name in POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS POSTGRES_HOST_AUTH_METHOD POSTGRES_PASSWORD; do
    [[ $output == *" t: $name: "* ]]
  done
}

@test "database_check_settings: no password explains itself; trust or a password will do" {
  run -2 with_postgresql 'database_check_settings'
  [[ $output == *'needs a password for its superuser'*'docker run -e POSTGRES_PASSWORD='* ]]
  POSTGRES_HOST_AUTH_METHOD=trust run -0 with_postgresql 'database_check_settings'
  POSTGRES_PASSWORD=$'-$(x)"\n' POSTGRES_USER=$'a "b" $(c)\n' run -0 with_postgresql 'database_check_settings'
}

@test "database_warn_trust: loud for trust only" {
  run -0 with_postgresql 'database_warn_trust'
  [ -z "$output" ]
  POSTGRES_HOST_AUTH_METHOD=trust run -0 with_postgresql 'database_warn_trust'
  [[ $output == *WARN*'WITHOUT A PASSWORD'* ]]
}
