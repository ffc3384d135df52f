#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  python_stub
  export PATRONI_ENABLE=true POSTGRES_PASSWORD=hunter2
}

# Puts what pg_basebackup leaves first into PGDATA.
broken_copy() {
  mkdir -p "$PGDATA/base"
  touch "$PGDATA/backup_label" "$PGDATA/base/1" "$PGDATA/.hidden"
  owned_by_user "$PGDATA"
}

# Lets pg_controldata tell of a cluster with a system identifier.
control_data() {
  stub pg_controldata <<S
[[ \$LC_ALL == C && "\$*" == "-D \$PGDATA" ]] || exit 1
printf '%s\n' 'pg_control version number:            1700' 'Database system identifier:           $1' 'Database cluster state:  in production'
S
}

@test "sourcing the script registers its hooks where Patroni is on, and runs nothing" {
  run -0 with_patroni 'echo "$DATABASE_DECIDER ${HBA_HOOKS[*]}"; printf "%s" "$CONFIG_DEFAULTS"'
  [ "$output" = $'patroni_decide patroni_hba\nwal_sender_timeout = 10s\nwal_receiver_timeout = 10s\nwal_retrieve_retry_interval = 1s' ]
  PATRONI_TTL=30 run -0 with_patroni 'echo "$CONFIG_DEFAULTS"'
  [[ $output == *'wal_sender_timeout = 30s'* ]]
  PATRONI_ENABLE=false run -0 with_patroni 'echo "<$DATABASE_DECIDER> ${#HBA_HOOKS[@]} <$CONFIG_DEFAULTS>"'
  [ "$output" = '<> 0 <>' ]
  [ ! -s "$CALLS" ]
}

@test "patroni_decide: nothing is made of an empty folder, but all is checked, and its mode is the server's" {
  chmod 755 "$PGDATA"
  run -0 with_patroni 'database_prepare() { echo "prepare $*"; }; patroni_decide new postgres -c "a=b c"'
  [ "$output" = 'prepare new postgres -c a=b c' ]
  [ "$(stat -c %a "$PGDATA")" = 700 ]
}

