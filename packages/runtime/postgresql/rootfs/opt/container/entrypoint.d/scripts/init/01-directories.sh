#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 01: the folders exist and are ours. As root it makes them so, as any other user it says what is wrong.

DIRECTORIES_LEGACY=${DIRECTORIES_LEGACY:-/usr/local/pgsql/data} # where the image before this one kept its data
DIRECTORIES_DEFAULT=${DIRECTORIES_DEFAULT:-/var/lib/postgresql/data}

# Uses the data folder of the image before this one, if PGDATA is where it is by itself and empty, and a cluster lies there.
directories_find_legacy() {
  [[ $PGDATA == "$DIRECTORIES_DEFAULT" && -d $DIRECTORIES_LEGACY ]] || return 0
  if [[ ! -x $DIRECTORIES_LEGACY ]]; then
    folders_refuse "$DIRECTORIES_LEGACY" "in which user $EUID may not look for a cluster" PGDATA
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

# Makes and gives away all folders; needs root.
directories_as_root() {
  local link
  folders_give "$PGDATA" PGDATA
  # The cluster's log and its tablespaces may lie elsewhere.
  for link in "$PGDATA"/pg_wal "$PGDATA"/pg_tblspc/*; do
    if [[ -L $link && -d $link ]]; then folders_give "$link" "the folder behind $link"; fi
  done
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then folders_give "$POSTGRES_INITDB_WALDIR" POSTGRES_INITDB_WALDIR; fi
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

# Checks PGDATA, makes it if need be, and narrows its mode to what the server accepts.
directories_check_pgdata() {
  folders_make "$PGDATA" PGDATA
  if [[ ! -O $PGDATA ]]; then
    if [[ ! -w $PGDATA || ! -x $PGDATA ]]; then folders_refuse "$PGDATA" "which belongs to another user" PGDATA; fi
    if ! database_folder_is_free "$PGDATA" pgdata; then folders_refuse "$PGDATA" "whose files belong to another user" PGDATA; fi
    directories_use_subfolder
  fi
  if ! chmod u+rwx,g-w,o-rwx -- "$PGDATA" 2>/dev/null || [[ ! -w $PGDATA ]]; then
    folders_refuse "$PGDATA" "which is read-only" PGDATA
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
