#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 02: a database is in PGDATA. Makes one as the official image does, or adopts the one that is there.
#
# Killed at any moment, it leaves a folder that says so: the marker is written before anything else, initdb works in
# a folder inside (it takes none that is not empty, and only what is inside a volume lasts), whose content then moves
# up, and the marker is removed after the last write.

DATABASE_STAGE=strata.initdb
DATABASE_FIRST_OWNER=strata_first_owner # the superuser during initdb where the real name comes later
DATABASE_BEGIN_HOOKS=()                 # functions of fragments that are called before initdb, beside which they may begin work
DATABASE_FILES_HOOKS=()                 # functions of fragments that add files to those of initdb, before the server starts
DATABASE_HOOKS=()                       # functions of fragments that add to a new cluster before the user's scripts do
DATABASE_SYNC_PID=""                    # the process that brings initdb's files to the disk beside the temporary server
DATABASE_DECIDER=""                     # function of a fragment that has another program make or copy databases

# Gives in REPLY what is in PGDATA: new, cluster, incomplete (our marker is there) or foreign.
database_state() {
  REPLY=incomplete
  if [[ -e $PGDATA/$DATABASE_MARKER ]]; then return 0; fi
  REPLY=cluster
  if [[ -s $PGDATA/PG_VERSION && -e $PGDATA/global/pg_control ]]; then return 0; fi
  REPLY=foreign
  if database_folder_is_free "$PGDATA"; then REPLY=new; fi
}

# Refuses a folder that holds something else than a database, because making one there could destroy it.
database_refuse_foreign() {
  if [[ -e $PGDATA/PG_VERSION ]]; then
    die 1 "PGDATA: expected a whole cluster or an empty folder, found one without global/pg_control in $PGDATA (perhaps" \
      "initdb or a restore was broken off); restore it, or empty the folder yourself; nothing was changed"
  fi
  if [[ -e $PGDATA/pgdata/PG_VERSION ]]; then
    die 1 "PGDATA: expected a cluster or an empty folder, found one that has a cluster in a folder of its own, $PGDATA/pgdata;" \
      "set PGDATA=$PGDATA/pgdata to use it; nothing was changed"
  fi
  die 1 "PGDATA: expected a cluster or an empty folder, found other files in $PGDATA;" \
    "mount an empty volume, or set PGDATA to a folder inside this one; nothing was changed"
}

# Runs a command with its standard output shown at LOG_LEVEL=debug only: initdb tells at length, and of the wrong folder.
database_quietly() {
  if [[ ${LOG_LEVEL:-info} == debug ]]; then exec "$@"; else exec "$@" >/dev/null; fi
}

# Gives 0 if the superuser gets name and password after initdb: the scripts it runs take few letters for granted in the
# name (which ones it refuses changes with its version), and it takes one line for the password.
database_owner_is_late() {
  [[ $POSTGRES_USER == *[!A-Za-z0-9_.@\ -]* || $POSTGRES_USER == *--* || ${POSTGRES_PASSWORD-} == *[$'\n\r']* ]]
}

# Gives the superuser its name and password in the folder that initdb made.
database_name_owner() {
  local name statements
  database_owner_is_late || return 0
  single_literal "$POSTGRES_USER"
  # No role can rename itself by ALTER ROLE; 10 is the number of the one that initdb makes.
  statements="UPDATE pg_authid SET rolname = $REPLY WHERE oid = 10;"$'\n'
  if [[ -n ${POSTGRES_PASSWORD-} ]]; then
    single_name "$POSTGRES_USER"
    name=$REPLY
    single_literal "$POSTGRES_PASSWORD"
    statements+="ALTER ROLE $name PASSWORD $REPLY;"$'\n'
  fi
  single_run "$1" "$statements" && return 0
  single_complaint
  database_give_up 1 "cannot name the superuser '$POSTGRES_USER' (POSTGRES_USER): $REPLY; choose another name"
}

