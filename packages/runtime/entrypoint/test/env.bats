#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  local util
  for util in logging validation env; do source "$SCRIPTS/utils/$util.sh"; done
  cat >"$CONTRACTS/a.contract" <<'C'
# comment
var|DB_PASSWORD|string||secret|
var|DB_NAME|string|base|file|
var|DB_SIZE|integer|5||1..9
var|DB_ON|boolean|false||
var|DB_KIND|enum|text||text,json
var|DB_DIR|path|/data||
var|DB_PORT_NUMBER|port|||
var|CONF_*|integer|||1..
prefix|DB_
C
}

# Loads the contracts with an environment; needs NAME=VALUE words.
load_env() {
  local word
  : >"$BATS_TEST_TMPDIR/environ"
  for word in "$@"; do
    printf '%s\0' "$word" >>"$BATS_TEST_TMPDIR/environ"
    if [[ ${word%%=*} =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]]; then export "${word%%=*}=${word#*=}"; fi
  done
  env_load "$CONTRACTS" "$BATS_TEST_TMPDIR/environ"
}

@test "env_read_contract: variables, families, prefixes; no newline at the end is no matter" {
  printf 'var|A|integer|1|secret|1..2\nvar|F_*|string|||\nprefix|P_' >"$BATS_TEST_TMPDIR/c"
  env_read_contract "$BATS_TEST_TMPDIR/c"
  [ "${ENV_TYPE[A]} ${ENV_DEFAULT[A]} ${ENV_FLAGS[A]} ${ENV_LIMIT[A]}" = 'integer 1 secret 1..2' ]
  [ "${ENV_FAMILIES[*]} ${ENV_PREFIXES[*]} ${ENV_NAMES[*]}" = 'F_ P_ A' ]
}

@test "env_read_names: names only, values may hold anything" {
  printf 'A=1\nB=2\0C=\0D.E=x\0' >"$BATS_TEST_TMPDIR/environ"
  env_read_names "$BATS_TEST_TMPDIR/environ"
  [ "${ENV_PRESENT[*]}" = 'A C D.E' ]
}

@test "env_takes_file, env_is_secret: by flags" {
  load_env
  env_takes_file DB_PASSWORD
  env_takes_file DB_NAME
  env_is_secret DB_PASSWORD
  run -1 env_takes_file DB_SIZE
  run -1 env_is_secret DB_NAME
  run -1 env_is_secret UNDECLARED
}

@test "env_is_service_link: what Kubernetes sets, not what we do" {
  export DB_PORT=tcp://10.0.0.1:5432
  local name
  for name in DB_PORT DB_SERVICE_HOST DB_SERVICE_PORT DB_SERVICE_PORT_PG DB_PORT_5432_TCP DB_PORT_5432_TCP_ADDR; do
    env_is_service_link "$name"
  done
  DB_PORT=5432
  run -1 env_is_service_link DB_PORT
  run -1 env_is_service_link DB_PASSWORD
}

