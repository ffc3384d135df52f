#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

# Writes the lock file of a server with a number.
lock_file() {
  printf '%s\n' "$1" "$PGDATA" 1 5432 >"$PGDATA/postmaster.pid"
  owned_by_user "$PGDATA"
}

# Makes a process of that number and name.
process() {
  mkdir -p "$PREFLIGHT_PROC/$1"
  echo "$2" >"$PREFLIGHT_PROC/$1/comm"
}

@test "preflight_lock: a second container is refused" {
  local lock
  run -0 with_postgresql 'preflight_lock'
  exec {lock}<"$PGDATA"
  flock --nonblock "$lock"
  run -1 with_postgresql 'preflight_lock'
  [[ $output == *"another container uses the cluster in $PGDATA"*'docker ps --filter volume='* ]]
}

@test "preflight_is_server: a live process of that name only" {
  process 4000001 postgres
  process 4000002 sh
  mkdir "$PREFLIGHT_PROC/4000003"
  : >"$PREFLIGHT_PROC/4000003/comm"
  run -0 with_postgresql 'preflight_is_server 4000001; not preflight_is_server 4000002; not preflight_is_server 4000003; not preflight_is_server 4000004'
}

@test "preflight_pidfile: a server that runs is refused, one that is gone is told of" {
  run -0 with_postgresql 'preflight_pidfile'
  [ -z "$output" ]
  lock_file 4000001
  run -0 with_postgresql 'preflight_pidfile'
  [[ $output == *'its lock file names process 4000001, which is none'* ]]
  process 4000001 postgres
  run -1 with_postgresql 'preflight_pidfile'
  [[ $output == *'found one that runs as process 4000001; stop it first'* ]]
}

@test "preflight_clear_locks: only that of a server that is dead" {
  run -0 with_postgresql 'preflight_clear_locks'
  lock_file 4000001
  process 4000001 postgres
  run -0 with_postgresql 'preflight_clear_locks'
  [ -e "$PGDATA/postmaster.pid" ]
  process 4000001 sh
  run -0 with_postgresql 'preflight_clear_locks'
  [ ! -e "$PGDATA/postmaster.pid" ]
}

@test "preflight_clear_locks: those of sockets too, in our folder for them and in the one that the server names" {
  local ours=$BATS_TEST_TMPDIR/ours theirs="$BATS_TEST_TMPDIR/an other"
  mkdir -m 777 "$ours" "$theirs"
  printf '%s\n' 4000001 "$PGDATA" 1 5432 "$theirs" >"$PGDATA/postmaster.pid"
  printf '%s\n' 4000001 "$PGDATA" | tee "$ours/.s.PGSQL.5432.lock" >"$theirs/.s.PGSQL.6000.lock"
  process 4000001 sh
  run -0 with_postgresql "DATABASE_SOCKETS='$ours'; preflight_clear_locks"
  [ ! -e "$ours/.s.PGSQL.5432.lock" ]
  [ ! -e "$theirs/.s.PGSQL.6000.lock" ]
  [ ! -e "$PGDATA/postmaster.pid" ]
}

@test "preflight_clear_socket: never one of another folder, of a server that runs, or that is no lock file" {
  local lock=$BATS_TEST_TMPDIR/.s.PGSQL.5432.lock
  run -0 with_postgresql 'preflight_clear_socket /none'
  printf '%s\n' 4000001 /elsewhere >"$lock"
  run -0 with_postgresql "preflight_clear_socket '$lock'"
  [ -e "$lock" ]
  printf '%s\n' x "$PGDATA" >"$lock"
  run -0 with_postgresql "preflight_clear_socket '$lock'"
  [ -e "$lock" ]
  printf '%s\n' 4000001 "$PGDATA" >"$lock"
  process 4000001 postgres
  run -0 with_postgresql "preflight_clear_socket '$lock'"
  [ -e "$lock" ]
}

