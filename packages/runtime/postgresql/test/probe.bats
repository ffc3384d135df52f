#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  probes=$SCRIPTS/healthcheck.d
  address=$STATE_FOLDERS/postgresql.address
}

# Publishes an address as the mode does.
published() { printf '%s\n' 5433 /s,/t '*' 'the "user"' "$PGDATA" >"$address"; }

# Runs code with the functions of a probe at hand; needs the probe.
with_probe() { as_user bash -c 'source "$1"; '"$2" x "$probes/$1.sh" "$STATE_FOLDERS"; }

# Runs a probe as the health check does.
run_probe() { as_user bash "$probes/$1.sh" "${2-$STATE_FOLDERS}"; }

# Writes the server's lock file with a number.
lock_file() { printf '%s\n' "$1" "$PGDATA" 1700000000 5432 /sockets '*' 1 ready >"$PGDATA/postmaster.pid"; }

@test "probe_address: what was published, the data folder too" {
  published
  run -0 with_probe 10-postgresql 'probe_address "$2"; echo "$PROBE_PORT $PROBE_SOCKETS $PROBE_LISTEN $PROBE_USER $PROBE_DATA"'
  [ "$output" = "5433 /s,/t * the \"user\" $PGDATA" ]
  printf '5433\n/s\n*\nu\n' >"$address"
  PGDATA=/elsewhere run -0 with_probe 10-postgresql 'probe_address "$2"; echo "$PROBE_USER $PROBE_DATA"'
  [ "$output" = "u /elsewhere" ]
  : >"$address"
  run -1 with_probe 10-postgresql 'probe_address "$2"'
}

@test "probe_address: without an entrypoint, what the server wrote itself" {
  lock_file 1
  POSTGRES_USER=u run -0 with_probe 10-postgresql 'probe_address ""; echo "$PROBE_PORT $PROBE_SOCKETS $PROBE_LISTEN $PROBE_USER $PROBE_DATA"'
  [ "$output" = "5432 /sockets * u $PGDATA" ]
  run -1 with_probe 10-postgresql 'probe_address "$2"'
  rm "$PGDATA/postmaster.pid"
  run -1 with_probe 10-postgresql 'unset -v PGDATA; probe_address ""'
}

@test "probe_host: somewhere to connect to" {
  run -0 with_probe 10-postgresql 'for h in "*" 0.0.0.0 :: 10.0.0.1 localhost; do probe_host "$h"; echo -n "$REPLY "; done'
  [ "$output" = '127.0.0.1 127.0.0.1 ::1 10.0.0.1 localhost ' ]
}

@test "probe_client_env: nothing leads elsewhere; a password stays" {
  export PGHOSTADDR=192.0.2.1 PGOPTIONS=--bad PGSSLMODE=verify-full PGTARGETSESSIONATTRS=read-write PGPASSWORD=x PGSERVICE=s
  run -0 with_probe 10-postgresql 'probe_client_env; compgen -e | grep ^PG | sort | tr "\n" " "'
  [[ $output == *PGPASSWORD* ]]
  [[ $output != *@(PGHOSTADDR|PGOPTIONS|PGSSLMODE|PGTARGETSESSIONATTRS|PGSERVICE)* ]]
}

@test "probe_ask: asks at the address that was published" {
  stub pg_isready <<<'printf "<%s>" "$@"; exit "$ANSWER"'
  ANSWER=2 run -2 with_probe 10-postgresql 'PROBE_PORT=1 PROBE_USER="a b"; probe_ask /h'
  [ "$output" = '<--quiet><--host=/h><--port=1><--username=a b><--dbname=postgres>' ]
}

@test "probe_tell: a word for every answer" {
  local answer
  for answer in 1 2 3; do
    run -1 with_probe 10-postgresql "probe_tell $answer 'TCP port 1'"
    [[ $output == *'TCP port 1'* ]]
  done
  run -0 with_probe 10-postgresql 'probe_tell 0 TCP'
  [ -z "$output" ]
}

