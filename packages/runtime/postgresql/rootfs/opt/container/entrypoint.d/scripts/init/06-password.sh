#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 06: the superuser's password is the one in POSTGRES_PASSWORD, if POSTGRES_PASSWORD_RECONCILE says so: who changes
# the secret changes the password. In single-user mode, so before anybody can connect with the old one.

# Sets the password of a cluster that was there.
password_reconcile() {
  local statements
  if [[ -z ${POSTGRES_PASSWORD-} ]]; then
    log_warn "POSTGRES_PASSWORD_RECONCILE is on, but POSTGRES_PASSWORD is not set: the password stays as it is"
    return 0
  fi
  if [[ -e $PGDATA/standby.signal || -e $PGDATA/recovery.signal ]]; then
    log_warn "POSTGRES_PASSWORD_RECONCILE does nothing on a standby or during a recovery: set it where the primary runs"
    return 0
  fi
  preflight_clear_locks
  single_name "$POSTGRES_USER"
  statements="ALTER ROLE $REPLY PASSWORD "
  single_literal "$POSTGRES_PASSWORD"
  if single_run "$PGDATA" "$statements$REPLY;"; then
    log_info "the password of '$POSTGRES_USER' is the one in POSTGRES_PASSWORD (POSTGRES_PASSWORD_RECONCILE is on)"
    return 0
  fi
  single_complaint
  die 1 "POSTGRES_PASSWORD_RECONCILE: expected to set the password of '$POSTGRES_USER', found: $REPLY; name an existing role" \
    "with POSTGRES_USER, or switch it off"
}

# Runs the step; a cluster that was just made has the password already.
init_password() {
  [[ ${POSTGRES_PASSWORD_RECONCILE:-false} == true && -z ${DATABASE_MADE-} ]] || return 0
  # Whether this server may write is not known yet: who decides that sets the password too.
  if [[ -n $DATABASE_DECIDER ]]; then return 0; fi
  database_split_args "$@"
  password_reconcile
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
