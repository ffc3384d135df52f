#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 02: a database is in PGDATA. Makes one as the official image does, or adopts the one that is there.
#
# Killed at any moment, it leaves a folder that says so: the marker is written before anything else, initdb works in
# a folder inside (it takes none that is not empty, and only what is inside a volume lasts), whose content then moves
# up, and the marker is removed after the last write.

DATABASE_MARKER=strata.initialising
DATABASE_STAGE=strata.initdb
DATABASE_SCRIPTS=${DATABASE_SCRIPTS:-/docker-entrypoint-initdb.d}

# Gives in REPLY what is in PGDATA: new, cluster, incomplete (our marker is there) or foreign.
database_state() {
  REPLY=incomplete
  if [[ -e $PGDATA/$DATABASE_MARKER ]]; then return 0; fi
  REPLY=cluster
  if [[ -s $PGDATA/PG_VERSION && -e $PGDATA/global/pg_control ]]; then return 0; fi
  REPLY=foreign
  if database_folder_is_free "$PGDATA"; then REPLY=new; fi
}

# Refuses data of another major version.
database_check_version() {
  local found server
  read -r found <"$PGDATA/PG_VERSION" || :
  database_server_major
  server=$REPLY
  [[ $found == "$server" ]] || die 2 "PGDATA: expected a cluster of PostgreSQL $server, found one of '$found' in $PGDATA;" \
    "run an image of version $found, or move the data with pg_dump or pg_upgrade; nothing was changed"
}

# Refuses a folder that holds something else than a database, because making one there could destroy it.
database_refuse_foreign() {
  if [[ -e $PGDATA/PG_VERSION ]]; then
    die 1 "PGDATA: expected a whole cluster or an empty folder, found one without global/pg_control in $PGDATA (perhaps" \
      "initdb or a restore was broken off); restore it, or empty the folder yourself; nothing was changed"
  fi
  die 1 "PGDATA: expected a cluster or an empty folder, found other files in $PGDATA;" \
    "mount an empty volume, or set PGDATA to a folder inside this one; nothing was changed"
}

# Refuses a folder whose initialisation was broken off, unless INIT_ON_INCOMPLETE says to begin again.
database_refuse_incomplete() {
  [[ ${INIT_ON_INCOMPLETE:-refuse} != wipe ]] || return 0
  die 1 "an earlier initialisation of $PGDATA was broken off, so the database may lack what init scripts should have" \
    "made; expected a complete one; set INIT_ON_INCOMPLETE=wipe to delete it and begin again, or empty the volume" \
    "yourself; nothing was changed"
}

# Empties a folder whose initialisation was broken off, and the folder for its log.
database_wipe_incomplete() {
  local waldir=""
  log_warn "an earlier initialisation was broken off and INIT_ON_INCOMPLETE is wipe: deleting everything in $PGDATA"
  database_wipe "$PGDATA"
  read -r waldir <"$PGDATA/$DATABASE_MARKER" || :
  # Only a folder that was empty when we began is in the marker.
  if [[ -n $waldir && $waldir == "${POSTGRES_INITDB_WALDIR-}" && -d $waldir ]]; then database_wipe "$waldir"; fi
}

# Deletes what is in a folder; the marker stays, so that being killed now changes nothing.
database_wipe() {
  startup_run find "$1" -mindepth 1 -maxdepth 1 ! -name "$DATABASE_MARKER" ! -name lost+found -exec rm -rf -- {} +
  ((RUN_STATUS == 0)) || die 1 "cannot delete the content of $1, see above; empty it yourself"
}