@test "10-postgresql: both ways have to answer; nothing published is not well" {
  stub pg_isready <<<'[[ "$*" != *"--host=$DEAD"* ]] || exit 2'
  DEAD=none run -1 run_probe 10-postgresql
  [ "$output" = 'the server has not opened its port yet' ]
  published
  DEAD=none run -0 run_probe 10-postgresql
  [ "$output" = 'the server takes connections on TCP port 5433 and the socket in /s' ]
  DEAD=127.0.0.1 run -1 run_probe 10-postgresql
  [ "$output" = 'the server does not answer on TCP port 5433' ]
  DEAD=/s run -1 run_probe 10-postgresql
  [ "$output" = 'the server does not answer on the socket in /s' ]
  stub pg_isready <<<'exit 1'
  run -1 run_probe 10-postgresql
  [ "$output" = 'the server refuses connections on the socket in /s: it starts, recovers or stops' ]
}

@test "10-postgresql: a question that is killed is no answer; one way alone will do; none will not" {
  published
  stub pg_isready <<<'[[ "$*" != *127.0.0.1* ]] || kill -KILL $$'
  run -1 run_probe 10-postgresql
  [[ $output == *'code 137 on TCP port 5433' ]]
  stub pg_isready <<<'exit 0'
  printf '5433\n\n*\nu\n' >"$address"
  run -0 run_probe 10-postgresql
  [ "$output" = 'the server takes connections on TCP port 5433' ]
  printf '5433\n/s\n\nu\n' >"$address"
  run -0 run_probe 10-postgresql
  [ "$output" = 'the server takes connections on the socket in /s' ]
  printf '5433\n\n\nu\n' >"$address"
  run -1 run_probe 10-postgresql
}

@test "probe_role: a primary, or a standby as the file says that promotion removes" {
  published
  lock_file "$$"
  run -0 with_probe 10-postgresql 'probe_role "$2" primary'
  [ "$output" = 'the server is a primary' ]
  run -1 with_probe 10-postgresql 'probe_role "$2" standby'
  [ "$output" = 'the server is a primary, not a standby' ]
  local name
  for name in standby.signal recovery.signal; do
    touch "$PGDATA/$name"
    run -0 with_probe 10-postgresql 'probe_role "$2" standby'
    [ "$output" = 'the server is a standby' ]
    run -1 with_probe 10-postgresql 'probe_role "$2" primary'
    [ "$output" = 'the server is a standby, not a primary' ]
    rm "$PGDATA/$name"
  done
}

@test "probe_role: a server that does not run, or not yet, is neither" {
  local role
  published
  for role in primary standby; do
    run -1 with_probe 10-postgresql 'probe_role "$2" '"$role"
    [ "$output" = 'the server does not run, or this user may not read its lock file' ]
    lock_file 4000001
    run -1 with_probe 10-postgresql 'probe_role "$2" '"$role"
    lock_file "$$"
    sed -i 's/^ready$/starting/' "$PGDATA/postmaster.pid"
    run -1 with_probe 10-postgresql 'probe_role "$2" '"$role"
    lock_file "$$"
    chmod 000 "$PGDATA/postmaster.pid"
    run -1 with_probe 10-postgresql 'probe_role "$2" '"$role"
    rm -f "$PGDATA/postmaster.pid"
  done
}

@test "10-postgresql: the questions primary and replica, with an entrypoint and without" {
  lock_file "$$"
  run -0 run_probe primary/10-postgresql
  run -1 run_probe replica/10-postgresql
  run -0 run_probe primary/10-postgresql ''
  touch "$PGDATA/standby.signal"
  sed -i 's/^ready$/standby /' "$PGDATA/postmaster.pid"
  run -0 run_probe replica/10-postgresql ''
  published
  PGDATA=/none run -0 run_probe replica/10-postgresql
  PGDATA=/none run -1 run_probe primary/10-postgresql
}

@test "disk_judge: percent and megabytes, as df counts" {
  # 4 kB blocks: 1000 MB, of which 100 are free, 60 of them for us.
  run -0 with_probe 20-disk 'DISK_LIMIT=5; disk_judge it 4096 256000 25600 15360; echo "$REPLY|$DISK_MB|$DISK_PERCENT"'
  [ "$output" = '|60|6' ]
  run -0 with_probe 20-disk 'DISK_LIMIT=7; disk_judge it 4096 256000 25600 15360; echo "$REPLY"'
  [ "$output" = 'it has 60 MB left (6 %), expected at least 7 % and 16 MB' ]
  run -0 with_probe 20-disk 'DISK_LIMIT=0; disk_judge it 4096 256000 0 0; echo "$REPLY"'
  [[ $output == 'it has 0 MB left (0 %)'* ]]
  # A small one, half free.
  run -0 with_probe 20-disk 'DISK_LIMIT=5; disk_judge it 4096 5120 2560 2560; echo "$REPLY"'
  [[ $output == 'it has 10 MB left (50 %)'* ]]
}