# Runs initdb in the folder inside PGDATA, lets others connect to what it made, and moves that up.
database_initdb() {
  local -a options=()
  local stage=$PGDATA/$DATABASE_STAGE password=${POSTGRES_PASSWORD-}
  if database_owner_is_late; then
    options+=("--username=$DATABASE_FIRST_OWNER")
    # initdb may insist on one; it lives until the real one is set.
    if [[ -n $password ]]; then password=first-$SRANDOM-$SRANDOM; fi
  else
    options+=("--username=$POSTGRES_USER")
  fi
  words_split "${POSTGRES_INITDB_ARGS-}"
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then options+=("--waldir=$POSTGRES_INITDB_WALDIR"); fi
  options+=("${WORDS_FOUND[@]}" --no-sync -D "$stage")
  if [[ -n $password ]]; then
    # A pipe: the password is neither in a file nor in the list of processes.
    startup_run database_quietly "${SINGLE_USER[@]}" initdb --pwfile=<(printf '%s\n' "$password") "${options[@]}"
  else
    startup_run database_quietly "${SINGLE_USER[@]}" initdb "${options[@]}"
  fi
  ((RUN_STATUS == 0)) || database_give_up 1 "initdb failed with code $RUN_STATUS, see its lines above; correct what they" \
    "name${POSTGRES_INITDB_ARGS:+ (its options come from POSTGRES_INITDB_ARGS)}"
  [[ -e $stage/PG_VERSION ]] || database_give_up 2 "POSTGRES_INITDB_ARGS: expected options with which initdb makes a" \
    "cluster, found ones with which it made none; leave out what only shows something"
  database_name_owner "$stage"
  database_write_hba "$stage"
  hba_check "$stage" || database_give_up 2 "$REPLY"
  journal_note initdb
}

