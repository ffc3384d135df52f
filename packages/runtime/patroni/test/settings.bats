#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  SHOW='; printf "%s|%s|%s\n" "${PATRONI_SETTINGS[@]}"'
}

# Runs code with no setting made yet.
with_settings() { with_patroni 'source "$PATRONI_HOME/settings.sh"; PATRONI_SETTINGS=(); '"$1"; }

# Has the last run printed a line; needs it.
line() { grep -qxF -- "$1" <<<"$output"; }

@test "patroni_put: three words for each, whatever is in them" {
  run -0 with_settings 'patroni_put a/b text "c \"d\" \$(e)"; patroni_put f number 1; printf "<%s>" "${PATRONI_SETTINGS[@]}"'
  [ "$output" = '<a/b><text><c "d" $(e)><f><number><1>' ]
}

@test "patroni_ask: the server's own word, by our configuration and the command's options; nothing where it complains" {
  echo 'port=5433' >"$SETTINGS"
  run -0 with_patroni 'POSTGRES_ARGS=(-c "a=b c"); patroni_ask port; echo "<$REPLY>"; patroni_ask none; echo "<$REPLY>"'
  [ "$output" = $'<5433>\n<>' ]
  [[ $(<"$CALLS") == *"<-D> <$PGDATA> <-c> <config_file=$STATE_FOLDERS/postgresql.conf> <-c> <a=b c> <-C> <port>"* ]]
  POSTGRES_COMPLAINS=yes run -0 with_patroni 'patroni_ask port; echo "<$REPLY>"'
  [ "$output" = '<>' ]
}

@test "patroni_own_address: the one that was given, else the first that others can reach" {
  local ask='patroni_own_address; echo "$REPLY"'
  PATRONI_ADDRESS=db1.example run -0 with_settings "$ask"
  [ "$output" = db1.example ]
  PATRONI_ADDRESS=2001:db8::2 run -0 with_settings "$ask"
  [ "$output" = '[2001:db8::2]' ]
  PATRONI_ADDRESS='[2001:db8::3]' run -0 with_settings "$ask"
  [ "$output" = '[2001:db8::3]' ]
  ADDRESSES='127.0.0.1 ::1 fe80::1 192.0.2.9 2001:db8::1 ' run -0 with_settings "$ask"
  [ "$output" = 192.0.2.9 ]
  ADDRESSES='127.0.0.1 2001:db8::1 192.0.2.9' run -0 with_settings "$ask"
  [ "$output" = '[2001:db8::1]' ]
}

@test "patroni_own_address: none says what to set" {
  ADDRESSES='127.0.0.1 fe80::1' run -2 with_settings 'patroni_own_address'
  [[ $output == *'PATRONI_ADDRESS: expected an address at which the other nodes reach this one, found none'*'set it' ]]
  stub hostname <<<'echo bad >&2; exit 1'
  run -2 with_settings 'patroni_own_address'
  [[ $output != *bad* ]]
}