# Adds one fault about a name that PostgreSQL would cut or that no client could type.
database_check_name() {
  local name=$1 value=$2
  byte_length "$value"
  if ((REPLY > 63)); then
    DATABASE_FAULTS+=("$name: expected at most 63 bytes, found $REPLY; shorten it")
  elif has_control "$value"; then
    DATABASE_FAULTS+=("$name: expected no control characters such as a newline, found one; remove it")
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
  if [[ ${POSTGRES_PASSWORD-} == *[$'\n\r']* ]]; then
    DATABASE_FAULTS+=("POSTGRES_PASSWORD: expected one line, found a line break in it; remove it")
  fi
  if has_control "${POSTGRES_HOST_AUTH_METHOD-}"; then
    DATABASE_FAULTS+=("POSTGRES_HOST_AUTH_METHOD: expected a method such as scram-sha-256 on one line; correct it")
  fi
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

# Makes initdb, which looks its user up by number, find one: needs a folder for two files. Gives DATABASE_INITDB.
database_prepare_user() {
  local library
  DATABASE_INITDB=(initdb)
  if security_known_user "$EUID"; then return 0; fi
  for library in /usr/lib/libnss_wrapper.so /usr/lib/*/libnss_wrapper.so; do
    if [[ ! -r $library ]]; then continue; fi
    printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/false\n' "$EUID" "${GROUPS[0]}" "$PGDATA" >"$STATE_DIR/passwd"
    printf 'postgres:x:%s:\n' "${GROUPS[0]}" >"$STATE_DIR/group"
    DATABASE_INITDB=(env "LD_PRELOAD=$library" "NSS_WRAPPER_PASSWD=$STATE_DIR/passwd"
      "NSS_WRAPPER_GROUP=$STATE_DIR/group" initdb)
    return 0
  done
  die 4 "user $EUID has no entry in /etc/passwd, which initdb needs, and libnss_wrapper is not in the image;" \
    "mount a passwd file, or add the package libnss-wrapper"
}

# Runs a command with its standard output shown at LOG_LEVEL=debug only: initdb tells at length, and of the wrong folder.
database_quietly() {
  if [[ ${LOG_LEVEL:-info} == debug ]]; then exec "$@"; else exec "$@" >/dev/null; fi
}

# Runs initdb in the folder inside PGDATA and moves what it made up.
database_initdb() {
  local -a options=("--username=$POSTGRES_USER")
  local stage=$PGDATA/$DATABASE_STAGE
  if database_owner_is_late; then options=("--username=$DATABASE_FIRST_OWNER"); fi
  words_split "${POSTGRES_INITDB_ARGS-}"
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then options+=("--waldir=$POSTGRES_INITDB_WALDIR"); fi
  options+=("${WORDS[@]}" --no-sync -D "$stage")
  database_prepare_user
  if [[ -n ${POSTGRES_PASSWORD-} ]] && ! database_owner_is_late; then
    # A pipe: the password is neither in a file nor in the list of processes.
    startup_run database_quietly "${DATABASE_INITDB[@]}" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${options[@]}"
  else
    startup_run database_quietly "${DATABASE_INITDB[@]}" "${options[@]}"
  fi
  ((RUN_STATUS == 0)) || database_give_up "initdb failed with code $RUN_STATUS, see its lines above; correct what they name"
  chmod --reference="$stage" -- "$PGDATA"
  mv -- "$stage"/* "$PGDATA/"
  rmdir -- "$stage"
}

# Ends after a failure of initdb. Nothing of value was made yet, so the folder is left as it was found.
database_give_up() {
  rm -rf -- "${PGDATA:?}/$DATABASE_STAGE" "${PGDATA:?}/$DATABASE_MARKER"
  die 1 "$1"
}

# Gives in REPLY the method for connections from elsewhere: md5 only where passwords are kept that way.
database_auth_method() {
  REPLY=${POSTGRES_HOST_AUTH_METHOD-}
  [[ -z $REPLY ]] || return 0
  REPLY=scram-sha-256
  if [[ "${POSTGRES_INITDB_ARGS-} ${POSTGRES_ARGS[*]}" == *md5* ]]; then
    REPLY=$("$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" \
      -C password_encryption)
  fi
}

# Lets others than the container itself connect.
database_write_hba() {
  database_auth_method
  {
    printf '\n'
    if [[ $REPLY == trust ]]; then printf '# warning: trust lets everybody in without a password\n'; fi
    printf 'host all all all %s\n' "$REPLY"
  } >>"$PGDATA/pg_hba.conf"
}

# Creates POSTGRES_DB unless initdb did.
database_create() {
  case $POSTGRES_DB in
    postgres | template0 | template1) return 0 ;;
  esac
  startup_run docker_process_sql --quiet --dbname=postgres --set="name=$POSTGRES_DB" <<<'CREATE DATABASE :"name";'
  ((RUN_STATUS == 0)) || die 1 "cannot create the database '$POSTGRES_DB' (POSTGRES_DB), see above; choose another name"
}

# Runs the user's init scripts in a shell that they may change as they like; it runs in the background.
database_user_scripts() {
  trap - ERR
  # Scripts written for the official image do not expect unset variables to be errors.
  set +u
  DATABASE_SCRIPT="" DATABASE_SCRIPTS_DONE=""
  trap database_user_scripts_end EXIT
  database_client_env
  docker_process_init_files "$DATABASE_SCRIPTS"/*
  DATABASE_SCRIPTS_DONE=yes
}

# Names the script that broke off the others, by failing or by a plain exit.
database_user_scripts_end() {
  local status=$?
  if [[ -n $DATABASE_SCRIPTS_DONE ]]; then exit "$status"; fi
  log_error "init script $DATABASE_SCRIPT ended the initialisation with code $status, expected it to end well (and a" \
    "sourced one to use return, not exit); correct it, then empty the volume or set INIT_ON_INCOMPLETE=wipe"
  exit 1
}

# Runs the user's init scripts if there are any.
database_run_user_scripts() {
  local -a files=("$DATABASE_SCRIPTS"/*)
  if [[ ! -e ${files[0]} ]]; then return 0; fi
  startup_run database_user_scripts
  ((RUN_STATUS == 0)) || die 1 "the initialisation failed; $PGDATA keeps its marker, so no start takes it for complete"
}

# Brings all that was written to the disk, once, unless the user told initdb not to.
database_sync() {
  words_split "${POSTGRES_INITDB_ARGS-}"
  if [[ " ${WORDS[*]} " == *' -N '* || " ${WORDS[*]} " == *' --no-sync '* || " ${WORDS[*]} " == *' --nosync '* ]]; then
    return 0
  fi
  startup_run database_quietly "${DATABASE_INITDB[@]}" --sync-only -D "$PGDATA"
  ((RUN_STATUS == 0)) || die 1 "cannot bring $PGDATA to the disk, see above; check the volume"
}

# Makes a new database, from the marker to its removal.
database_make() {
  local began=$EPOCHREALTIME waldir=""
  log_info "making a new database in $PGDATA"
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]] && database_folder_is_free "$POSTGRES_INITDB_WALDIR"; then
    waldir=$POSTGRES_INITDB_WALDIR
  fi
  printf '%s\n' "$waldir" >"$PGDATA/$DATABASE_MARKER"
  database_initdb
  database_write_hba
  database_server_start
  database_rename_owner
  database_create
  database_run_user_scripts
  database_server_stop || die 1 "the temporary server did not stop well, see its lines above"
  database_sync
  rm -f -- "$PGDATA/$DATABASE_MARKER"
  log_debug "took $((${EPOCHREALTIME/[.,]/} / 1000 - ${began/[.,]/} / 1000)) ms"
  log_info "PostgreSQL init process complete; ready for start up."
}

# Runs the step; needs the container's command.
init_database() {
  database_split_args "$@"
  POSTGRES_USER=${POSTGRES_USER:-postgres}
  POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  export POSTGRES_USER POSTGRES_DB
  database_state
  case $REPLY in
    cluster)
      database_check_version
      log_info "PostgreSQL Database directory appears to contain a database; Skipping initialization"
      return 0
      ;;
    foreign) database_refuse_foreign ;;
    incomplete) database_refuse_incomplete ;;
  esac
  local state=$REPLY
  # Before the first write: settings that cannot work must leave no half-made folder.
  database_check_settings
  init_config "$@"
  database_warn_trust
  if [[ $state == incomplete ]]; then database_wipe_incomplete; fi
  database_make
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