@test "patroni_decide: a broken-off copy is emptied" {
  broken_copy
  run -0 with_patroni 'database_prepare() { echo "prepare $*"; }; patroni_decide foreign postgres'
  [[ $output == *WARN*"a copy of the cluster was broken off and left an unusable folder: emptying $PGDATA"*$'\n''prepare new postgres' ]]
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "patroni_decide: other files, and a cluster, are left to 02-database, whatever else is there" {
  broken_copy
  rm "$PGDATA/backup_label"
  run -1 with_patroni 'patroni_decide foreign postgres'
  touch "$PGDATA/backup_label"
  mkdir -p "$PGDATA/global"
  touch "$PGDATA/global/pg_control"
  run -1 with_patroni 'patroni_decide foreign postgres'
  run -1 with_patroni 'patroni_decide cluster postgres'
  [ -e "$PGDATA/base/1" ]
}

@test "init_database: makes nothing in an empty folder or in that of a broken-off copy, refuses other files, adopts a cluster" {
  run -0 with_patroni 'init_database postgres; echo "$CONFIG_DONE"'
  [ "$output" = yes ]
  broken_copy
  run -0 with_patroni 'init_database postgres'
  [ -z "$(ls -A "$PGDATA")" ]
  touch "$PGDATA/mine"
  run -1 with_patroni 'init_database postgres'
  [ -e "$PGDATA/mine" ]
  rm "$PGDATA/mine"
  make_cluster 17
  run -0 with_patroni 'init_database postgres'
  [[ $output == *'Skipping initialization'* ]]
  [[ $(<"$CALLS") != *initdb* ]]
}

@test "patroni_hba: a line for the role that replicas connect as, with any name, and as passwords are kept" {
  run -0 with_patroni 'patroni_hba; echo "$REPLY"'
  [ "$output" = 'host replication "replicator" all scram-sha-256' ]
  PATRONI_REPLICATION_USERNAME='a "b" all,#' POSTGRESQL_PASSWORD_ENCRYPTION=md5 run -0 with_patroni 'patroni_hba; echo "$REPLY"'
  [ "$output" = 'host replication "a ""b"" all,#" all md5' ]
  POSTGRESQL_PASSWORD_ENCRYPTION=scram-sha-256 run -0 with_patroni 'patroni_hba; echo "$REPLY"'
  [ "$output" = 'host replication "replicator" all scram-sha-256' ]
}

@test "patroni_hba: the server reads md5 in any case" {
  POSTGRESQL_PASSWORD_ENCRYPTION=MD5 run -0 with_patroni 'patroni_hba; echo "$REPLY"'
  [ "$output" = 'host replication "replicator" all md5' ]
}

@test "patroni_hba: who asks for TLS and has a certificate lets replicas in by TLS alone" {
  local mode
  for mode in require verify-ca verify-full; do
    PATRONI_REPLICATION_SSLMODE=$mode run -0 with_patroni 'TLS_CERT=/c; patroni_hba; echo "$REPLY"'
    [ "$output" = 'hostssl replication "replicator" all scram-sha-256' ]
    PATRONI_REPLICATION_SSLMODE=$mode run -0 with_patroni 'patroni_hba; echo "$REPLY"'
    [[ $output == 'host '* ]]
  done
  PATRONI_REPLICATION_SSLMODE=prefer run -0 with_patroni 'TLS_CERT=/c; patroni_hba; echo "$REPLY"'
  [[ $output == 'host '* ]]
}

@test "patroni_hba: stands in our file, before the user's own" {
  echo "hba_file=$PGDATA/pg_hba.conf" >"$SETTINGS"
  POSTGRES_HBA='host x x x md5' run -0 with_patroni 'hba_config; cat "$HBA_WRITTEN"'
  [[ $output == *'host x x x md5'*$'\nhost replication "replicator" all scram-sha-256\n'*"include_if_exists \"$PGDATA/pg_hba.conf\""* ]]
}

@test "patroni_check: every fault, code 2" {
  export PATRONI_SYNCHRONOUS_MODE=quorum PATRONI_TTL=9 PATRONI_IS=3.0.2
  POSTGRES_PASSWORD='' run -2 with_patroni 'patroni_check'
  [ "${#lines[@]}" = 3 ]
  [[ ${lines[0]} == *'POSTGRES_PASSWORD: expected the superuser'*'found none; set it, or POSTGRES_PASSWORD_FILE' ]]
  [[ ${lines[1]} == *'PATRONI_TTL: expected at least PATRONI_LOOP_WAIT and twice PATRONI_RETRY_TIMEOUT, so 10, found 9'* ]]
  [[ ${lines[2]} == *'PATRONI_SYNCHRONOUS_MODE: expected off, on or strict with Patroni 3, found quorum'* ]]
}

@test "patroni_check: names that part paths in the store, and another superuser, are faults" {
  PATRONI_NAME=a/b PATRONI_SCOPE='/x' PATRONI_SUPERUSER_USERNAME=other run -2 with_patroni 'patroni_check'
  [ "${#lines[@]}" = 3 ]
  [[ ${lines[0]} == *"PATRONI_NAME: expected a name without a slash, which parts paths in the store, found 'a/b'; change it" ]]
  [[ ${lines[1]} == *"PATRONI_SCOPE: expected a name without a slash"* ]]
  [[ ${lines[2]} == *"PATRONI_SUPERUSER_USERNAME: expected the superuser of the cluster, 'postgres' (POSTGRES_USER), found 'other'"* ]]
  PATRONI_SUPERUSER_USERNAME=own POSTGRES_USER=own run -0 with_patroni 'patroni_check'
}

@test "patroni_check: an address of this node has no port" {
  local address
  for address in db1:6432 '[2001:db8::1]:5432' 192.0.2.7:5432 db1:; do
    PATRONI_ADDRESS=$address run -2 with_patroni 'patroni_check'
    [[ $output == *"PATRONI_ADDRESS: expected a host name or an IP, without a port, found '$address'; the ports are those that Patroni and the server listen at; leave it out" ]]
  done
  for address in db1 192.0.2.7 2001:db8::1 ::1 '[2001:db8::1]'; do PATRONI_ADDRESS=$address run -0 with_patroni 'patroni_check'; done
}

@test "patroni_check: passes what fits" {
  PATRONI_SYNCHRONOUS_MODE=quorum run -0 with_patroni 'patroni_check'
  [ -z "$output" ]
  PATRONI_IS=3.0.2 PATRONI_SYNCHRONOUS_MODE=strict PATRONI_TTL=10 run -0 with_patroni 'patroni_check'
  POSTGRES_PASSWORD='' PATRONI_SUPERUSER_PASSWORD=x run -0 with_patroni 'patroni_check'
  [ -z "$output" ]
}

@test "patroni_major: of the Patroni that is installed" {
  PATRONI_IS=4.1.0rc1 run -0 with_patroni 'patroni_major'
  [ "$output" = 4 ]
}

@test "patroni_major: of the real one" {
  rm "$STUBS/python3"
  real_patroni
  run -0 with_patroni 'patroni_major'
  [[ $output == [34] ]]
}

@test "patroni_drop_empty: what Patroni would take for an empty setting; what is ours stays" {
  PATRONI_ETCD3_HOSTS='' PATRONI_NAME=n run -0 with_patroni 'patroni_drop_empty; compgen -e | grep ^PATRONI_ | sort | tr "\n" " "; echo "$PATRONI_DIR|${PATRONI_ADDRESS-gone}"'
  [[ $output == *'PATRONI_ENABLE PATRONI_HOME PATRONI_NAME '*"$STATE_FOLDERS/patroni|" && $output != *ETCD3* ]]
}

@test "patroni_link_programs: the server's programs, with our own postgres among them, at every start" {
  run -0 with_patroni 'POSTGRES_ARGS=(-c "a=b c"); patroni_link_programs; patroni_link_programs; readlink "$PATRONI_DIR"/bin/{postgres,psql}
    mapfile -t -d "" words <"$PATRONI_DIR/server"; printf "<%s>" "${words[@]}"; mapfile -t -d "" words <"$PATRONI_DIR/user"; printf "<%s>" "${words[@]}"'
  [ "$output" = "$PATRONI_HOME/bin/postgres"$'\n'"$STUBS/psql"$'\n'"<$STUBS/postgres><-c><a=b c><>" ]
}

@test "patroni_link_programs: a link to the server is followed, and a user without a name gets the words that help" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  ln -s "$STUBS/postgres" "$BATS_TEST_TMPDIR/bin/server"
  run -0 with_patroni 'POSTGRES_COMMAND=$STATE_DIR/../bin/server; single_prepare_user() { SINGLE_USER=(env "A=b c"); }; patroni_link_programs
    tr "\0" "|" <"$PATRONI_DIR/server"; tr "\0" "|" <"$PATRONI_DIR/user"; [[ -L $PATRONI_DIR/bin/initdb ]]'
  [ "$output" = "$STUBS/postgres|env|A=b c|" ]
}

