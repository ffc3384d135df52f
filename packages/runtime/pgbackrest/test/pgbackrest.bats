#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load helper

setup() { pgbackrest_setup; }

@test "backup_enabled: either variable is enough, and none means no" {
  run ! with_backup 'backup_enabled'
  PGBACKREST_ENABLE=yes run -0 with_backup 'backup_enabled'
  BACKUP_ENABLED=on run -0 with_backup 'backup_enabled'
}

@test "backup_option and backup_variable translate names both ways" {
  run -0 with_backup 'backup_option PGBACKREST_REPO1_S3_KEY; echo "$REPLY"; backup_variable repo1-s3-key; echo "$REPLY"'
  [ "$output" = $'repo1-s3-key\nPGBACKREST_REPO1_S3_KEY' ]
}

@test "backup_is_ours: our own names and the files of secrets, not pgBackRest's options that end in file" {
  run -0 with_backup 'for n in PGBACKREST_ENABLE PGBACKREST_STANZA PGBACKREST_REPO1_CIPHER_PASS_FILE \
    PGBACKREST_REPO1_STORAGE_CA_FILE PGBACKREST_REPO1_PATH; do backup_is_ours "$n" && echo "$n"; done; :'
  [ "$output" = $'PGBACKREST_ENABLE\nPGBACKREST_STANZA\nPGBACKREST_REPO1_CIPHER_PASS_FILE' ]
}

@test "backup_is_list knows the options that have several values" {
  run -0 with_backup 'for o in db-include link-map repo2-storage-tag repo1-path; do backup_is_list $o && echo $o; done; :'
  [ "$output" = $'db-include\nlink-map\nrepo2-storage-tag' ]
}

@test "backup_set keeps the order and backup_default does not overwrite what the environment gave" {
  run -0 with_backup 'backup_set b 1 PGBACKREST_B; backup_set a 2; backup_set b 3
    backup_default b 9; backup_default a 4; echo "${BACKUP_OPTIONS[*]} ${BACKUP_VALUES[b]} ${BACKUP_VALUES[a]}"'
  [ "$output" = 'b a 3 4' ]
}

@test "backup_collect takes every option of the environment, secrets from files too" {
  printf 'se=cr#et;\n' >"$BATS_TEST_TMPDIR/pass"
  export PGBACKREST_REPO1_PATH='/a b' PGBACKREST_REPO1_CIPHER_PASS_FILE=$BATS_TEST_TMPDIR/pass PGBACKREST_ENABLE=true
  run -0 with_backup 'backup_collect; for o in "${BACKUP_OPTIONS[@]}"; do echo "$o=${BACKUP_VALUES[$o]}"; done
    echo "${#BACKUP_FAULTS[@]} $BACKUP_STANZA"'
  [ "$output" = $'repo1-cipher-pass=se=cr#et;\nrepo1-path=/a b\n0 main' ]
}

@test "backup_collect and backup_take name what a file cannot hold, without showing it" {
  export PGBACKREST_REPO1_CIPHER_PASS=$'two\nlines' PGBACKREST_REPO1_S3_KEY='blank ' PGBACKREST_CONFIG=/x
  export PGBACKREST_STANZA=$'a\' b'
  run -0 with_backup 'backup_collect; printf "%s\n" "${BACKUP_FAULTS[@]}"; echo "$BACKUP_STANZA ${#BACKUP_OPTIONS[@]}"'
  [[ $output == *"PGBACKREST_STANZA: expected at most 63 letters"*"found 'a' b'"* ]]
  [[ $output == *'PGBACKREST_REPO1_CIPHER_PASS: expected one line'* && $output == *'PGBACKREST_REPO1_S3_KEY: expected no blank'* ]]
  [[ $output == *'PGBACKREST_CONFIG: expected no configuration file'* && $output != *two* ]]
  [ "${lines[-1]}" = 'main 0' ]
}

@test "backup_take refuses a value that is too long for a line of pgBackRest's file" {
  run -0 with_backup 'printf -v PGBACKREST_BUFFER_SIZE "%032769d" 7; backup_collect; BACKUP_FAULTS=(); backup_take PGBACKREST_BUFFER_SIZE
    printf "%s\n" "${BACKUP_FAULTS[@]}"'
  [ "$output" = 'PGBACKREST_BUFFER_SIZE: expected at most 32768 bytes, found 32769; shorten it' ]
}

