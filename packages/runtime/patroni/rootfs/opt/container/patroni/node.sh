#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What init/07-patroni.sh does. Sourced by it where Patroni is on: what only a node of a cluster needs costs no other start
# anything.

# shellcheck source=settings.sh
source "${BASH_SOURCE[0]%/*}/settings.sh"

# Says what happens about a folder without a whole cluster: nothing is made now; needs what 02-database found in it, and the
# command. Gives 1 if 02-database is to judge.
patroni_decide() {
  local state=$1
  shift
  case $state in
    new)
      # The copy gets the folder's mode; a volume's own may be open to all.
      chmod 0700 -- "$PGDATA"
      database_prepare new "$@"
      return 0
      ;;
    foreign)
      # pg_basebackup writes this file early and pg_control last, so nobody's work is in a folder with one of them only.
      [[ -e $PGDATA/backup_label && ! -e $PGDATA/global/pg_control ]] || return 1
      log_warn "a copy of the cluster was broken off and left an unusable folder: emptying $PGDATA, it is copied again"
      database_wipe "$PGDATA"
      database_prepare new "$@"
      return 0
      ;;
  esac
  return 1
}

# Gives in REPLY the line that lets replicas connect, for our pg_hba.conf.
patroni_hba() {
  local name=${PATRONI_REPLICATION_USERNAME:-replicator} method=scram-sha-256 kind=host
  # Who asks for TLS on the one side means it.
  if [[ -n $TLS_CERT && ${PATRONI_REPLICATION_SSLMODE-} == @(require|verify-ca|verify-full) ]]; then kind=hostssl; fi
  if [[ ${POSTGRESQL_PASSWORD_ENCRYPTION-} == [mM][dD]5 ]]; then method=md5; fi
  REPLY="$kind replication \"${name//\"/\"\"}\" all $method"
}

# Gives in REPLY what the server says a parameter is.
patroni_ask() {
  REPLY=$("$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" -C "$1" 2>/dev/null) \
    || REPLY=""
}