@test "disk_judge: a file system without a size says nothing" {
  run -0 with_probe 20-disk 'DISK_LIMIT=5; disk_judge it 4096 0 0 0; echo "<$REPLY>"'
  [ "$output" = '<>' ]
}

@test "20-disk: well, or a warning; one file system is told once, that of the log too" {
  published
  stub stat <<<'printf "%s\n" "a 4096 256000 25600 25600" "$SECOND"'
  SECOND='a 4096 256000 25600 25600' run -0 run_probe 20-disk
  [ "$output" = '100 MB left' ]
  SECOND='b 4096 256000 128000 128000' run -0 run_probe 20-disk
  [ "$output" = '100 MB, 500 MB left' ]
  SECOND='b 4096 256000 2560 2560' run -10 run_probe 20-disk
  [[ $output == 'the file system of pg_wal has 10 MB left (1 %)'* ]]
  HEALTH_DISK_MIN_PERCENT=50 SECOND='b 4096 256000 2560 2560' run -10 run_probe 20-disk
  [[ $output == 'the file system of PGDATA has 100 MB left (10 %)'*'; the file system of pg_wal has 10 MB left'* ]]
}

@test "20-disk: a limit that is no number counts as the default" {
  published
  stub stat <<<'printf "%s\n" "a 4096 256000 25600 25600"'
  local limit
  for limit in '' abc -1 101 'a[$(touch /tmp/evil)]' 05; do
    HEALTH_DISK_MIN_PERCENT=$limit run -0 run_probe 20-disk
    [ "$output" = '100 MB left' ]
  done
  HEALTH_DISK_MIN_PERCENT=011 run -10 run_probe 20-disk
  [[ $output == *'at least 11 %'* ]]
}

@test "20-disk: the real file system; a folder that cannot be seen is no fault" {
  published
  HEALTH_DISK_MIN_PERCENT=0 run run_probe 20-disk
  [[ $output =~ [0-9]+\ MB\ left ]]
  printf '%s\n' 1 /s '*' u /nowhere/at/all >"$address"
  run -0 run_probe 20-disk
  [[ $output == *'/nowhere/at/all cannot be seen'* ]]
}

@test "connections_run: number and start of the server" {
  lock_file 77
  run -0 with_probe 30-connections 'PROBE_DATA=$PGDATA; connections_run; echo "$REPLY|$CONNECTIONS_SERVER"'
  [ "$output" = '77 1700000000|77' ]
  echo '7x' >"$PGDATA/postmaster.pid"
  run -1 with_probe 30-connections 'PROBE_DATA=$PGDATA; connections_run'
}

@test "connections_remember, connections_recall: for one run of the server; nothing odd is believed" {
  run -0 with_probe 30-connections 'CONNECTIONS_ALL=97; connections_remember "$2" "7 1"; CONNECTIONS_ALL=""; connections_recall "$2" "7 1"; echo "$CONNECTIONS_ALL"'
  [ "$output" = 97 ]
  run -1 with_probe 30-connections 'connections_recall "$2" "8 1"'
  run -1 with_probe 30-connections 'connections_recall "$2" ""'
  run -1 with_probe 30-connections 'connections_recall "" "7 1"'
  printf '7 1\na[$(touch /tmp/evil)]\n' >"$STATE_FOLDERS/postgresql.connections"
  run -1 with_probe 30-connections 'connections_recall "$2" "7 1"'
}

@test "connections_remember: only in a folder of our own, and a full one is no fault" {
  ((EUID == 0)) || skip "needs root to own a folder as somebody else"
  chown 0 "$STATE_FOLDERS"
  chmod 777 "$STATE_FOLDERS"
  run -0 with_probe 30-connections 'CONNECTIONS_ALL=97; connections_remember "$2" "7 1"'
  [ ! -e "$STATE_FOLDERS/postgresql.connections" ]
  chown 12345 "$STATE_FOLDERS"
  chmod 555 "$STATE_FOLDERS"
  run -0 with_probe 30-connections 'CONNECTIONS_ALL=97; connections_remember "$2" "7 1"'
}