@test "patroni_put_node: who and where, as the server says" {
  printf '%s\n' port=5433 'listen_addresses=10.0.0.1, localhost' >"$SETTINGS"
  PATRONI_NAME='n "1"' PATRONI_SCOPE=shop PATRONI_ADDRESS=db1 run -0 with_settings "patroni_put_node$SHOW"
  [ "$output" = 'name|text|n "1"
scope|text|shop
restapi/listen|text|*:8008
restapi/authentication/username|text|patroni
postgresql/listen|text|10.0.0.1,localhost:5433
address|text|db1' ]
}

@test "patroni_put_node: the host's name, and the usual port, where nothing says another" {
  run -0 with_settings "HOSTNAME=box patroni_put_node$SHOW"
  line 'name|text|box'
  line 'scope|text|main'
  line 'postgresql/listen|text|*:5432'
  line 'address|text|192.0.2.7'
}

@test "patroni_put_server: nothing is edited in the volume, the socket is used, callbacks are ours" {
  echo "ident_file=/conf/pg_ident.conf" >"$SETTINGS"
  POSTGRES_USER='the "user"' POSTGRES_PASSWORD='p|w "x"' run -0 with_settings "HBA_WRITTEN=/state/pg_hba.conf; patroni_put_server$SHOW"
  line "postgresql/data_dir|text|$PGDATA"
  line "postgresql/bin_dir|text|$STATE_FOLDERS/patroni/bin"
  line "postgresql/config_dir|text|$STATE_FOLDERS/patroni"
  line "postgresql/custom_conf|text|$STATE_FOLDERS/postgresql.conf"
  line "postgresql/pgpass|text|$STATE_FOLDERS/patroni/pgpass"
  line "postgresql/parameters/unix_socket_directories|text|$DATABASE_SOCKETS"
  line 'postgresql/parameters/hba_file|text|/state/pg_hba.conf'
  line 'postgresql/parameters/ident_file|text|/conf/pg_ident.conf'
  line 'postgresql/use_unix_socket|flag|true'
  line 'postgresql/use_unix_socket_repl|flag|false'
  line 'postgresql/authentication/superuser/username|text|the "user"'
  line 'postgresql/authentication/superuser/password|text|p|w "x"'
  line 'postgresql/authentication/replication/username|text|replicator'
  line 'postgresql/authentication/rewind/username|text|rewind'
  [ "$(grep -c "^postgresql/callbacks/on_[a-z_]*|text|$PATRONI_HOME/callback.sh$" <<<"$output")" = 5 ]
}

@test "patroni_put_server: a password of its own for the superuser; the file of names where nothing names it" {
  PATRONI_SUPERUSER_PASSWORD=own POSTGRES_PASSWORD=other run -0 with_settings "HBA_WRITTEN=/x; patroni_put_server$SHOW"
  line 'postgresql/authentication/superuser/password|text|own'
  line "postgresql/parameters/ident_file|text|$PGDATA/pg_ident.conf"
  [[ $output != *other* ]]
}

@test "patroni_put_server: Patroni gets the folder itself, not a link to it, and the folder for the log" {
  ln -s "$PGDATA" "$BATS_TEST_TMPDIR/link"
  POSTGRES_PASSWORD=x PGDATA=$BATS_TEST_TMPDIR/link run -0 with_settings "HBA_WRITTEN=/x; patroni_put_server$SHOW"
  line "postgresql/data_dir|text|$PGDATA"
  [[ $output != *waldir* ]]
  POSTGRES_PASSWORD=x POSTGRES_INITDB_WALDIR=/wal run -0 with_settings "HBA_WRITTEN=/x; patroni_put_server$SHOW"
  line 'postgresql/basebackup/waldir|text|/wal'
}

@test "patroni_chosen: what somebody set for the cluster, by the names of Patroni's settings" {
  export PATRONI_TTL=30 PATRONI_LOOP_WAIT=3 PATRONI_RETRY_TIMEOUT=5 PATRONI_MAXIMUM_LAG_ON_FAILOVER=0 PATRONI_SYNCHRONOUS_MODE=on
  export PATRONI_SYNCHRONOUS_NODE_COUNT=2 PATRONI_PRIMARY_START_TIMEOUT=9 PATRONI_FAILSAFE_MODE=true
  export POSTGRESQL_MAX_CONNECTIONS=50 POSTGRESQL_PG_STAT_STATEMENTS__MAX=9 PATRONI_NAME=x PATRONI_ETCD3_HOSTS=h OTHER=1
  run -0 with_settings 'patroni_chosen; printf "%s\n" "${PATRONI_CHOSEN[@]}" | sort | tr "\n" " "'
  [ "$output" = 'failsafe_mode loop_wait maximum_lag_on_failover postgresql.parameters.max_connections postgresql.parameters.pg_stat_statements.max primary_start_timeout retry_timeout synchronous_mode synchronous_mode_strict synchronous_node_count ttl ' ]
}

@test "patroni_chosen: nothing where nobody chose anything; defaults do not count" {
  run -0 with_settings 'patroni_chosen; echo "${#PATRONI_CHOSEN[@]} $PATRONI_TTL"'
  [ "$output" = '0 10' ]
}

@test "patroni_chosen: a variable without a value counts as not set" {
  PATRONI_TTL='' POSTGRESQL_MAX_CONNECTIONS='' run -0 with_settings 'patroni_chosen; echo "${PATRONI_CHOSEN[*]} $PATRONI_TTL"'
  [ "$output" = ' 10' ]
}

@test "patroni_put_cluster: what a new cluster agrees on" {
  export PATRONI_TTL=30 PATRONI_LOOP_WAIT=3 PATRONI_RETRY_TIMEOUT=5 PATRONI_MAXIMUM_LAG_ON_FAILOVER=7 PATRONI_FAILSAFE_MODE=true
  PATRONI_SYNCHRONOUS_NODE_COUNT=2 run -0 with_settings "patroni_put_cluster$SHOW"
  line 'bootstrap/dcs/ttl|number|30'
  line 'bootstrap/dcs/loop_wait|number|3'
  line 'bootstrap/dcs/retry_timeout|number|5'
  line 'bootstrap/dcs/maximum_lag_on_failover|number|7'
  line 'bootstrap/dcs/failsafe_mode|flag|true'
  line 'bootstrap/dcs/synchronous_node_count|number|2'
  line 'bootstrap/dcs/postgresql/use_pg_rewind|flag|true'
  line 'bootstrap/dcs/postgresql/use_slots|flag|true'
  line 'bootstrap/method|text|strata'
  line "bootstrap/strata/command|text|$PATRONI_HOME/bootstrap.sh"
  line 'bootstrap/strata/no_params|flag|true'
}

@test "patroni_put_cluster: the modes, and how long a crashed primary may take in each" {
  local mode wanted strict start
  while read -r mode wanted strict start; do
    PATRONI_SYNCHRONOUS_MODE=$mode run -0 with_settings "patroni_put_cluster$SHOW"
    line "bootstrap/dcs/synchronous_mode|$wanted"
    [ "$(grep -c '^bootstrap/dcs/synchronous_mode_strict|flag|true$' <<<"$output")" = "$strict" ]
    line "bootstrap/dcs/primary_start_timeout|number|$start"
  done <<'E'
off flag|false 0 300
on flag|true 0 0
strict flag|true 1 0
quorum text|quorum 0 0
E
  PATRONI_PRIMARY_START_TIMEOUT=0 run -0 with_settings "patroni_put_cluster$SHOW"
  line 'bootstrap/dcs/primary_start_timeout|number|0'
  PATRONI_SYNCHRONOUS_MODE=on PATRONI_PRIMARY_START_TIMEOUT=60 run -0 with_settings "patroni_put_cluster$SHOW"
  line 'bootstrap/dcs/primary_start_timeout|number|60'
}

@test "patroni_put_cluster: what all servers have to have alike is what this one's configuration says" {
  printf '%s\n' max_connections=77 wal_level=logical track_commit_timestamp=off wal_keep_size=0 >"$SETTINGS"
  run -0 with_settings "patroni_put_cluster$SHOW"
  line 'bootstrap/dcs/postgresql/parameters/max_connections|number|77'
  line 'bootstrap/dcs/postgresql/parameters/wal_level|text|logical'
  line 'bootstrap/dcs/postgresql/parameters/track_commit_timestamp|text|off'
  [[ $output != *wal_keep_size* && $output != *max_wal_senders* ]]
  echo wal_keep_size=128 >"$SETTINGS"
  run -0 with_settings "patroni_put_cluster$SHOW"
  line 'bootstrap/dcs/postgresql/parameters/wal_keep_size|number|128'
}

@test "patroni_put_daemon: the container's log level in Patroni's words, unless Patroni has its own" {
  local level
  for level in debug info error; do
    LOG_LEVEL=$level run -0 with_settings "patroni_put_daemon$SHOW"
    line "log/level|text|${level^^}"
  done
  LOG_LEVEL=warn run -0 with_settings "patroni_put_daemon$SHOW"
  line 'log/level|text|WARNING'
  run -0 with_settings "unset -v LOG_LEVEL; patroni_put_daemon$SHOW"
  line 'log/level|text|INFO'
  PATRONI_LOG_LEVEL=ERROR run -0 with_settings "patroni_put_daemon$SHOW"
  [[ $output != *log/level* ]]
}

@test "patroni_put_daemon: the watchdog" {
  run -0 with_settings "patroni_put_daemon$SHOW"
  line 'watchdog/mode|text|off'
  PATRONI_WATCHDOG_MODE=required PATRONI_WATCHDOG_DEVICE=/dev/dog run -0 with_settings "patroni_put_daemon$SHOW"
  line 'watchdog/mode|text|required'
  line 'watchdog/device|text|/dev/dog'
  line 'watchdog/safety_margin|number|3'
  PATRONI_TTL=30 PATRONI_LOOP_WAIT=10 PATRONI_RETRY_TIMEOUT=5 run -0 with_settings "patroni_put_daemon$SHOW"
  line 'watchdog/safety_margin|number|14'
}
