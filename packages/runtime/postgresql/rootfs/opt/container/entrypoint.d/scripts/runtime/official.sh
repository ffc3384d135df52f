#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# The functions of the official image's entrypoint, for scripts that source it and call them one by one.
# https://github.com/docker-library/postgres: their names and what they are for are a contract that wrappers rely on.

# Gives 0 if a script sourced us.
_is_sourced() { ((${#FUNCNAME[@]} >= 2)) && [[ ${FUNCNAME[0]} == _is_sourced && ${FUNCNAME[1]} == source ]]; }

# Sets and exports a variable from itself, its file, or a default; needs the name.
file_env() {
  local name=$1 file="${1}_FILE" value=${2-}
  if [[ -n ${!name-} && -n ${!file-} ]]; then
    die 2 "$name and $file are both set, expected one of them; leave the other out"
  elif [[ -n ${!name-} ]]; then
    value=${!name}
  elif [[ -n ${!file-} ]]; then
    ENV_ERRORS=()
    env_read_file "$name" "${!file}" || die 2 "${ENV_ERRORS[0]}"
    value=$REPLY
  fi
  export "$name"="$value"
  unset -v "$file"
}

# Reads and checks the environment, and says in DATABASE_ALREADY_EXISTS whether there is a cluster.
docker_setup_env() {
  local file
  env_load "$ENTRYPOINT_CONTRACTS"
  env_report || exit 2
  env_export
  entrypoint_prepare_state
  for file in "$ENTRYPOINT_SCRIPTS"/init/[0-9][0-9]-*.sh; do
    # shellcheck source=/dev/null
    if [[ -f $file ]]; then source "$file"; fi
  done
  POSTGRES_USER=${POSTGRES_USER:-postgres}
  POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  export POSTGRES_USER POSTGRES_DB
  # shellcheck source=/dev/null
  source "$ENTRYPOINT_SCRIPTS/runtime/modes/postgres.sh"
  database_split_args postgres
  DATABASE_ALREADY_EXISTS=""
  if [[ -s $PGDATA/PG_VERSION ]]; then DATABASE_ALREADY_EXISTS=true; fi
}

# Makes the folders.
docker_create_db_directories() { init_directories; }

# Checks what a new cluster needs.
docker_verify_minimum_env() { database_check_settings; }

# Refuses what is in the folder if it is no cluster; there were other places once.
docker_error_old_databases() { :; }

# Makes the cluster, with the lines that let others connect.
docker_init_database_dir() {
  init_config postgres
  single_prepare_user
  database_begin
  database_files
}

# Adds nothing: the lines were written with the cluster.
pg_setup_hba_conf() { :; }

# Starts the temporary server; the command may be given.
docker_temp_server_start() {
  if [[ ${1-} == -* ]]; then set -- postgres "$@"; fi
  if (($# > 0)); then database_split_args "$@"; fi
  database_server_start
}

# Creates POSTGRES_DB.
docker_setup_db() { database_create; }

# Stops the temporary server; a new cluster is complete then.
docker_temp_server_stop() {
  database_server_stop
  if [[ ! -e $PGDATA/$DATABASE_MARKER ]]; then return 0; fi
  single_prepare_user
  database_sync
  journal_end
}

# Gives 0 if the command asks for help or a version.
_pg_want_help() { ! mode_postgres_wants postgres "$@"; }

# The container's whole life.
_main() { main "$@"; }
