#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# The settings that only a new cluster needs: all are checked, and all that is wrong is said, before anything is made.

# Adds one fault about a name that PostgreSQL would cut or that no client could type.
database_check_name() {
  local name=$1 value=$2
  byte_length "$value"
  if ((REPLY > 63)); then
    DATABASE_FAULTS+=("$name: expected at most 63 bytes, found $REPLY; shorten it")
  fi
}

# Adds a fault if the method for connections is none; options may follow a method that has some.
database_check_method() {
  local method=${POSTGRES_HOST_AUTH_METHOD-}
  [[ -n $method ]] || return 0
  if [[ ! $method =~ ^(trust|reject|scram-sha-256|md5|password|gss|sspi|ident|peer|ldap|radius|cert|pam|bsd)([[:blank:]].*)?$ ]] \
    || has_control "$method"; then
    DATABASE_FAULTS+=("POSTGRES_HOST_AUTH_METHOD: expected a method such as scram-sha-256 or trust, found '${method:0:80}';"$'\x20'"correct it, or give whole lines with POSTGRES_HBA")
  fi
}

# Checks all that a new database needs, says all that is wrong, ends with 2 if anything is.
database_check_settings() {
  local fault
  DATABASE_FAULTS=()
  database_check_name POSTGRES_USER "$POSTGRES_USER"
  database_check_name POSTGRES_DB "$POSTGRES_DB"
  if [[ $POSTGRES_USER == pg_* ]]; then
    DATABASE_FAULTS+=("POSTGRES_USER: expected a name that does not begin with pg_ (kept for PostgreSQL); change it")
  fi
  database_check_method
  words_split "${POSTGRES_INITDB_ARGS-}" \
    || DATABASE_FAULTS+=("POSTGRES_INITDB_ARGS: expected words as in a shell, found a quote that is not closed; close it")
  if [[ -z ${POSTGRES_PASSWORD-} && ${POSTGRES_HOST_AUTH_METHOD-} != trust ]]; then
    DATABASE_FAULTS+=("POSTGRES_PASSWORD: a new database needs a password for its superuser '$POSTGRES_USER', found none;"$'\x20'"set it, as in: docker run -e POSTGRES_PASSWORD=..., or POSTGRES_PASSWORD_FILE; or, where everybody who"$'\x20'"reaches the server may do everything, POSTGRES_HOST_AUTH_METHOD=trust")
  fi
  for fault in "${DATABASE_FAULTS[@]}"; do log_error "$fault"; done
  ((${#DATABASE_FAULTS[@]} == 0)) || exit 2
}

# Says loudly what trust means.
database_warn_trust() {
  [[ ${POSTGRES_HOST_AUTH_METHOD-} == trust ]] || return 0
  log_warn "POSTGRES_HOST_AUTH_METHOD is trust: ANYONE who can reach the port has FULL ACCESS WITHOUT A PASSWORD," \
    "even if POSTGRES_PASSWORD is set; use it on networks that only you can reach, or not at all"
}
