#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  COMMAND=$IMAGE/usr/local/bin/patronictl
  FILE=$STATE_FOLDERS/patroni/patroni.yml
  # What Patroni's own program gets is after the code.
  stub python3 <<'S'
[[ "$1 $2 $3" == '-I -c '*'ctl(prog_name="patronictl")' ]] || exit 9
shift 3
printf '%s:' "$EUID"; printf ' <%s>' "$@"; echo
exit "${CTL_CODE-0}"
S
}

# Runs code with the functions of the program at hand.
with_command() { as_user bash -c 'source "$1"; '"$1" bash "$COMMAND"; }

# Leaves the configuration that a start of Patroni wrote.
process_1() {
  mkdir -p "$STATE_FOLDERS/patroni"
  echo running >"$STATE_FOLDERS/phase"
  echo 'scope: main' >"$FILE"
  chmod 700 "$STATE_FOLDERS/patroni"
  chmod 600 "$FILE"
  owned_by_user "$STATE_FOLDERS"
}

@test "command_find_configuration: where a start of Patroni wrote it, else nothing" {
  run -0 with_command 'command_find_configuration; echo "<$REPLY>"'
  [ "$output" = '<>' ]
  process_1
  run -0 with_command 'command_find_configuration; echo "<$REPLY>"'
  [ "$output" = "<$FILE>" ]
  STATE_FOLDERS=/none:$STATE_FOLDERS run -0 with_command 'command_find_configuration; echo "<$REPLY>"'
  [ "$output" = "<$FILE>" ]
}

@test "patronictl: with this container's configuration, arguments as they are, Patroni's code" {
  process_1
  CTL_CODE=3 run -3 as_user "$COMMAND" switchover --candidate 'the "node" $(x)' --force
  [[ $output == *": <-c> <$FILE> <switchover> <--candidate> <the \"node\" \$(x)> <--force>" ]]
  run -0 as_user "$COMMAND"
  [[ $output == *": <-c> <$FILE>" ]]
}

@test "patronictl: another configuration that is named wins" {
  process_1
  local words
  for words in '-c /mine list' '-c/mine list' '--config-file /mine list' '--config-file=/mine list' '-k -c /mine list'; do
    # shellcheck disable=SC2086 # several words
    run -0 as_user "$COMMAND" $words
    [[ $output == *": <${words// /> <}>" ]]
  done
}

@test "patronictl: -c after the command is an option of that command: query -c SQL" {
  process_1
  run -0 as_user "$COMMAND" query main -c 'SELECT 1'
  [[ $output == *": <-c> <$FILE> <query> <main> <-c> <SELECT 1>" ]]
}

@test "patronictl: where nothing was written Patroni looks for itself" {
  run -0 as_user "$COMMAND" list
  [[ $output == *': <list>' ]]
}

@test "patronictl: root becomes the owner of the configuration" {
  ((EUID == 0)) || skip "needs root"
  process_1
  run -0 "$COMMAND" edit-config --set 'ttl=30 $(x)'
  [ "$output" = "12345: <-c> <$FILE> <edit-config> <--set> <ttl=30 \$(x)>" ]
}

@test "patronictl: root stays root where the configuration is root's, or where it may not become another" {
  ((EUID == 0)) || skip "needs root"
  process_1
  chown -R 0 "$STATE_FOLDERS/patroni"
  run -0 "$COMMAND" list
  [ "$output" = "0: <-c> <$FILE> <list>" ]
  chown -R 12345 "$STATE_FOLDERS/patroni"
  run -0 bash -c 'source "$1"; security_capable() { return 1; }; command_main list' bash "$COMMAND"
  [ "$output" = "0: <-c> <$FILE> <list>" ]
}

@test "patronictl: a user who may not read the configuration is told whom to be" {
  ((EUID == 0)) || skip "a file of another user takes root"
  process_1
  chmod 755 "$STATE_FOLDERS/patroni"
  chown 4711 "$FILE"
  run -3 as_user "$COMMAND" list
  [[ $output == *"ERROR patronictl: $FILE: expected a file that user 12345 can read, found one of another user"*'docker exec --user'* ]]
}

@test "patronictl: a user who may not even look into the folder of the configuration is told so too" {
  ((EUID == 0)) || skip "a folder of another user takes root"
  process_1
  chown -R 4711 "$STATE_FOLDERS/patroni"
  run -3 as_user "$COMMAND" list
  [[ $output == *"found one of another user"* ]]
}

@test "patronictl: the real one, with the modules wherever they are" {
  rm "$STUBS/python3"
  real_patroni
  run -0 as_user "$COMMAND" version
  [[ $output == 'patronictl version '* ]]
  process_1
  printf '%s\n' 'scope: main' 'name: n' 'restapi: {listen: "127.0.0.1:1", connect_address: "127.0.0.1:1"}' 'postgresql: {data_dir: /none}' >"$FILE"
  run -0 as_user "$COMMAND" version
  [[ $output == 'patronictl version '* ]]
}
