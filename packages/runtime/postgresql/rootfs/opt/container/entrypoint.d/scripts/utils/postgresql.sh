#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What the scripts of this fragment share: the server's command line, its version, the temporary server, psql.

# Where the server puts its socket; the place that libpq looks at by itself in Debian's packages.
DATABASE_SOCKETS=${DATABASE_SOCKETS:-/var/run/postgresql}
DATABASE_SOCKETS_HOME=$DATABASE_SOCKETS
DATABASE_SERVER_PID="" # the temporary server of the initialisation

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
}

# Refuses a data folder on the command line that is not PGDATA: half of what runs here would miss it.
database_check_folder_option() {
  [[ ${1%/} == "$PGDATA" ]] || die 2 "server option -D: expected '$PGDATA' (PGDATA), found '$1'; set PGDATA instead"
}

# Gives 0 if a folder holds nothing but lost+found, and perhaps an entry of the name given second.
database_folder_is_free() {
  local entry
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [[ ! -e $entry && ! -L $entry ]]; then continue; fi
    case ${entry##*/} in
      lost+found | "${2-lost+found}") ;;
      *) return 1 ;;
    esac
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

# Starts the temporary server: socket only, so that nobody from outside meets a half-made database.
# It does not sync: database_sync does that once, before the marker goes.
database_server_start() {
  startup_spawn "$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" \
    -c listen_addresses= -c "unix_socket_directories=$DATABASE_SOCKETS" -c fsync=off -p "${PGPORT:-5432}"
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
  local pid=$DATABASE_SERVER_PID
  [[ -n $pid ]] || return 0
  DATABASE_SERVER_PID=""
  kill -INT "$pid" 2>/dev/null || :
  # Again, because a process that had still to become the server could have missed it.
  if startup_wait_until "$pid" 1; then return "$WAIT_STATUS"; fi
  kill -INT "$pid" 2>/dev/null || :
  if startup_wait_until "$pid" "${TIMEOUT:-30}"; then return "$WAIT_STATUS"; fi
  log_error "the temporary server did not stop within TIMEOUT=${TIMEOUT:-30} s and is killed"
  kill -KILL "$pid" 2>/dev/null || :
  wait "$pid" 2>/dev/null || :
  return 1
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

# Runs init scripts as the official image's function of this name, in the order given.
docker_process_init_files() {
  local file
  for file in "$@"; do
    DATABASE_SCRIPT=$file
    case $file in
      *.sh)
        log_info "running $file"
        if [[ -x $file ]]; then
          "$file"
        else
          # shellcheck source=/dev/null
          source "$file"
        fi
        ;;
      *.sql) log_info "running $file" && docker_process_sql -f "$file" ;;
      *.sql.gz) log_info "running $file" && gunzip -c "$file" | docker_process_sql ;;
      *.sql.xz) log_info "running $file" && xzcat "$file" | docker_process_sql ;;
      *.sql.zst) log_info "running $file" && zstd -dc "$file" | docker_process_sql ;;
      *) log_info "ignoring $file" ;;
    esac
  done
}

# The superuser's name during initdb where the real one comes later, and the role that renames it.
DATABASE_FIRST_OWNER=strata_first_owner
DATABASE_RENAMER=strata_renamer

# Gives 0 if the superuser gets its name after initdb, which puts the name into its SQL as it is: a double quote in it
# would break, and inject into, the SQL of initdb.
database_owner_is_late() { [[ $POSTGRES_USER == *\"* ]]; }

# Runs SQL from stdin as a role, with the superuser's name and password in the variables name and password.
# The statements hold the password, so they must not reach the server's log, whatever is logged there.
database_as_role() {
  local name=$POSTGRES_USER POSTGRES_USER=$1
  export PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1'
  # shellcheck disable=SC2016 # psql runs what is between the backquotes, where the password is in the environment
  { printf '%s\n' '\set password `printf %s "$PGPASSWORD"`' && cat; } \
    | docker_process_sql --quiet --dbname=postgres --set="name=$name"
}

# Gives the superuser its name and password after initdb; no role can rename itself, so there is one for it.
database_rename_owner() {
  database_owner_is_late || return 0
  startup_run database_as_role "$DATABASE_FIRST_OWNER" <<<"CREATE ROLE $DATABASE_RENAMER SUPERUSER LOGIN;"
  if ((RUN_STATUS == 0)); then
    startup_run database_as_role "$DATABASE_RENAMER" <<<"ALTER ROLE $DATABASE_FIRST_OWNER RENAME TO :\"name\";"
  fi
  if ((RUN_STATUS == 0)); then
    startup_run database_as_role "$POSTGRES_USER" \
      <<<"DROP ROLE $DATABASE_RENAMER; SELECT :'password' <> '' AS given \gset
\\if :given
ALTER ROLE :\"name\" PASSWORD :'password';
\\endif"
  fi
  ((RUN_STATUS == 0)) || die 1 "cannot name the superuser '$POSTGRES_USER' (POSTGRES_USER), see above; choose another name"
}
