#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  DIR=$STATE_FOLDERS/patroni
  mkdir -p "$DIR/bin"
  ln -s "$PATRONI_HOME/bin/postgres" "$DIR/bin/postgres"
  stub server <<<'printf "server"; printf " <%s>" "$@"; echo; env | grep ^WRAPPED || :'
  printf '%s\0' "$STUBS/server" -c 'a=b c' >"$DIR/server"
  printf '\0' >"$DIR/user"
  owned_by_user "$STATE_FOLDERS"
}

# Runs our own postgres as Patroni does.
run_postgres() { as_user "$DIR/bin/postgres" "$@"; }

# Writes what a server before 16 has beside its file of who may connect; needs where the cluster's own is.
head_and_base() {
  printf '# head\nhost replication "r" all md5\n\n# the user'"'"'s own\n' >"$STATE_FOLDERS/pg_hba.head"
  printf '%s' "$1" >"$STATE_FOLDERS/pg_hba.base"
  echo old >"$STATE_FOLDERS/pg_hba.conf"
  owned_by_user "$STATE_FOLDERS"
}

@test "postgres: the command's options come before Patroni's, which so count more" {
  run -0 run_postgres -D "$PGDATA" --config_file=/x --port=5433 --cluster_name='the "main"'
  [ "$output" = "server <-c> <a=b c> <-D> <$PGDATA> <--config_file=/x> <--port=5433> <--cluster_name=the \"main\">" ]
  printf '%s\0' "$STUBS/server" >"$DIR/server"
  run -0 run_postgres -D "$PGDATA"
  [ "$output" = "server <-D> <$PGDATA>" ]
}

@test "postgres: a question is the server's alone" {
  run -0 run_postgres --version
  [ "$output" = 'server <--version>' ]
  run -0 run_postgres
  [ "$output" = 'server <>' ]
}

@test "postgres: in single-user mode for a user without a name, the words that give it one come first" {
  run -0 run_postgres --single -D "$PGDATA" -c x=y template1
  [ "$output" = "server <--single> <-D> <$PGDATA> <-c> <x=y> <template1>" ]
  printf '%s\0' env 'WRAPPED=a b' >"$DIR/user"
  run -0 run_postgres --single -D "$PGDATA"
  [ "$output" = "server <--single> <-D> <$PGDATA>"$'\nWRAPPED=a b' ]
  run -0 run_postgres -D "$PGDATA"
  [[ $output != *WRAPPED* ]]
}

@test "postgres: the lock on the folder is process 1's" {
  local lock
  exec {lock}<"$PGDATA"
  flock --nonblock "$lock"
  printf '/proc/%s/fd/%s' "$$" "$lock" >"$DIR/lock"
  chmod a+r "$DIR/lock"
  # As root the tests' user may not look there: a link to the folder says the same.
  if ((EUID == 0)); then printf '%s' "$PGDATA" >"$DIR/lock"; fi
  run -0 run_postgres -D "$PGDATA"
}

@test "postgres: on a folder that Patroni made anew the server holds the lock; another container's ends it" {
  local lock
  stub server <<<'flock --nonblock "$PGDATA" true && echo free || echo locked'
  run -0 run_postgres -D "$PGDATA"
  [ "$output" = locked ]
  mkdir "$BATS_TEST_TMPDIR/older"
  printf '%s' "$BATS_TEST_TMPDIR/older" >"$DIR/lock"
  run -0 run_postgres -D "$PGDATA"
  [ "$output" = locked ]
  run -0 flock --nonblock "$PGDATA" true
  exec {lock}<"$PGDATA"
  flock --nonblock "$lock"
  run -1 run_postgres -D "$PGDATA"
  [[ $output == *"ERROR patroni-postgres: another container uses the cluster in $PGDATA, expected it to be alone"* ]]
}

@test "postgres: a file system without locks is no reason not to start" {
  stub flock <<<'echo "no locks available" >&2; exit 1'
  run -0 run_postgres -D "$PGDATA"
  [[ $output == 'server '* ]]
}

@test "postgres: the server's code is its own" {
  stub server <<<'exit 7'
  run -7 run_postgres -D "$PGDATA"
}

@test "postgres: the file of who may connect is written anew with the lines that came with the data, for its owner alone" {
  echo 'host all all all scram-sha-256' >"$PGDATA/pg_hba.conf"
  head_and_base "$PGDATA/pg_hba.conf"
  run -0 run_postgres -D "$PGDATA"
  [ "$(<"$STATE_FOLDERS/pg_hba.conf")" = '# head
host replication "r" all md5

# the user'"'"'s own
# from '"$PGDATA"'/pg_hba.conf
host all all all scram-sha-256' ]
  [ "$(stat -c %a "$STATE_FOLDERS/pg_hba.conf")" = 600 ]
  [ ! -e "$STATE_FOLDERS/pg_hba.conf.new" ]
}

@test "postgres: again at the next start, with what the file says then" {
  echo one >"$PGDATA/pg_hba.conf"
  head_and_base "$PGDATA/pg_hba.conf"
  run -0 run_postgres -D "$PGDATA"
  echo two >"$PGDATA/pg_hba.conf"
  run -0 run_postgres -D "$PGDATA"
  [[ $(<"$STATE_FOLDERS/pg_hba.conf") == '# head'*$'\ntwo' && $(<"$STATE_FOLDERS/pg_hba.conf") != *one* ]]
}

@test "postgres: the file stays as it is where there is no copy in it, or nothing to copy, and for a question" {
  echo mine >"$STATE_FOLDERS/pg_hba.conf"
  run -0 run_postgres -D "$PGDATA"
  [ "$(<"$STATE_FOLDERS/pg_hba.conf")" = mine ]
  head_and_base "$PGDATA/none.conf"
  run -0 run_postgres -D "$PGDATA"
  [ "$(<"$STATE_FOLDERS/pg_hba.conf")" = old ]
  head_and_base "$PGDATA/pg_hba.conf"
  echo x >"$PGDATA/pg_hba.conf"
  run -0 run_postgres --version
  [ "$(<"$STATE_FOLDERS/pg_hba.conf")" = old ]
}

@test "postgres: what hba_write left and what this writes are the same file" {
  export PATRONI_ENABLE=true POSTGRES_HBA='host x x x md5' PG_MAJOR=15
  echo 'local own own peer' >"$PGDATA/pg_hba.conf"
  echo "hba_file=$PGDATA/pg_hba.conf" >"$SETTINGS"
  run -0 with_patroni 'hba_config; cp "$HBA_WRITTEN" "$STATE_DIR/first"'
  run -0 run_postgres -D "$PGDATA"
  run -0 diff "$STATE_FOLDERS/first" "$STATE_FOLDERS/pg_hba.conf"
  [[ $(<"$STATE_FOLDERS/first") == *'host x x x md5'*'host replication'*'local own own peer' ]]
}