@test "backup_collect refuses names of stanzas that pgBackRest would take for something else" {
  local name
  for name in global .. -x 'a/b' 'a b' $'a\nb' 'ü' '$(id)'; do
    PGBACKREST_STANZA=$name run -0 with_backup 'backup_collect; echo "${#BACKUP_FAULTS[@]}"'
    [ "$output" = 1 ]
  done
  PGBACKREST_STANZA=shop.eu-1_x run -0 with_backup 'backup_collect; echo "${#BACKUP_FAULTS[@]} $BACKUP_STANZA"'
  [ "$output" = '0 shop.eu-1_x' ]
}

@test "backup_defaults fill in where the cluster is, but not over what was given" {
  PGBACKREST_PG1_USER=given PGPORT=5433 run -0 with_backup 'backup_collect; backup_defaults; backup_text; echo "$REPLY"'
  [[ $output == *"[main]"*"pg1-user=given"*"pg1-path=$PGDATA"*"pg1-port=5433"* && $output == *log-level-file=off* ]]
}

@test "backup_text puts the cluster's options into the stanza's section and lists on lines of their own" {
  run -0 with_backup 'BACKUP_STANZA=s; backup_set pg1-path /d; backup_set repo1-path /r; backup_set db-include a:b
    BACKUP_IGNORED=(foo); backup_text; echo "$REPLY"'
  [[ $output == *$'# stanza: s\n# ignored: foo\n\n[global]\nrepo1-path=/r\ndb-include=a\ndb-include=b\n\n[s]\npg1-path=/d' ]] \
    || [[ $output == *$'# stanza: s\n# ignored: foo\n\n[global]\nrepo1-path=/r\ndb-include=a\ndb-include=b\n[s]\npg1-path=/d' ]]
}

@test "backup_write makes a file for its owner alone and leaves no other behind" {
  run -0 with_backup 'backup_collect; backup_write; stat -c "%a %n" "$STATE_DIR"/pgbackrest*'
  [ "$output" = "600 $STATE_DIR/pgbackrest.conf" ]
}

@test "backup_write ends with the code for permission where it cannot write" {
  run -3 with_backup 'backup_collect; BACKUP_FILE=/nowhere/x; backup_write'
  [[ $output == *'cannot write /nowhere/x'* ]]
}

@test "backup_exec and backup_ask give pgBackRest its file and nothing of the environment" {
  export PGBACKREST_REPO1_S3_KEY=k PGBACKREST_TYPE=full
  run -0 with_backup 'backup_collect; backup_ask 20 check; echo "$BACKUP_STATUS"'
  [ "$output" = 0 ]
  run -0 cat "$CALLS"
  [[ $output == "pgbackrest <--config=$STATE_DIR/pgbackrest.conf> <--stanza=main>"*'<check>' ]]
}

@test "backup_ask breaks off what does not answer and says so" {
  stub pgbackrest <<<'sleep 60'
  run -0 with_backup 'BACKUP_STANZA=m; backup_ask 1 check; echo "$BACKUP_STATUS $BACKUP_ERROR"'
  [ "$output" = '124 no answer within 1 s' ]
}

@test "backup_read_output tells warnings from errors, in the words of both versions, hints included" {
  run -0 with_backup 'BACKUP_STATUS=32; BACKUP_OUTPUT=$'"'"'P00   WARN: one\nWARN: two\nP00  ERROR: [032]: bad\n            HINT: try\n'"'"'
    backup_read_output 20; printf "%s\n" "${BACKUP_WARNINGS[@]}" "$BACKUP_ERROR"'
  [ "$output" = $'one\ntwo\nbad; HINT: try' ]
}

@test "backup_read_output has words for an end without any, and cuts what is endless" {
  run -0 with_backup 'BACKUP_STATUS=9; BACKUP_OUTPUT=""; backup_read_output 20; echo "$BACKUP_ERROR"
    printf -v long "%700s" x; BACKUP_OUTPUT="ERROR: [1]: $long"; backup_read_output 20; echo "${#BACKUP_ERROR}"'
  [ "$output" = $'code 9 without a word\n601' ] || [ "${lines[1]}" -lt 610 ]
}

@test "backup_heed_warnings names unknown options, drops them and those of one command, passes on the rest" {
  run -0 with_backup 'backup_set foo 1 PGBACKREST_FOO; backup_set type full PGBACKREST_TYPE; backup_set repo1-path /r
    BACKUP_WARNINGS=("configuration file contains invalid option '"'foo'"'"
      "configuration file contains command-line only option '"'type'"'" "something else")
    backup_heed_warnings; echo "${!BACKUP_VALUES[*]} / ${BACKUP_IGNORED[*]}"'
  [[ $output == *"PGBACKREST_FOO: expected an option of pgBackRest"* && $output == *'pgBackRest: something else'* ]]
  [ "${lines[-1]}" = 'repo1-path / foo' ]
}