@test "env_fault: shows what was found, never of a secret, never endlessly" {
  load_env
  env_fault DB_SIZE 'a number' x
  env_fault DB_PASSWORD 'better' hunter2
  env_fault DB_SIZE 'a number' "$(printf 'x%.0s' {1..999})"
  [[ ${ENV_ERRORS[0]} == "DB_SIZE: expected a number, found 'x'; "* ]]
  [[ ${ENV_ERRORS[1]} != *hunter2* ]]
  ((${#ENV_ERRORS[2]} < 200))
}

@test "env_read_file: content without the last newline" {
  load_env
  printf 'p "w" $(x)\nétwo\n\n' >"$BATS_TEST_TMPDIR/f"
  env_read_file DB_PASSWORD "$BATS_TEST_TMPDIR/f"
  [ "$REPLY" = $'p "w" $(x)\nétwo' ]
  : >"$BATS_TEST_TMPDIR/f"
  env_read_file DB_PASSWORD "$BATS_TEST_TMPDIR/f"
  [ -z "$REPLY" ]
}

@test "env_read_file: refuses a folder, nothing, a zero byte" {
  load_env
  printf 'a\0b' >"$BATS_TEST_TMPDIR/f"
  if env_read_file DB_PASSWORD "$BATS_TEST_TMPDIR"; then return 1; fi
  if env_read_file DB_PASSWORD "$BATS_TEST_TMPDIR/none"; then return 1; fi
  if env_read_file DB_PASSWORD "$BATS_TEST_TMPDIR/f"; then return 1; fi
  [ "${#ENV_ERRORS[@]}" = 3 ]
  [[ ${ENV_ERRORS[2]} == 'DB_PASSWORD_FILE: '*'zero byte'* ]]
}

@test "env_resolve: defaults, empty is unset, normal form" {
  load_env DB_SIZE= DB_ON=YES DB_DIR=/x/
  [ "$DB_SIZE $DB_ON $DB_DIR $DB_NAME" = '5 true /x base' ]
  [ "${#ENV_ERRORS[@]}" = 0 ]
}

@test "env_resolve: from a file, and not from two places" {
  printf 'secret\n' >"$BATS_TEST_TMPDIR/f"
  load_env "DB_PASSWORD_FILE=$BATS_TEST_TMPDIR/f" DB_NAME=x "DB_NAME_FILE=$BATS_TEST_TMPDIR/f"
  [ "$DB_PASSWORD" = secret ]
  [ "${ENV_ERRORS[*]}" = 'DB_NAME and DB_NAME_FILE are both set, expected one of them; leave the other out' ]
}

@test "env_check: every type" {
  load_env
  env_check DB_SIZE 3 DB_SIZE
  env_check DB_ON on DB_ON
  env_check DB_KIND json DB_KIND
  env_check DB_DIR /x DB_DIR
  env_check DB_PORT_NUMBER 80 DB_PORT_NUMBER
  env_check DB_NAME '-n "$(x)"' DB_NAME
  [ "$REPLY" = '-n "$(x)"' ]
  if env_check CONF_* 0 CONF_X; then return 1; fi
  [[ ${ENV_ERRORS[0]} == 'CONF_X: expected a whole number of at least 1'* ]]
}

@test "env_family: members with a value, no service links" {
  load_env CONF_A=1 CONF_B= CONF_PORT=tcp://1.2.3.4:5 CONF_SERVICE_HOST=x OTHER=1
  env_family CONF_
  [ "${REPLY_LIST[*]}" = CONF_A ]
}

@test "env_resolve_family: checks values and names" {
  load_env CONF_A=0 CONF_b.c=1 CONF_C=2
  [ "${#ENV_ERRORS[@]}" = 2 ]
  [[ "${ENV_ERRORS[*]}" == *'CONF_b.c: '*'CONF_A: '* ]]
}

@test "env_is_known: declared, its file, a family" {
  load_env
  env_is_known DB_SIZE
  env_is_known DB_NAME_FILE
  env_is_known CONF_X
  run -1 env_is_known DB_SIZE_FILE
  run -1 env_is_known DB_ELSE
}

@test "env_find_unknown: warns with the nearest name" {
  load_env DB_PASWORD=x DB_SERVICE_HOST=y OTHER=z
  [ "${ENV_WARNINGS[*]}" = 'DB_PASWORD is set, but nothing here reads it; did you mean DB_PASSWORD?' ]
}

@test "env_find_unknown: a prefix that two contracts have warns once; one that begins as another does is not that one" {
  printf 'prefix|DB_\nprefix|OTHER\nprefix|OTHER_\n' >"$CONTRACTS/b.contract"
  load_env DB_PASWORD=x
  [ "${#ENV_WARNINGS[@]}" = 1 ]
  [ "${ENV_PREFIXES[*]}" = 'DB_ OTHER OTHER_' ]
}

@test "env_load: all faults at once; hostile values run nothing" {
  load_env 'DB_SIZE=a[$(touch '"$BATS_TEST_TMPDIR"'/hit)]' 'DB_ON=`touch '"$BATS_TEST_TMPDIR"'/hit`' DB_KIND=, DB_DIR=x
  [ "${#ENV_ERRORS[@]}" = 4 ]
  [ ! -e "$BATS_TEST_TMPDIR/hit" ]
}

@test "env_load: a folder without contracts is no fault" {
  env_load "$BATS_TEST_TMPDIR"
  [ "${#ENV_NAMES[@]}${#ENV_ERRORS[@]}" = 00 ]
}

@test "env_export, env_forget_secrets: init sees all, the server no secret" {
  printf 's3' >"$BATS_TEST_TMPDIR/f"
  load_env "DB_PASSWORD_FILE=$BATS_TEST_TMPDIR/f"
  env_export
  [ "$(bash -c 'echo "$DB_PASSWORD $DB_SIZE"')" = 's3 5' ]
  env_forget_secrets
  [ "$(bash -c 'echo "${DB_PASSWORD-gone} $DB_SIZE"')" = 'gone 5' ]
}

@test "env_report: warnings and faults; lenient makes all warnings" {
  load_env DB_SIZE=0 DB_SIZ=1
  run -1 env_report
  [[ ${lines[0]} == *WARN*DB_SIZ* && ${lines[1]} == *ERROR*DB_SIZE* ]]
  run -0 env_report lenient
  [[ $output != *ERROR* ]]
  load_env DB_SIZE=1 DB_SIZ=
  ENV_WARNINGS=()
  run -0 env_report
}

@test "env_hand_on_files: a program that takes the place reads the values without the files" {
  printf 'var|THE_PASSWORD|string||secret|\n' >"$CONTRACTS/x.contract"
  printf 's3 "$(x)"\n\n' >"$BATS_TEST_TMPDIR/secret"
  chmod a+r "$BATS_TEST_TMPDIR/secret"
  THE_PASSWORD_FILE=$BATS_TEST_TMPDIR/secret run -0 with_entrypoint 'env_load "$ENTRYPOINT_CONTRACTS"; env_hand_on_files
    exec bash -c "source \"\$0/entrypoint.sh\"; [[ \$THE_PASSWORD_FILE == /dev/fd/* && -z \${THE_PASSWORD-} ]]
      env_load \"\$ENTRYPOINT_CONTRACTS\"; env_report; echo \"<\$THE_PASSWORD>\"" "$0"'
  [ "$output" = '<s3 "$(x)">' ]
}

@test "env_is_name: letters of ASCII, digits and _, whatever the locale" {
  local name
  for name in a _ A1_b; do env_is_name "$name"; done
  for name in '' 1a ü aü 'a b' a- $'a\nb'; do run -1 env_is_name "$name"; done
}
