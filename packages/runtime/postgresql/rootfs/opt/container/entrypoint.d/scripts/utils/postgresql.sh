#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What the scripts of this fragment share: the server's command line, its version, the temporary server, psql.

# Where the server puts its socket; the place that libpq looks at by itself in Debian's packages.
DATABASE_SOCKETS=${DATABASE_SOCKETS:-/var/run/postgresql}
DATABASE_SOCKETS_HOME=$DATABASE_SOCKETS
POSTGRES_OWN_ARGS=()    # options of fragments that stand above those of the command
DATABASE_SERVER_ARGS=() # options of fragments for the temporary server alone
DATABASE_SERVER_PID=""  # the temporary server of the initialisation

# Gives POSTGRES_COMMAND, POSTGRES_ARGS and, taken out of them, POSTGRES_CONFIG_FILE; needs the container's command.
# The user's configuration file is included by ours, so it must not replace ours.
database_split_args() {
  local option name value
  POSTGRES_COMMAND=${1:-postgres} POSTGRES_ARGS=() POSTGRES_CONFIG_FILE=""
  shift || :
  while (($# > 0)); do
    option=$1
    shift
    case $option in
      -c | -D)
        (($# > 0)) || die 2 "server option $option: expected a value after it, found the end of the command; add it"
        value=$1
        shift
        option=${option:1:1}
        ;;
      -c?* | -D?*)
        value=${option:2}
        option=${option:1:1}
        ;;
      --?*=*)
        value=${option:2}
        option=c
        ;;
      *)
        POSTGRES_ARGS+=("$option")
        continue
        ;;
    esac
    if [[ $option == D ]]; then
      database_check_folder_option "$value"
      continue
    fi
    name=${value%%=*}
    if [[ ${name//-/_} == config_file ]]; then
      POSTGRES_CONFIG_FILE=${value#*=}
    else
      POSTGRES_ARGS+=(-c "$value")
    fi
  done
  POSTGRES_ARGS+=("${POSTGRES_OWN_ARGS[@]}")
  # Last, so that it counts: it includes what any other place names.
  if [[ -n ${HBA_WRITTEN-} ]]; then POSTGRES_ARGS+=(-c "hba_file=$HBA_WRITTEN"); fi
}

# Refuses a data folder on the command line that is not PGDATA: half of what runs here would miss it.
database_check_folder_option() {
  [[ ${1%/} == "$PGDATA" ]] || die 2 "server option -D: expected '$PGDATA' (PGDATA), found '$1'; set PGDATA instead"
}

# Gives 0 if a folder holds nothing but lost+found, and perhaps entries of the names given second, with | between them.
database_folder_is_free() {
  local entry
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [[ ! -e $entry && ! -L $entry ]]; then continue; fi
    [[ "|lost+found|${2-}|" == *"|${entry##*/}|"* ]] || return 1
  done
}

# Gives in REPLY the server's major version: from the image's PG_MAJOR, else from the server.
database_server_major() {
  REPLY=${PG_MAJOR-}
  [[ -z $REPLY ]] || return 0
  type -P postgres >/dev/null || die 4 "the server is missing, expected a program postgres in $PATH; rebuild the image"
  REPLY=$(postgres -V)
  REPLY=${REPLY#*) }
  REPLY=${REPLY%%[!0-9]*}
}

# Gives 0 once the server with that number says in its lock file that it takes connections.
database_is_ready() {
  local -a lines=()
  [[ -r $PGDATA/postmaster.pid ]] || return 1
  mapfile -t lines 2>/dev/null <"$PGDATA/postmaster.pid" || return 1
  [[ ${lines[0]-} == "$1" && ${lines[7]-} == ready* ]]
}

# Gives in REPLY the number in the server's lock file, or nothing.
database_lock_pid() {
  REPLY=""
  if [[ -r $PGDATA/postmaster.pid ]]; then read -r REPLY 2>/dev/null <"$PGDATA/postmaster.pid" || :; fi
  [[ $REPLY =~ ^[0-9]+$ ]] || REPLY=""
}

# Starts the temporary server: socket only, so that nobody from outside meets a half-made database.
# Unless initdb's files are brought to the disk meanwhile, it does not sync: database_sync does that once, before the marker goes.
# Nothing is archived before there is a stanza.
database_server_start() {
  local fsync=off
  if [[ -n ${DATABASE_SYNC_PID-} ]]; then fsync=on; fi
  preflight_clear_locks
  startup_spawn "$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" \
    -c listen_addresses= -c "unix_socket_directories=$DATABASE_SOCKETS" -c "hba_file=$PGDATA/pg_hba.conf" \
    -c "fsync=$fsync" -c archive_mode=off "${DATABASE_SERVER_ARGS[@]}" -p "${PGPORT:-5432}"
  DATABASE_SERVER_PID=$SPAWNED_PID
  ABORT_HOOKS+=(database_server_stop)
  until database_is_ready "$DATABASE_SERVER_PID"; do
    startup_checkpoint
    kill -0 "$DATABASE_SERVER_PID" 2>/dev/null \
      || die 1 "the server did not start to initialise the database, see its lines above; correct what they name"
    startup_pause 0.01
  done
}

# Stops the temporary server fast, if it runs; gives 1 if it did not end well.
database_server_stop() {
  local pid=$DATABASE_SERVER_PID signal=INT adopted=""
  [[ -n $pid ]] || return 0
  DATABASE_SERVER_PID=""
  # An init script may have restarted it: that server is no child of this shell.
  database_lock_pid
  if [[ -n $REPLY && $REPLY != "$pid" ]]; then pid=$REPLY adopted=yes; fi
  if [[ $STOP_SIGNAL == QUIT ]]; then signal=QUIT; fi
  kill "-$signal" "$pid" 2>/dev/null || :
  # Again, because a process that had still to become the server could have missed it.
  if ! startup_wait_until "$pid" 1; then
    kill "-$signal" "$pid" 2>/dev/null || :
    if ! startup_wait_until "$pid" "${TIMEOUT:-30}"; then
      log_error "the temporary server did not stop within TIMEOUT=${TIMEOUT:-30} s and is killed"
      kill -KILL "$pid" 2>/dev/null || :
      startup_reap "$pid"
      return 1
    fi
  fi
  [[ -n $adopted ]] || return "$WAIT_STATUS"
}

# Lets what connects from init find the temporary server and no other; changes the environment of the shell.
database_client_env() {
  unset -v PGHOST PGHOSTADDR
  if [[ $DATABASE_SOCKETS != "$DATABASE_SOCKETS_HOME" ]]; then export PGHOST=$DATABASE_SOCKETS; fi
  # Only needed if POSTGRES_INITDB_ARGS asks for passwords on the socket.
  if [[ -n ${POSTGRES_PASSWORD-} ]]; then export PGPASSWORD=$POSTGRES_PASSWORD; fi
}

# Runs psql as the official image's function of this name, which sourced init scripts call; needs SQL on stdin or -f.
# The database goes by the environment: as an option, a name with = in it would be read as a connection string.
docker_process_sql() {
  (
    database_client_env
    export PGDATABASE=${POSTGRES_DB-}
    exec psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username="$POSTGRES_USER" "$@"
  )
}
