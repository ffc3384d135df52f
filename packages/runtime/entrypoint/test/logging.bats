#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  source "$SCRIPTS/utils/logging.sh"
}

@test "log_rank: orders the levels, an unknown one is info" {
  local level ranks=""
  for level in debug info warn error 'x[$(exit 9)]'; do
    log_rank "$level"
    ranks+=$REPLY
  done
  [ "$ranks" = 01231 ]
}

@test "log_visible: keeps plain text, shows control characters" {
  log_visible 'plain é "$(x)"'
  [ "$REPLY" = 'plain é "$(x)"' ]
  log_visible $'a\nb\tc\r\e[1m'
  [ "$REPLY" = 'a\nb\tc\r\x1b[1m' ]
}

@test "log_is_utf8: knows good and bad bytes" {
  log_is_utf8 'é€😀'
  log_is_utf8 ascii
  run ! log_is_utf8 $'\xff\xfe'
  run ! log_is_utf8 $'a\xc3'
}

@test "log_json_string: is JSON whatever the text" {
  local text
  for text in 'a "b" \ $(x)' $'line\nline\t\x01\x1b' 'é😀' $'bad\xff' '' '-n'; do
    log_json_string "$text"
    node -e 'JSON.parse(process.argv[1])' -- "$REPLY"
  done
  log_json_string $'q"\\\n\x01'
  [ "$REPLY" = '"q\"\\\n\u0001"' ]
}

@test "log_time: is UTC with milliseconds, whatever the zone" {
  TZ=America/New_York log_time
  [[ $REPLY =~ ^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$ ]]
  [ "${REPLY:11:2}" = "$(date -u +%H)" ]
}

@test "log_write: level, name and text on stderr, nothing on stdout" {
  LOG_NAME=me run --separate-stderr log_write info $'two\nlines'
  [ -z "$output" ]
  [[ ${stderr-} == *'Z INFO  me: two\nlines' ]]
}

@test "log_write: leaves REPLY alone" {
  REPLY=mine
  log_write info text 2>/dev/null
  [ "$REPLY" = mine ]
}

@test "log_write: LOG_LEVEL hides what is less important, a wrong one hides nothing" {
  LOG_LEVEL=warn run log_info hidden
  [ -z "$output" ]
  LOG_LEVEL=warn run log_warn shown
  [ -n "$output" ]
  LOG_LEVEL='$(exit)' run log_info shown
  [ -n "$output" ]
}

@test "log_write: json is one object a line" {
  LOG_FORMAT=json run log_error $'he said "no"\n\\ $(x)'
  [ "${#lines[@]}" = 1 ]
  node -e 'const o = JSON.parse(process.argv[1]); if (o.level !== "error" || o.message !== "he said \"no\"\n\\ $(x)") process.exit(1)' "$output"
}

@test "log_write: a closed stderr is no failure" {
  log_write info text 2>&-
}

@test "log_debug, log_info, log_warn, log_error: each its level" {
  export LOG_LEVEL=debug
  run log_debug a
  [[ $output == *' DEBUG '* ]]
  run log_info a
  [[ $output == *' INFO '* ]]
  run log_warn a
  [[ $output == *' WARN '* ]]
  run log_error a b
  [[ $output == *' ERROR '*': a b' ]]
}

@test "die: says why and ends with the code" {
  run -3 die 3 no way
  [[ $output == *'ERROR'*'no way' ]]
}