@test "connections_children: counts the children of a process" {
  [[ -r /proc/self/task/$$/children || -r /proc/$$/task/$$/children ]] || skip "this kernel does not list children"
  run -0 with_probe 30-connections 'sleep 60 & sleep 60 & connections_children $$; echo "$CONNECTIONS_USED"; kill %1 %2'
  [ "$output" = 2 ]
  run -1 with_probe 30-connections 'connections_children 0'
}

@test "connections_scarce: below the limit, not at it" {
  run -0 with_probe 30-connections 'CONNECTIONS_ALL=100 CONNECTIONS_LIMIT=10; for n in 89 90 91 100; do CONNECTIONS_USED=$n; if connections_scarce; then echo -n "$n "; fi; done'
  [ "$output" = '91 100 ' ]
}

@test "connections_ask: two numbers, or why not" {
  stub psql <<<'printf "%s\n" "$@" >>"$CALLS"; echo "${ANSWER-97 3}"; exit "${CODE-0}"'
  run -0 with_probe 30-connections 'PROBE_SOCKETS=/s,/t PROBE_PORT=5433 PROBE_USER="a b"; connections_ask; echo "$CONNECTIONS_ALL $CONNECTIONS_USED"'
  [ "$output" = '97 3' ]
  [[ $(<"$CALLS") == *$'--no-password\n'*$'--host=/s\n--port=5433\n--username=a b\n'* ]]
  ANSWER=why CODE=2 run -0 with_probe 30-connections 'PROBE_SOCKETS=/s PROBE_PORT=1 PROBE_USER=u; connections_ask || echo "$? $REPLY"'
  [ "$output" = '1 why' ]
  ANSWER='x y' run -1 with_probe 30-connections 'PROBE_SOCKETS=/s PROBE_PORT=1 PROBE_USER=u; connections_ask'
}

@test "30-connections: well, scarce, none, and no right to ask" {
  published
  stub psql <<<'echo "$ANSWER"; exit "${CODE-0}"'
  ANSWER='97 3' run -0 run_probe 30-connections
  [ "$output" = '94 of 97 connections are free' ]
  ANSWER='97 90' run -10 run_probe 30-connections
  [[ $output == '7 of 97 connections are free, expected at least 10 %'* ]]
  # Superusers sit in reserved places too.
  ANSWER='7 9' run -10 run_probe 30-connections
  [[ $output == '0 of 7 connections are free, expected'* ]]
  HEALTH_CONNECTIONS_MIN_PERCENT=5 ANSWER='97 90' run -0 run_probe 30-connections
  HEALTH_CONNECTIONS_MIN_PERCENT='x[$(touch /tmp/evil)]' ANSWER='97 90' run -10 run_probe 30-connections
  ANSWER='psql: error: FATAL:  sorry, too many clients already' CODE=2 run -10 run_probe 30-connections
  [[ $output == 'no connection is free'* ]]
  ANSWER='psql: error: fe_sendauth: no password supplied' CODE=2 run -0 run_probe 30-connections
  [[ $output == *'the "user" cannot log in on the socket' ]]
}

@test "30-connections: the server is asked once, then only near the limit" {
  published
  # Its children are counted: this shell has none.
  lock_file "$$"
  stub psql <<<'echo asked >>"$CALLS"; echo "97 3"'
  if ((EUID == 0)); then chown 12345 "$PGDATA/postmaster.pid"; fi
  [[ -r /proc/$$/task/$$/children ]] || skip "this kernel does not list children"
  run -0 run_probe 30-connections
  run -0 run_probe 30-connections
  [[ $output == 'at least '*' of 97 connections are free' ]]
  [ "$(wc -l <"$CALLS")" = 1 ]
  HEALTH_CONNECTIONS_MIN_PERCENT=100 run -10 run_probe 30-connections
  [ "$(wc -l <"$CALLS")" = 2 ]
}

@test "30-connections: nothing published, or no socket, is not its business" {
  run -0 run_probe 30-connections
  printf '5433\n\n*\nu\n' >"$address"
  run -0 run_probe 30-connections
}
