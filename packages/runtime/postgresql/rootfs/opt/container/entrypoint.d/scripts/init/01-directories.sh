#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 01: the folders exist and are ours. As root it makes them so, as any other user it says what is wrong.

DIRECTORIES_LEGACY=${DIRECTORIES_LEGACY:-/usr/local/pgsql/data} # where the image before this one kept its data
DIRECTORIES_DEFAULT=${DIRECTORIES_DEFAULT:-/var/lib/postgresql/data}

# Uses the data folder of the image before this one, if PGDATA is where it is by itself and empty, and a cluster lies there.
directories_find_legacy() {
  [[ $PGDATA == "$DIRECTORIES_DEFAULT" && -d $DIRECTORIES_LEGACY ]] || return 0
  if [[ ! -x $DIRECTORIES_LEGACY ]]; then
    directories_refuse "$DIRECTORIES_LEGACY" "in which user $EUID may not look for a cluster"
  fi
  [[ -e $DIRECTORIES_LEGACY/PG_VERSION ]] || return 0
  if [[ -e $PGDATA/PG_VERSION ]]; then
    log_warn "there are clusters in $PGDATA and in $DIRECTORIES_LEGACY: using the first; set PGDATA to use the other"
    return 0
  fi
  log_info "using the cluster in $DIRECTORIES_LEGACY; set PGDATA=$DIRECTORIES_LEGACY to say so yourself"
  PGDATA=$DIRECTORIES_LEGACY
  export PGDATA
}

# Gives in REPLY where a folder really is; needs its path.
directories_resolve() {
  REPLY=$1
  if [[ -d $1 ]]; then REPLY=$(cd -P -- "$1" && pwd -P) || REPLY=$1; fi
}

# Makes a folder and gives it to the server's user; needs root, PATH and the name of the variable it comes from.
directories_give() {
  local folder name=$2
  directories_resolve "$1"
  folder=$REPLY
  security_safe_folder "$folder" \
    || die 2 "$name: expected a folder for data alone, found '$folder', which belongs to the system; choose another"
  mkdir -p -- "$folder" && security_own "$folder" && return 0
  log_warn "cannot give $folder to user $SECURITY_UID (a read-only or foreign file system, or no capability CHOWN)"
}

# Makes and gives away all folders; needs root.
directories_as_root() {
  local link
  directories_give "$PGDATA" PGDATA
  # The cluster's log and its tablespaces may lie elsewhere.
  for link in "$PGDATA"/pg_wal "$PGDATA"/pg_tblspc/*; do
    if [[ -L $link && -d $link ]]; then directories_give "$link" "the folder behind $link"; fi
  done
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then directories_give "$POSTGRES_INITDB_WALDIR" POSTGRES_INITDB_WALDIR; fi
  [[ -d $DATABASE_SOCKETS ]] || mkdir -p -- "$DATABASE_SOCKETS" 2>/dev/null || return 0
  if ! chown "$SECURITY_UID:$SECURITY_GID" "$DATABASE_SOCKETS" 2>/dev/null || ! chmod 3777 "$DATABASE_SOCKETS"; then
    log_debug "cannot give $DATABASE_SOCKETS to user $SECURITY_UID"
  fi
}

# Uses a folder inside PGDATA if PGDATA can be written but belongs to somebody else, as a volume of Kubernetes with
# fsGroup or a fresh Docker volume under --user does: the server insists on owning its data folder.
directories_use_subfolder() {
  local outer=$PGDATA
  PGDATA=$outer/pgdata
  [[ -d $PGDATA ]] || mkdir -- "$PGDATA"
  export PGDATA
  log_warn "$outer belongs to another user than $EUID, and PostgreSQL must own its data: using $PGDATA;" \
    "set PGDATA=$PGDATA to say so yourself"
}

# Ends with a sentence about a folder that we cannot use; needs PATH and what was found.
directories_refuse() {
  die 3 "PGDATA: expected a folder that user $EUID owns and can write, found '$1', $2;" \
    "as root on the host run: chown -R $EUID <the folder or volume>, or start the container once with --user root"
}

# Checks PGDATA, makes it if need be, and narrows its mode to what the server accepts.
directories_check_pgdata() {
  if [[ -e $PGDATA && ! -d $PGDATA ]]; then directories_refuse "$PGDATA" "which is no folder"; fi
  if [[ ! -d $PGDATA ]] && ! mkdir -p -- "$PGDATA" 2>/dev/null; then
    directories_refuse "$PGDATA" "which does not exist and cannot be made"
  fi
  if [[ ! -O $PGDATA ]]; then
    if [[ ! -w $PGDATA || ! -x $PGDATA ]]; then directories_refuse "$PGDATA" "which belongs to another user"; fi
    if ! database_folder_is_free "$PGDATA" pgdata; then directories_refuse "$PGDATA" "whose files belong to another user"; fi
    directories_use_subfolder
  fi
  if ! chmod u+rwx,g-w,o-rwx -- "$PGDATA" 2>/dev/null || [[ ! -w $PGDATA ]]; then
    directories_refuse "$PGDATA" "which is read-only"
  fi
}

# Gives in DATABASE_SOCKETS a folder for the socket, /tmp where the usual one cannot be made (read-only root).
directories_find_sockets() {
  [[ -d $DATABASE_SOCKETS ]] || mkdir -p -- "$DATABASE_SOCKETS" 2>/dev/null || :
  if [[ -d $DATABASE_SOCKETS && -w $DATABASE_SOCKETS ]]; then return 0; fi
  [[ -w /tmp ]] || die 3 "no folder for the server's socket: expected $DATABASE_SOCKETS or /tmp to be writable for" \
    "user $EUID, found neither; with --read-only add --tmpfs /run --tmpfs /tmp"
  log_info "the socket goes to /tmp, because $DATABASE_SOCKETS cannot be written; connect with psql -h /tmp"
  DATABASE_SOCKETS=/tmp
}

# Runs the step.
init_directories() {
  directories_find_legacy
  if ((EUID == 0)); then
    directories_as_root
  else
    directories_check_pgdata
    directories_find_sockets
  fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
