#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What would keep the server from working, found before it starts and said in one sentence; nothing is changed.

PREFLIGHT_PROC=${PREFLIGHT_PROC:-/proc}
PREFLIGHT_NEW_MB=64 # what a new cluster takes: 40 MB after initdb, 16 MB for the next segment of the log
PREFLIGHT_SHM_MB=64 # what an engine gives by itself

# Keeps a second container out of a cluster in use.
preflight_lock() { folders_lock "$PGDATA" "the cluster"; }

# Gives 0 if a process of that number is a server on our folder or one that we cannot look at.
preflight_is_server() {
  local name=""
  kill -0 "$1" 2>/dev/null || [[ -d $PREFLIGHT_PROC/$1 ]] || return 1
  read -r name <"$PREFLIGHT_PROC/$1/comm" || :
  [[ $name == postgres ]]
}

# Refuses a lock file whose server is alive here.
preflight_pidfile() {
  database_lock_pid
  [[ -n $REPLY ]] || return 0
  if preflight_is_server "$REPLY"; then
    die 1 "postmaster.pid: expected no server on $PGDATA, found one that runs as process $REPLY; stop it first"
  fi
  log_info "the last server was not shut down (its lock file names process $REPLY, which is none); it recovers by itself"
}

# Removes the lock files of a server that is dead, right before one starts: the number in them may be another process
# here, and the server would take that one for the old server. Those of the sockets name the folder that they are about.
preflight_clear_locks() {
  local -a lines=()
  local folder file
  if [[ -r $PGDATA/postmaster.pid ]]; then mapfile -t lines 2>/dev/null <"$PGDATA/postmaster.pid" || :; fi
  for folder in "$DATABASE_SOCKETS" "${lines[4]-}"; do
    for file in "${folder:-$DATABASE_SOCKETS}"/.s.PGSQL.*.lock; do preflight_clear_socket "$file"; done
  done
  database_lock_pid
  if [[ -n $REPLY ]] && ! preflight_is_server "$REPLY"; then rm -f -- "$PGDATA/postmaster.pid"; fi
}

# Removes the lock file of a socket if a dead server on our folder left it; nobody else serves that, we hold its lock.
preflight_clear_socket() {
  local -a lines=()
  if [[ -r $1 ]]; then mapfile -t lines 2>/dev/null <"$1" || :; fi
  if [[ ${lines[1]-} == "$PGDATA" && ${lines[0]} =~ ^[0-9]+$ ]] && ! preflight_is_server "${lines[0]}"; then
    rm -f -- "$1" 2>/dev/null || log_debug "cannot remove $1, which a dead server left"
  fi
}

# Refuses a disk without room; needs what is going to happen: new or cluster.
preflight_space() {
  local folder=$PGDATA
  if [[ $1 != new ]]; then
    folders_check_space "$folder" "$PREFLIGHT_NEW_MB" "never delete files of pg_wal by hand"
    return 0
  fi
  if [[ -n ${POSTGRES_INITDB_WALDIR-} && -d $POSTGRES_INITDB_WALDIR ]]; then folder=$POSTGRES_INITDB_WALDIR; fi
  folders_free_mb "$folder" || return 0
  ((REPLY >= PREFLIGHT_NEW_MB)) \
    || die 1 "not enough space for a new cluster in $folder: expected at least $PREFLIGHT_NEW_MB MB, found $REPLY MB free;" \
      "look with docker system df, free some (docker system prune), or mount a larger volume"
}

# Gives in REPLY a size as PostgreSQL writes it (8MB, 1GB, a plain number of kB) in MB; 4 if it cannot be read.
preflight_size_mb() {
  REPLY=4
  [[ $1 =~ ^\ *\'?([0-9]{1,9})\ *([kMGT]?B?)\'?\ *$ ]] || return 0
  REPLY=$((10#${BASH_REMATCH[1]}))
  case ${BASH_REMATCH[2]} in
    B) REPLY=$((REPLY / 1048576)) ;;
    kB | "") REPLY=$((REPLY / 1024)) ;;
    GB) REPLY=$((REPLY * 1024)) ;;
    TB) REPLY=$((REPLY * 1048576)) ;;
  esac
}

# Warns if /dev/shm is too small for what parallel queries put there: work_mem for the leader and two workers, doubled
# for hashes (hash_mem_multiplier).
preflight_shm() {
  local device folder type options size needed
  while read -r device folder type options _; do
    [[ $folder == /dev/shm ]] || continue
    [[ ,$options, =~ ,size=([0-9]+)k, ]] || return 0
    size=$((BASH_REMATCH[1] / 1024))
    preflight_size_mb "${POSTGRESQL_WORK_MEM:-4MB}"
    needed=$((REPLY * 6))
    if ((needed < PREFLIGHT_SHM_MB)); then needed=$PREFLIGHT_SHM_MB; fi
    ((size >= needed)) || log_warn "/dev/shm has $size MB, expected at least $needed MB: larger parallel queries will fail" \
      "with 'could not resize shared memory segment'; start the container with --shm-size=${needed}m (compose: shm_size)"
    return 0
  done <"$PREFLIGHT_PROC/mounts"
}

# Refuses a cluster some of whose files are another user's: the server would end halfway with less to say.
preflight_files() {
  local name
  for name in PG_VERSION postgresql.conf pg_hba.conf global global/pg_control base pg_wal; do
    if [[ ! -e $PGDATA/$name || -O $PGDATA/$name ]]; then continue; fi
    die 3 "PGDATA: expected every file to belong to user $EUID, found $PGDATA/$name, which belongs to another;" \
      "on the host run: chown -R $EUID <the folder or volume>, or start the container once with --user root"
  done
}

# Refuses data of another major version.
preflight_version() {
  local found server
  read -r found <"$PGDATA/PG_VERSION" || :
  database_server_major
  server=$REPLY
  [[ $found == "$server" ]] || die 2 "PGDATA: expected a cluster of PostgreSQL $server, found one of '$found' in $PGDATA;" \
    "run an image of version $found, or move the data with pg_dump or pg_upgrade; nothing was changed"
}
