#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() {
  pgbackrest_setup
  export PGBACKREST_REPO1_PATH=$REPOSITORY
}

@test "sourcing the script registers its hooks and runs nothing" {
  run -0 with_backup 'echo "${CONFIG_HOOKS[*]} ${STARTED_HOOKS[*]}"'
  [ "$output" = 'backup_config backup_started' ]
  [ ! -s "$CALLS" ]
}

@test "without archiving every step does nothing and starts no process" {
  export PGBACKREST_REPO1_S3_KEY=k
  run -0 with_backup 'PATH=/nowhere; init_backup; backup_config; backup_started; echo "$PGBACKREST_REPO1_S3_KEY"'
  [ "$output" = k ]
  [ ! -s "$CALLS" ]
}

@test "backup_folders gives the folders of local repositories alone" {
  run -0 with_backup 'backup_set repo1-path /one; backup_set repo2-type s3; backup_set repo3-host there; backup_set repo3-path /x
    backup_set repo4-type cifs; backup_folders; printf "%s\n" "${REPLY_LIST[@]}" | sort'
  [ "$output" = $'/one\n/var/lib/pgbackrest' ]
  run -0 with_backup 'backup_folders; echo "${REPLY_LIST[*]}"'
  [ "$output" = /var/lib/pgbackrest ]
}

@test "backup_is_mounted: below a mount point other than the root, with blanks in it too" {
  printf '30 22 8:1 / /mnt/a\\040b rw - ext4 /dev/x rw\n' >>"$BACKUP_MOUNTS"
  run -0 with_backup 'backup_is_mounted "/mnt/a b"; backup_is_mounted "/mnt/a b/c"'
  run -1 with_backup 'backup_is_mounted /mnt/a'
  run -1 with_backup 'backup_is_mounted /var/lib/pgbackrest'
}

@test "backup_check_folders warns about a repository that goes with the container" {
  run -0 with_backup 'backup_collect; backup_check_folders'
  [[ $output == *"$REPOSITORY lies in the container"* ]]
  printf '30 22 8:1 / %s rw - ext4 /dev/x rw\n' "$REPOSITORY" >>"$BACKUP_MOUNTS"
  run -0 with_backup 'backup_collect; backup_check_folders'
  [ -z "$output" ]
}

@test "backup_check_folders refuses a folder that cannot be written for a new database, and lets an old one serve" {
  chmod 755 "$REPOSITORY"
  ((EUID == 0)) || chmod 555 "$REPOSITORY"
  run -3 with_backup 'backup_collect; BACKUP_NEW=yes; backup_check_folders'
  [[ $output == *"found '$REPOSITORY', which it cannot"* ]]
  run -0 with_backup 'backup_collect; backup_check_folders; echo goes on'
  [[ $output == *'goes on' ]]
}

@test "backup_prepare checks with both commands, writes once, and knows a new database" {
  run -0 with_backup 'backup_prepare; backup_prepare; echo "new=$BACKUP_NEW"; grep -c repo1-path "$BACKUP_FILE"'
  [[ $output == *$'new=yes\n1' ]]
  run -0 grep -cE '<(archive-push|backup)>' "$CALLS"
  [ "$output" = 2 ]
  touch "$PGDATA/PG_VERSION"
  run -0 with_backup 'backup_prepare; echo "new=$BACKUP_NEW"'
  [[ $output == *'new=' ]]
}

@test "backup_prepare refuses settings before anything is made, and an image without pgBackRest" {
  answer archive-push.1 37 <<<'ERROR: [037]: archive-push command requires option: repo1-s3-bucket'
  answer backup.1 32 <<<"ERROR: [032]: 'x' is not valid for 'repo1-retention-full' option"
  PGBACKREST_REPO1_RETENTION_FULL=x run -2 with_backup 'backup_prepare'
  [[ $output == *PGBACKREST_REPO1_S3_BUCKET* && $output == *'PGBACKREST_REPO1_RETENTION_FULL: '* ]]
  [ ! -e "$STATE_DIR/pgbackrest.conf" ]
  rm "$BACKUP_PROGRAM"
  run -4 with_backup 'backup_prepare'
}