@test "preflight_clear_socket: what cannot be removed is no failure" {
  local folder=$BATS_TEST_TMPDIR/closed
  mkdir "$folder"
  printf '%s\n' 4000001 "$PGDATA" >"$folder/.s.PGSQL.5432.lock"
  chmod 755 "$folder/.s.PGSQL.5432.lock"
  chmod 555 "$folder"
  run -0 with_postgresql "preflight_clear_socket '$folder/.s.PGSQL.5432.lock'"
  chmod 755 "$folder"
  [ -e "$folder/.s.PGSQL.5432.lock" ]
}

@test "preflight_space: refused for a new cluster, refused when full, a warning in between" {
  local fake='folders_free_mb() { echo "asked $1"; REPLY=$FREE; [[ -n $FREE ]]; }; '
  FREE=63 run -1 with_postgresql "$fake"'preflight_space new'
  [[ $output == *"asked $PGDATA"*'at least 64 MB, found 63 MB free'* ]]
  FREE=64 run -0 with_postgresql "$fake"'preflight_space new; preflight_space cluster'
  [[ $output != *WARN* ]]
  FREE=63 run -0 with_postgresql "$fake"'preflight_space cluster'
  [[ $output == *WARN*'almost full: 63 MB left'* ]]
  FREE=0 run -1 with_postgresql "$fake"'preflight_space cluster'
  [[ $output == *'is full, so the server could not even start'* ]]
  FREE='' run -0 with_postgresql "$fake"'preflight_space new'
  FREE=0 POSTGRES_INITDB_WALDIR=$DATABASE_SOCKETS run -1 with_postgresql "$fake"'preflight_space new'
  [[ $output == *"asked $DATABASE_SOCKETS"* ]]
}

@test "preflight_size_mb: as the server reads sizes; the default for what is none" {
  run -0 with_postgresql 'for size in 8MB 2048 2048kB 8388608B 1GB 1TB " '"'64 MB'"' " 0100MB x -1 ""; do preflight_size_mb "$size"; echo -n "$REPLY "; done'
  [ "$output" = '8 2 2 8 1024 1048576 64 100 4 4 4 ' ]
}

@test "preflight_shm: a warning with the option that mends it" {
  run -0 with_postgresql 'preflight_shm'
  [ -z "$output" ]
  printf '%s\n' 'proc /proc proc rw 0 0' 'shm /dev/shm tmpfs rw,nosuid,size=65536k,inode64 0 0' >"$PREFLIGHT_PROC/mounts"
  run -0 with_postgresql 'preflight_shm'
  [ -z "$output" ]
  POSTGRESQL_WORK_MEM=64MB run -0 with_postgresql 'preflight_shm'
  [[ $output == *WARN*'/dev/shm has 64 MB, expected at least 384 MB'*'--shm-size=384m'* ]]
  echo 'shm /dev/shm tmpfs rw,size=1024k 0 0' >"$PREFLIGHT_PROC/mounts"
  run -0 with_postgresql 'preflight_shm'
  [[ $output == *WARN*'/dev/shm has 1 MB, expected at least 64 MB'* ]]
  echo 'shm /dev/shm tmpfs rw 0 0' >"$PREFLIGHT_PROC/mounts"
  run -0 with_postgresql 'preflight_shm'
  [ -z "$output" ]
}

@test "preflight_files: a file of another user is named" {
  make_cluster 17
  run -0 with_postgresql 'preflight_files'
  ln -s /etc/passwd "$PGDATA/postgresql.conf"
  run -3 with_postgresql 'preflight_files'
  [[ $output == *"found $PGDATA/postgresql.conf, which belongs to another"*'chown -R'* ]]
}

@test "preflight_version: the same passes, another is refused" {
  make_cluster 17
  run -0 with_postgresql 'preflight_version'
  make_cluster '15$(x)'
  run -2 with_postgresql 'preflight_version'
  [[ $output == *"expected a cluster of PostgreSQL 17, found one of '15\$(x)'"* ]]
  printf 17 >"$PGDATA/PG_VERSION"
  run -0 with_postgresql 'preflight_version'
}