@test "backup_heed_error names what is missing, with the file for a secret, and goes on" {
  run -0 with_backup 'BACKUP_ERROR="archive-push command requires option: repo1-cipher-pass"
    backup_heed_error && echo "${BACKUP_FAULTS[*]} ${BACKUP_VALUES["repo1-cipher-pass"]}"; backup_heed_error || echo again'
  [[ $output == *'PGBACKREST_REPO1_CIPHER_PASS: expected a value'*'set PGBACKREST_REPO1_CIPHER_PASS or PGBACKREST_REPO1_CIPHER_PASS_FILE x'* ]]
  [ "${lines[-1]}" = again ]
}

@test "backup_heed_error writes true and false as pgBackRest wants them" {
  run -0 with_backup 'backup_set start-fast TRUE PGBACKREST_START_FAST; backup_set delta off PGBACKREST_DELTA
    BACKUP_ERROR="boolean option '"'start-fast'"' must be y or n"; backup_heed_error
    BACKUP_ERROR="boolean option '"'delta'"' must be y or n"; backup_heed_error
    echo "${BACKUP_VALUES["start-fast"]} ${BACKUP_VALUES[delta]} ${#BACKUP_FAULTS[@]}"'
  [ "$output" = 'y n 0' ]
}

@test "backup_heed_error blames the variable, shows no secret, and gives up on what it cannot place" {
  run -0 with_backup 'backup_set repo1-s3-key hidden PGBACKREST_REPO1_S3_KEY; backup_set compress-level x PGBACKREST_COMPRESS_LEVEL
    BACKUP_ERROR="'"'hidden' is not valid for 'repo1-s3-key' option"'"; backup_heed_error
    BACKUP_ERROR="'"'x' is not valid for 'compress-level' option"'"; backup_heed_error; printf "%s\n" "${BACKUP_FAULTS[@]}"
    BACKUP_ERROR="'"'x' is not valid for 'other' option"'"; backup_heed_error || echo gives up; BACKUP_ERROR=strange; backup_heed_error || echo twice'
  [[ $output == *'PGBACKREST_REPO1_S3_KEY: expected what pgBackRest takes, found: something else (not shown'* && $output != *hidden* ]]
  [[ $output == *"PGBACKREST_COMPRESS_LEVEL: expected what pgBackRest takes, found: 'x' is not valid"* ]]
  [[ $output == *$'gives up\ntwice' ]]
}

@test "backup_judge asks again until every fault is found" {
  answer archive-push.1 37 <<<'ERROR: [037]: archive-push command requires option: repo1-s3-bucket'
  answer archive-push.2 32 <<<"ERROR: [032]: 'abc' is not valid for 'compress-level' option"
  PGBACKREST_COMPRESS_LEVEL=abc run -0 with_backup 'backup_collect; backup_judge archive-push; printf "%s\n" "${BACKUP_FAULTS[@]}"'
  [[ ${lines[0]} == 'PGBACKREST_REPO1_S3_BUCKET: '* && ${lines[1]} == 'PGBACKREST_COMPRESS_LEVEL: '* ]]
  run -0 grep -c 'archive-push' "$CALLS"
  [ "$output" = 3 ]
}

@test "backup_judge heeds warnings once and writes the file without what is ignored" {
  answer archive-push 43 <<<"WARN: configuration file contains invalid option 'foo'"
  PGBACKREST_FOO=1 run -0 with_backup 'backup_collect; backup_judge archive-push; cat "$BACKUP_FILE"'
  [[ $output == *'PGBACKREST_FOO: expected an option'* && $output == *'# ignored: foo'* && $output != *foo=1* ]]
}

@test "backup_judge tells a fault that is no single variable's" {
  answer archive-push 31 <<<'ERROR: [031]: strange'
  run -0 with_backup 'backup_collect; backup_judge archive-push; printf "%s\n" "${BACKUP_FAULTS[@]}"'
  [[ $output == 'PGBACKREST_<OPTION>: expected options that pgBackRest takes together, found: strange'* ]]
}

@test "backup_report says everything, removes the file and ends with the code for configuration" {
  run -0 with_backup 'backup_report; echo well'
  [ "$output" = well ]
  run -2 with_backup 'touch "$BACKUP_FILE"; BACKUP_FAULTS=(one two); backup_report'
  [[ $output == *one*two* ]]
  [ ! -e "$STATE_DIR/pgbackrest.conf" ]
}