@test "backup_archive_command is safe for a shell and for the server" {
  run -0 with_backup 'BACKUP_STANZA=s; BACKUP_FILE="/a b/it'"'"'s 100%.conf"; backup_archive_command; echo "$REPLY"'
  [ "$output" = "$BACKUP_PROGRAM '--config=/a b/it'\\''s 100%%.conf' --stanza=s archive-push \"%p\"" ]
}

@test "backup_config adds what the server has to know, again after the settings are forgotten" {
  BACKUP_ENABLED=true run -0 with_backup 'backup_config 2>/dev/null; backup_forget; backup_config'
  [ "${#lines[@]}" = 4 ]
  [[ ${lines[0]} == 'add <archive_mode> <on>' && ${lines[1]} == 'add <archive_command> <'*'--stanza=main archive-push'* ]]
  [ "${lines[3]}" = "${lines[1]}" ]
}

@test "backup_complain says what failed, what that means and what to do" {
  run -0 with_backup 'BACKUP_ERROR=why; backup_complain this'
  [[ $output == *'expected this to succeed, found: why; the server runs and keeps its log'*'pgbackrest check' ]]
}

@test "backup_make_stanza makes it without the server, and a failure ends nothing" {
  run -0 with_backup 'backup_prepare; backup_make_stanza; echo "made=$BACKUP_STANZA_MADE"'
  [[ $output == *'made the stanza main'*made=yes ]]
  grep -q '<--no-online> <stanza-create>' "$CALLS"
  [ ! -e "$STATE_DIR/pgbackrest.out" ]
  answer stanza-create 103 <<<'ERROR: [103]: repository away'
  run -0 with_backup 'backup_prepare; backup_make_stanza; echo "made=$BACKUP_STANZA_MADE"'
  [[ $output == *'found: repository away'*made= ]]
}

@test "backup_patience leaves the time that the environment sets" {
  run -0 with_backup 'backup_collect; backup_patience; echo "${REPLY_LIST[*]}"'
  [ "$output" = --io-timeout=4 ]
  PGBACKREST_IO_TIMEOUT=30 run -0 with_backup 'backup_collect; backup_patience; echo "${REPLY_LIST[*]}"'
  [ -z "$output" ]
}

@test "backup_make_recorded leaves what pgBackRest says in a file" {
  answer stanza-create 7 <<<'ERROR: [007]: x'
  run -7 with_backup 'backup_collect; (backup_make_recorded)'
  [ -z "$output" ]
  run -0 cat "$STATE_DIR/pgbackrest.out"
  [ "$output" = 'ERROR: [007]: x' ]
}

@test "backup_forget leaves the server no option" {
  export PGBACKREST_REPO1_S3_KEY=k PGBACKREST_ENABLE=true
  run -0 with_backup 'backup_forget; env | grep PGBACKREST_ || echo "none, $PGBACKREST_ENABLE $PGBACKREST_STANZA"'
  [ "$output" = 'none, true main' ]
}

@test "backup_follow_server writes where the server really listens, unless the environment says another" {
  printf '%s\n' 5444 '/sockets,/tmp' '*' postgres >"$STATE_DIR/postgresql.address"
  run -0 with_backup 'backup_collect; backup_defaults; backup_follow_server; cat "$BACKUP_FILE"'
  [[ $output == *pg1-socket-path=/sockets$'\n'*pg1-port=5444* ]]
  PGBACKREST_PG1_PORT=1 run -0 with_backup 'backup_collect; backup_defaults; backup_follow_server; cat "$BACKUP_FILE"'
  [[ $output == *pg1-port=1$'\n'* ]]
  rm "$STATE_DIR"/postgresql.address "$STATE_DIR"/pgbackrest.conf
  run -0 with_backup 'backup_collect; backup_defaults; backup_follow_server'
  [ ! -e "$STATE_DIR/pgbackrest.conf" ]
}