# Says at once what only Patroni asks for; ends with 2 if anything is missing or does not fit.
patroni_check() {
  local fault="" name
  if [[ -z ${PATRONI_SUPERUSER_PASSWORD:-${POSTGRES_PASSWORD-}} ]]; then
    log_error "POSTGRES_PASSWORD: expected the superuser's password, the same on every node of the cluster, found none; set" \
      "it, or POSTGRES_PASSWORD_FILE"
    fault=yes
  fi
  for name in PATRONI_NAME PATRONI_SCOPE; do
    [[ ${!name-} == */* ]] || continue
    log_error "$name: expected a name without a slash, which parts paths in the store, found '${!name}'; change it"
    fault=yes
  done
  if address_has_port "${PATRONI_ADDRESS-}"; then
    log_error "PATRONI_ADDRESS: expected a host name or an IP, without a port, found '$PATRONI_ADDRESS'; the ports are those that" \
      "Patroni and the server listen at; leave it out"
    fault=yes
  fi
  if [[ -n ${PATRONI_SUPERUSER_USERNAME-} && $PATRONI_SUPERUSER_USERNAME != "$POSTGRES_USER" ]]; then
    log_error "PATRONI_SUPERUSER_USERNAME: expected the superuser of the cluster, '$POSTGRES_USER' (POSTGRES_USER), found" \
      "'$PATRONI_SUPERUSER_USERNAME'; leave it out, or change the other"
    fault=yes
  fi
  if ((PATRONI_LOOP_WAIT + 2 * PATRONI_RETRY_TIMEOUT > PATRONI_TTL)); then
    log_error "PATRONI_TTL: expected at least PATRONI_LOOP_WAIT and twice PATRONI_RETRY_TIMEOUT, so" \
      "$((PATRONI_LOOP_WAIT + 2 * PATRONI_RETRY_TIMEOUT)), found $PATRONI_TTL: a leader could lose its lock before it steps" \
      "down; raise it, or lower the others"
    fault=yes
  fi
  if [[ ${PATRONI_SYNCHRONOUS_MODE:-off} == quorum && $(patroni_major) -lt 4 ]]; then
    log_error "PATRONI_SYNCHRONOUS_MODE: expected off, on or strict with Patroni $(patroni_major), found quorum, which came with" \
      "4; choose one of them, or an image with Patroni 4"
    fault=yes
  fi
  [[ -z $fault ]] || exit 2
}

# Prints the major version of Patroni.
patroni_major() {
  local version
  version=$(python3 -I -c 'from patroni.version import __version__; print(__version__)')
  printf '%s' "${version%%.*}"
}

# Puts beside one another the server's programs, with our own postgres among them.
patroni_link_programs() {
  local server
  server=$(type -P "$POSTGRES_COMMAND")
  server=$(readlink -f -- "$server")
  mkdir -p -- "$PATRONI_DIR/bin"
  ln -sf -t "$PATRONI_DIR/bin" -- "${server%/*}"/*
  ln -sf -- "$PATRONI_HOME/bin/postgres" "$PATRONI_DIR/bin/postgres"
  single_prepare_user
  # Where process 1 holds the lock on the folder, if it does.
  printf '%s' "${FOLDERS_LOCK:+/proc/$$/fd/$FOLDERS_LOCK}" >"$PATRONI_DIR/lock"
  # What our own postgres starts; and what puts it in front where the user has no name.
  printf '%s\0' "$server" "${POSTGRES_ARGS[@]}" >"$PATRONI_DIR/server"
  printf '%s\0' "${SINGLE_USER[@]}" >"$PATRONI_DIR/user"
}

# Leaves for bootstrap.sh what it needs and Patroni does not hand on: the command, and every secret.
patroni_hand_on() {
  local name secrets=""
  printf '%s\0' "$@" "${POSTGRES_OWN_ARGS[@]}" >"$PATRONI_DIR/command"
  umask 077
  for name in "${ENV_NAMES[@]}"; do
    if env_is_secret "$name" && [[ -n ${!name-} && $name != PATRONI_* ]]; then printf '%s=%s\0' "$name" "${!name}"; fi
  done >"$PATRONI_DIR/secrets"
  umask 022
}

# Loads Patroni, which takes a while, in a process of its own that makes the configuration, looks at the cluster and becomes the
# node's Patroni (node.py). Gives in PATRONI_PID its number, in PATRONI_ASK the pipe to it, in PATRONI_ANSWERS the one from it.
patroni_load() {
  local ask=$PATRONI_DIR/ask answers=$PATRONI_DIR/answers both also
  rm -f -- "$ask" "$answers"
  mkfifo -m 0600 -- "$ask" "$answers"
  # To open one end waits for the other, unless both are open already.
  exec {both}<>"$ask" {also}<>"$answers"
  exec {PATRONI_ASKED}<"$ask" {PATRONI_ANSWERS}<"$answers"
  exec {PATRONI_ASK}>"$ask" {PATRONI_ANSWER}>"$answers"
  exec {both}>&- {also}>&-
  rm -f -- "$ask" "$answers"
  startup_spawn patroni_become
  PATRONI_PID=$SPAWNED_PID
  exec {PATRONI_ASKED}<&- {PATRONI_ANSWER}>&-
  ABORT_HOOKS+=(patroni_unload)
}

# Becomes the process that patroni_load starts. What it knows of secrets is in the configuration alone.
patroni_become() {
  # Where they stay open here, it would not see that the shell is gone.
  exec {PATRONI_ASK}>&- {PATRONI_ANSWERS}<&-
  env_forget_secrets
  unset -v PGPASSWORD
  exec python3 -I "$PATRONI_HOME/node.py" "$PATRONI_ASKED" "$PATRONI_ANSWER" "$PATRONI_DIR/patroni.yml"
}

# Ends that process where init ends early.
patroni_unload() { startup_kill_group TERM "$PATRONI_PID"; }

# Logs what that process answers: a level and a text, with a tab between them. Its status is the one that it tells at its end.
patroni_log() {
  local level text host scheme status=""
  while IFS=$'\t' read -r level text host scheme; do
    case $level in
      error) log_error "$text" ;;
      warn) log_warn "$text" ;;
      wait)
        log_warn "$text"
        phase_set initialising "$text"
        ;;
      api) state_write patroni.address.new "$text" "$host" "$scheme" ;;
      server) printf '%s\n' "$text" "$host" >"$PATRONI_DIR/listen" ;;
      exit) status=$text ;;
    esac
  done
  [[ -z $status ]] || return "$status"
  log_error "Patroni ended while it was loaded, expected it to make its configuration; what it met stands above"
  return 1
}

# Has the configuration made and checked, and the cluster looked at; needs the system identifier of the data, the server's major
# version and the names of the settings that were chosen. In a process of its own, so that a stop is answered. Ends the shell with
# the status.
patroni_prepare() {
  local -a environment=()
  # One that is gone is found by the answer that does not come.
  trap '' PIPE
  mapfile -t -d '' environment < <(env -0)
  printf '%s\0' "${#environment[@]}" "${environment[@]}" "${#PATRONI_SETTINGS[@]}" "${PATRONI_SETTINGS[@]}" "$#" "$@" \
    1>&"$PATRONI_ASK" 2>/dev/null || :
  patroni_log <&"$PATRONI_ANSWERS" || exit "$?"
}

# Lets Patroni run from now on, as the process of the mode.
patroni_go() {
  CHILD_PID=$PATRONI_PID
  trap '' PIPE
  # One that is gone is found by whoever waits for it.
  printf go 1>&"$PATRONI_ASK" 2>/dev/null || :
  trap - PIPE
  exec {PATRONI_ASK}>&- {PATRONI_ANSWERS}<&-
}

# Gives in REPLY the system identifier of the data that are here, or nothing.
patroni_identity() {
  local line
  REPLY=""
  if [[ ! -e $PGDATA/global/pg_control ]]; then return 0; fi
  while IFS= read -r line; do
    if [[ $line == 'Database system identifier:'* ]]; then REPLY=${line##* }; fi
  done < <(LC_ALL=C "$PATRONI_DIR/bin/pg_controldata" -D "$PGDATA" 2>/dev/null)
}

# Takes variables without a value out of the environment: here they count as not set, to Patroni as empty settings.
# The default of the scope is ours alone, below what PATRONI_CONFIGURATION says.
patroni_drop_empty() {
  local entry name scope=""
  while IFS= read -r -d '' entry; do
    if [[ $entry == PATRONI_SCOPE=?* ]]; then scope=given; fi
  done </proc/self/environ
  if [[ -z $scope ]]; then export -n PATRONI_SCOPE; fi
  for name in "${!PATRONI_@}"; do
    # What is no more than a variable of ours is not exported.
    if [[ -z ${!name} && ${!name@a} == *x* ]]; then unset -v "$name"; fi
  done
}