# Moves what initdb made up; a start after a kill goes on with it.
database_move_up() {
  local stage=$PGDATA/$DATABASE_STAGE
  if [[ ! -d $stage ]]; then return 0; fi
  chmod --reference="$stage" -- "$PGDATA"
  if [[ -n $(ls -A -- "$stage") ]]; then mv -- "$stage"/* "$PGDATA/"; fi
  rmdir -- "$stage"
}

# Ends with CODE and TEXT after a failure of initdb. Nothing of value was made yet, so the folder is left as it was found.
database_give_up() {
  rm -rf -- "${PGDATA:?}/$DATABASE_STAGE"
  database_wipe_waldir
  journal_end
  die "$@"
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

# Lets others than the container itself connect to the cluster in a folder.
database_write_hba() {
  database_auth_method
  {
    printf '\n'
    if [[ $REPLY == trust ]]; then printf '# warning: trust lets everybody in without a password\n'; fi
    printf 'host all all all %s\n' "$REPLY"
  } >>"$1/pg_hba.conf"
}

# Creates POSTGRES_DB unless it is there.
database_create() {
  case $POSTGRES_DB in
    postgres | template0 | template1) return 0 ;;
  esac
  startup_run docker_process_sql --quiet --dbname=postgres --set="name=$POSTGRES_DB" <<'SQL'
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
  ((RUN_STATUS == 0)) || die 1 "cannot create the database '$POSTGRES_DB' (POSTGRES_DB), see above; choose another name"
}

# Gives 0 unless the user told initdb not to bring anything to the disk.
database_sync_wanted() {
  words_split "${POSTGRES_INITDB_ARGS-}"
  local words=" ${WORDS_FOUND[*]} "
  [[ $words != *' -N '* && $words != *' --no-sync '* && $words != *' --nosync '* ]]
}

# Begins to bring what initdb wrote to the disk, beside the temporary server, which then syncs what it writes itself. Not with init
# scripts: they may write much, and files of their own, for which one sync at the end is faster.
database_sync_begin() {
  DATABASE_SYNC_PID=""
  if userscripts_are_there || ! database_sync_wanted; then return 0; fi
  startup_spawn database_sync_beside
  DATABASE_SYNC_PID=$SPAWNED_PID
}

# The command of it. A running server takes files away, which initdb would complain of.
database_sync_beside() { exec "${SINGLE_USER[@]}" initdb --sync-only -D "$PGDATA" >/dev/null 2>&1; }

# Waits until all is on the disk. What failed beside the server is done again, where it is seen.
database_sync_end() {
  if [[ -n $DATABASE_SYNC_PID ]] && startup_wait "$DATABASE_SYNC_PID" && ((WAIT_STATUS == 0)); then return 0; fi
  database_sync
}

# Brings all that was written to the disk, once, unless the user told initdb not to.
database_sync() {
  database_sync_wanted || return 0
  startup_run database_quietly "${SINGLE_USER[@]}" initdb --sync-only -D "$PGDATA"
  ((RUN_STATUS == 0)) || die 1 "cannot bring $PGDATA to the disk, see above; check the volume"
}

# Begins: the marker, then initdb.
database_begin() {
  local hook waldir=""
  log_info "making a new database in $PGDATA"
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]] && database_folder_is_free "$POSTGRES_INITDB_WALDIR"; then
    waldir=$POSTGRES_INITDB_WALDIR
  fi
  journal_begin "$waldir"
  for hook in "${DATABASE_BEGIN_HOOKS[@]}"; do "$hook"; done
  database_initdb
}

# Goes on with a broken-off initialisation. What initdb had not finished is made again: it is nobody's work.
database_resume() {
  log_warn "an earlier initialisation was broken off and INIT_ON_INCOMPLETE is resume: going on where it ended"
  journal_has initdb && return 0
  startup_run rm -rf -- "$PGDATA/$DATABASE_STAGE"
  database_wipe_waldir
  database_begin
}

# Puts what initdb made, and what fragments add to it, where it belongs.
database_files() {
  local hook
  database_move_up
  for hook in "${DATABASE_FILES_HOOKS[@]}"; do "$hook"; done
}

# Does all that comes after initdb; every step can be done twice.
database_complete() {
  local hook
  database_files
  database_sync_begin
  database_server_start
  if ! journal_has database; then
    database_create
    journal_note database
  fi
  for hook in "${DATABASE_HOOKS[@]}"; do "$hook"; done
  userscripts_run
  database_server_stop || die 1 "the temporary server did not stop well, see its lines above"
  database_sync_end
  journal_end
  DATABASE_MADE=yes
  log_info "PostgreSQL init process complete; ready for start up."
}

# Checks all there is to check before the first write: what cannot work must leave no half-made folder.
database_prepare() {
  database_check_settings
  userscripts_check
  preflight_shm
  if [[ $1 == new ]]; then preflight_space new; fi
  init_config "${@:2}"
  single_prepare_user
  database_warn_trust
}

# Makes sure of a cluster that is there.
database_adopt() {
  preflight_version
  preflight_files
  preflight_pidfile
  preflight_space cluster
  preflight_shm
  # Left by a kill after the last step.
  if [[ -e $PGDATA/$DATABASE_JOURNAL ]]; then rm -f -- "$PGDATA/$DATABASE_JOURNAL"; fi
  log_info "PostgreSQL Database directory appears to contain a database; Skipping initialization"
}

# Gives 0 if a fragment said that nothing is to be made now of what is in PGDATA; needs that and the command.
database_is_decided() {
  [[ -n $DATABASE_DECIDER ]] || return 1
  "$DATABASE_DECIDER" "$@"
}

# Runs the step; needs the container's command.
init_database() {
  database_split_args "$@"
  POSTGRES_USER=${POSTGRES_USER:-postgres}
  POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  export POSTGRES_USER POSTGRES_DB
  preflight_lock
  database_state
  local state=$REPLY
  if [[ $state != cluster && $state != incomplete ]] && database_is_decided "$state" "$@"; then return 0; fi
  case $state in
    cluster)
      database_adopt
      return 0
      ;;
    foreign) database_refuse_foreign ;;
    incomplete)
      database_judge_incomplete
      local what=$REPLY
      database_prepare incomplete "$@"
      if [[ $what == resume ]]; then
        database_resume
      else
        database_wipe_incomplete
        if [[ -n $DATABASE_DECIDER ]]; then
          journal_end
          return 0
        fi
        database_begin
      fi
      ;;
    new)
      database_prepare new "$@"
      database_begin
      ;;
  esac
  database_complete
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