@test "backup_await_recovery waits for its end, not for ever, and not for a standby" {
  run -0 with_backup 'backup_await_recovery 0'
  touch "$PGDATA/recovery.signal"
  run -1 with_backup 'backup_await_recovery 0'
  run -0 with_backup 'startup_pause() { rm -f "$PGDATA/recovery.signal"; }; backup_await_recovery 60'
  touch "$PGDATA/standby.signal"
  run -1 with_backup 'backup_await_recovery 0'
}

@test "backup_is_stopping knows the phase" {
  run -1 with_backup 'phase_set running; backup_is_stopping'
  run -0 with_backup 'phase_set stopping; backup_is_stopping'
}

@test "backup_attempt makes the stanza once and then only checks" {
  answer check.1 82 <<<'ERROR: [082]: not yet'
  run -0 with_backup 'backup_collect; backup_attempt || echo "$BACKUP_STEP: $BACKUP_ERROR"; backup_attempt && echo works'
  [ "$output" = $'the check of the stanza main: not yet\nworks' ]
  run -0 grep -c stanza-create "$CALLS"
  [ "$output" = 1 ]
  answer stanza-create 1 <<<'ERROR: [001]: no'
  run -0 with_backup 'backup_collect; backup_attempt || echo "$BACKUP_STEP"'
  [ "$output" = 'making or finding the stanza main' ]
}

@test "backup_started says that archiving works" {
  PGBACKREST_ENABLE=true run -0 with_backup 'backup_collect; backup_defaults; backup_started'
  [[ $output == *'04-backup: archiving works'* ]]
}

@test "backup_started tries until it works and says each reason once" {
  answer stanza-create.1 103 <<<'ERROR: [103]: away'
  answer stanza-create.2 103 <<<'ERROR: [103]: away'
  answer stanza-create.3 103 <<<'ERROR: [103]: still away'
  PGBACKREST_ENABLE=true run -0 with_backup 'startup_pause() { echo "pause $1"; }; phase_set running
    backup_collect; backup_defaults; backup_started'
  [ "$(grep -c 'ERROR' <<<"$output")" = 2 ]
  [[ $output == *'found: away'*'pause 5'*'pause 10'*'found: still away'*'pause 20'*'archiving works'* ]]
}

@test "backup_started is silent about a failure while the container stops, and about a server in recovery" {
  answer check 1 <<<'ERROR: [001]: shut down'
  PGBACKREST_ENABLE=true run -0 with_backup 'phase_set stopping; backup_collect; backup_defaults; backup_started'
  [ -z "$output" ]
  touch "$PGDATA/standby.signal"
  PGBACKREST_ENABLE=true run -0 with_backup 'backup_collect; backup_defaults; backup_started'
  [[ $output == *'not checked, because the server is in recovery' ]]
}

@test "init_backup makes the stanza of a new database, leaves that of an old one to the check, and forgets" {
  export PGBACKREST_ENABLE=true
  run -0 with_backup 'init_backup; env | grep PGBACKREST_ || echo none'
  [[ $output == *'made the stanza main'*none ]]
  : >"$CALLS"
  touch "$PGDATA/PG_VERSION"
  run -0 with_backup 'init_backup'
  run ! grep -q stanza-create "$CALLS"
}

@test "init_backup makes no stanza where another program makes the database: it is not there yet" {
  export PGBACKREST_ENABLE=true
  run -0 with_backup 'DATABASE_DECIDER=decide; init_backup; env | grep PGBACKREST_ || echo "none, new=$BACKUP_NEW"'
  [[ $output == *$'\n''none, new=yes' && $output != *'made the stanza'* ]]
  [ -s "$STATE_DIR/pgbackrest.conf" ]
  run ! grep -q stanza-create "$CALLS"
}

@test "the script runs alone when it is executed" {
  PGBACKREST_ENABLE=true run -0 as_user "$SCRIPTS/init/04-backup.sh" postgres
  [[ $output == *'made the stanza main'* ]]
}