@test "patroni_hand_on: the command, and the secrets for their owner alone; Patroni's own it has already" {
  export PATRONI_ETCD3_PASSWORD=theirs POSTGRES_PASSWORD=$'p "w"\n$(x)' POSTGRES_USER=u
  run -0 with_patroni 'patroni_hand_on postgres -c "a=b c"; tr "\0" "|" <"$PATRONI_DIR/command"; tr "\0" "|" <"$PATRONI_DIR/secrets"
    stat -c %a "$PATRONI_DIR/secrets"; umask'
  [ "$output" = $'postgres|-c|a=b c|POSTGRES_PASSWORD=p "w"\n$(x)|600\n0022' ]
}

@test "patroni_identity: of the data that are here; nothing without any" {
  control_data 7400000000000000001
  local ask='patroni_link_programs; patroni_identity; echo "<$REPLY>"'
  run -0 with_patroni "$ask"
  [ "$output" = '<>' ]
  make_cluster 17
  run -0 with_patroni "$ask"
  [ "$output" = '<7400000000000000001>' ]
  stub pg_controldata <<<'echo broken >&2; exit 1'
  run -0 with_patroni "$ask"
  [ "$output" = '<>' ]
}

@test "init_patroni: nothing where Patroni is off" {
  unset -v PATRONI_ENABLE
  PATRONI_TTL=1 run -0 with_patroni 'init_patroni postgres'
  [ -z "$output" ]
  [ ! -s "$CALLS" ]
}

@test "init_patroni: configuration, then a look at the cluster; no secret is in an argument" {
  make_cluster 17
  control_data 42
  PATRONI_TTL=30 PATRONI_CONFIGURATION='x: hunter3' run -0 with_patroni 'init_patroni postgres -c x=y; phase_get; echo "$REPLY"; stat -c %a "$PATRONI_DIR"'
  [ "$output" = $'initialising\n700' ]
  grep -qx 'look <42> <17> <ttl>' "$CALLS"
  [[ $(<"$CALLS") != *hunter* ]]
  [[ $(<"$GIVEN") == *$'name\ntext\n'*$'postgresql/data_dir\n'*$'bootstrap/dcs/ttl\nnumber\n30\n'*$'watchdog/mode\n'* ]]
}

@test "init_patroni: what is wrong ends it before the cluster is looked at" {
  CONFIGURATION_SAYS='error\tone\nerror\ttwo\n' CONFIGURATION_CODE=2 run -2 with_patroni 'init_patroni postgres'
  [[ $output == *one*two* ]]
  [[ $(<"$CALLS") != *look* ]]
  CLUSTER_SAYS='error\tanother cluster\n' CLUSTER_CODE=2 run -2 with_patroni 'init_patroni postgres'
  [[ $output == *'another cluster' ]]
}

@test "init_patroni: a stop while it waits for the store is answered at once" {
  stub python3 <<'S'
printf 'wait\twaits for the store\n' >&"$4"
exec sleep 60 >/dev/null 2>&1 3>&-
S
  TRAPS=yes run -143 with_patroni '(for i in {1..500}; do phase_get; [[ -z $PHASE_WAITS ]] || break; sleep 0.02; done; kill -TERM $$) & init_patroni postgres'
  [[ $output == *'WARN  t: waits for the store'*'received SIGTERM'* ]]
}

@test "07-patroni.sh: can be run alone" {
  single_user
  run -0 as_user bash "$SCRIPTS/init/07-patroni.sh" postgres
  [[ $(<"$CALLS") == *'look <>'* ]]
}

@test "07-patroni.sh: not beside a Patroni that runs, whose files it would write" {
  published 8008
  echo running >"$STATE_FOLDERS/phase"
  run -1 as_user bash "$SCRIPTS/init/07-patroni.sh" postgres
  [[ $output == *'Patroni runs here, expected it not to'*'restart the container instead' ]]
  [ ! -s "$CALLS" ]
}

@test "07-patroni.sh: run alone, it complains about nothing of its own" {
  PATRONI_ENABLE=false run -0 as_user bash "$SCRIPTS/init/07-patroni.sh" postgres
  [ -z "$output" ]
}
