#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  export PATRONI_ENABLE=true
  BOOTSTRAP=$CONTAINER/patroni/bootstrap.sh
  single_user
}

# Leaves what process 1 leaves: the phase, the command, the secrets and the configuration; needs the secrets as NAME=VALUE.
process_1() {
  mkdir -p "$STATE_FOLDERS/patroni"
  echo running >"$STATE_FOLDERS/phase"
  printf '%s\n' 5432 "$DATABASE_SOCKETS" '*' postgres "$PGDATA" >"$STATE_FOLDERS/postgresql.address"
  printf '%s\0' postgres -c 'x=y z' >"$STATE_FOLDERS/patroni/command"
  : >"$STATE_FOLDERS/patroni/secrets"
  if (($# > 0)); then printf '%s\0' "$@" >"$STATE_FOLDERS/patroni/secrets"; fi
  echo '# by process 1' >"$STATE_FOLDERS/postgresql.conf"
  owned_by_user "$STATE_FOLDERS"
}

@test "bootstrap.sh: makes the cluster as a single server's container does, with its database and init scripts" {
  process_1 $'POSTGRES_PASSWORD=p "w"'
  echo 'echo "script $POSTGRES_DB $PGPASSWORD"' >"$DATABASE_SCRIPTS/1.sh"
  POSTGRES_DB=app run -0 as_user "$BOOTSTRAP"
  [[ $output == *'script app p "w"'*'PostgreSQL init process complete; ready for start up.' ]]
  [ -e "$PGDATA/PG_VERSION" ]
  [ ! -e "$PGDATA/strata.initialising" ]
  [ ! -e "$PGDATA/strata.journal" ]
  run -0 cat "$CALLS"
  [[ $output == *'initdb '*'password <p "w">'*'<-c> <x=y z>'*'<--set=name=app>'*'signal INT'* ]]
}

@test "bootstrap.sh: Patroni's own options are not what initdb and the temporary server get; the configuration is process 1's" {
  process_1 POSTGRES_PASSWORD=x
  run -0 as_user "$BOOTSTRAP" --datadir=/x
  [ "$(<"$STATE_FOLDERS/postgresql.conf")" = '# by process 1' ]
  [[ $(<"$CALLS") != *datadir* && $(<"$CALLS") == *"<listen_addresses=> <-c> <unix_socket_directories=$DATABASE_SOCKETS>"* ]]
}

@test "bootstrap.sh: the secrets do not stay, and are in no argument" {
  process_1 POSTGRES_PASSWORD=hunter2
  run -0 as_user "$BOOTSTRAP"
  [ ! -e "$STATE_FOLDERS/patroni/secrets" ]
  [[ $(grep -v '^password\|pw=' "$CALLS") != *hunter2* ]]
}

@test "bootstrap.sh: the socket is where process 1 has it" {
  process_1 POSTGRES_PASSWORD=x
  mkdir -m 777 "$BATS_TEST_TMPDIR/else"
  sed -i "2s,.*,$BATS_TEST_TMPDIR/else," "$STATE_FOLDERS/postgresql.address"
  run -0 as_user "$BOOTSTRAP"
  [[ $(<"$CALLS") == *"<unix_socket_directories=$BATS_TEST_TMPDIR/else>"* ]]
}

@test "bootstrap.sh: the lock that process 1 holds on the folder is no other container's" {
  local lock
  process_1 POSTGRES_PASSWORD=x
  exec {lock}<"$PGDATA"
  flock --nonblock "$lock"
  run -0 as_user "$BOOTSTRAP"
}

@test "bootstrap.sh: while it works the phase is initialising, and stays so: process 1 sees when the cluster is one" {
  process_1 POSTGRES_PASSWORD=x
  echo 'cat "$STATE_FOLDERS/phase"' >"$DATABASE_SCRIPTS/1.sh"
  run -0 as_user "$BOOTSTRAP"
  [[ $output == *$'\ninitialising\n'* ]]
  [ "$(<"$STATE_FOLDERS/phase")" = initialising ]
}

@test "bootstrap.sh: a failure gives its code, and the folder is left as it was" {
  process_1 POSTGRES_PASSWORD=x
  INITDB_FAILS=yes run -1 as_user "$BOOTSTRAP"
  [[ $output == *'patroni-bootstrap: initdb failed with code 1'* ]]
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "bootstrap.sh: a stop ends it with the signal's code, the marker stays" {
  process_1 POSTGRES_PASSWORD=x
  echo 'kill -TERM $$; exec sleep 60 >/dev/null 2>&1 3>&-' >"$DATABASE_SCRIPTS/a.sh"
  run -143 as_user "$BOOTSTRAP"
  [ -e "$PGDATA/strata.initialising" ]
}

@test "bootstrap.sh: a second time, after one that was made already, changes nothing" {
  process_1 POSTGRES_PASSWORD=x
  make_cluster 17
  run -0 as_user "$BOOTSTRAP"
  [[ $output == *'Skipping initialization'* && $(<"$CALLS") != *initdb* ]]
}

@test "bootstrap.sh: without the state folder of process 1 it says what to do" {
  rm -rf "$STATE_FOLDERS"
  run -1 as_user "$BOOTSTRAP"
  [[ $output == *'the state folder is gone, expected the one that process 1 made; start the container anew' ]]
}
