#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  source "$SCRIPTS/utils/logging.sh"
}

@test "log_rank: orders the levels in any case, an unknown one is info" {
  local level ranks=""
  for level in debug info warn error DEBUG Warn ERROR 'x[$(exit 9)]'; do
    log_rank "$level"
    ranks+=$REPLY
  done
  [ "$ranks" = 01230231 ]
}

@test "log_is_utf8: knows good and bad bytes" {
  local text
  for text in 'é€😀' ascii '' $'\xed\x9f\xbf \xf4\x8f\xbf\xbf \xe0\xa0\x80'; do log_is_utf8 "$text"; done
  # Lone bytes, cut ones, overlong ones, surrogates, beyond Unicode, and two that join when what is between them goes.
  for text in $'\xff\xfe' $'a\xc3' $'\xc0\xaf' $'\xe0\x80\x80' $'\xed\xa0\x80' $'\xf4\x90\x80\x80' $'\xe2\xc3\xa9\x82\xac'; do
    run ! log_is_utf8 "$text"
  done
}

@test "log_escape: writes out what is not plain, in the format and with the codes that are given" {
  log_escape $'a\x01\n"\\\x7f' '<%d>'
  [ "$REPLY" = 'a<1>\n"\<127>' ]
  log_escape $'a"\\n' '<%d>' 92 34
  [ "$REPLY" = 'a\"\\n' ]
  log_escape $'é\xff&' '<%x>'
  [ "$REPLY" = '<c3><a9><ff>&' ]
}

@test "log_visible: keeps plain text, shows control characters and bytes that are no UTF-8" {
  log_visible 'plain é "$(x)" & \ 😀'
  [ "$REPLY" = 'plain é "$(x)" & \ 😀' ]
  log_visible $'a\nb\tc\r\e[1m'
  [ "$REPLY" = 'a\nb\tc\r\x1b[1m' ]
  log_visible $'bad \xff\xfe\n'
  [ "$REPLY" = 'bad \xff\xfe\n' ]
}

@test "log_json_string: is JSON whatever the text" {
  local text
  for text in 'a "b" \ $(x)' $'line\nline\t\x01\x1b' 'é😀' $'bad\xff' '' '-n' $'\\' '\n&' $'\x7f\\"'; do
    log_json_string "$text"
    node -e 'JSON.parse(process.argv[1])' -- "$REPLY"
  done
  log_json_string $'q"\\\n\x01'
  [ "$REPLY" = '"q\"\\\n\u0001"' ]
}

@test "log_visible, log_json_string: every byte there is gives one line of valid UTF-8, and JSON gives the text back" {
  local code text=""
  for code in {1..127}; do
    printf -v code '\\x%02x' "$code"
    printf -v code '%b' "$code"
    text+=$code
  done
  text+='é€😀'
  log_json_string "$text"
  printf '%s' "$text" >"$BATS_TEST_TMPDIR/plain"
  node -e 'if (JSON.parse(process.argv[1]) !== require("fs").readFileSync(process.argv[2], "utf8")) process.exit(1)' -- "$REPLY" "$BATS_TEST_TMPDIR/plain"
  for code in {128..255}; do
    printf -v code '\\x%02x' "$code"
    printf -v code '%b' "$code"
    text+=$code
  done
  log_visible "$text"
  log_is_utf8 "$REPLY"
  [[ $REPLY != *[[:cntrl:]]* ]]
  log_json_string "$text"
  node -e 'JSON.parse(process.argv[1])' -- "$REPLY"
}

@test "log_visible: 64 kB of line breaks take no time worth mentioning" {
  local text
  printf -v text '%65536s' ''
  SECONDS=0
  log_visible "${text// /$'\n'}"
  [ "${#REPLY}" = 131072 ]
  ((SECONDS < 20))
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

@test "log_write: LOG_LEVEL and LOG_FORMAT in any case" {
  LOG_LEVEL=WARN run log_info hidden
  [ -z "$output" ]
  LOG_FORMAT=JSON run log_info shown
  [[ $output == '{'* ]]
}

@test "log_write: a name from outside cannot spoil the line" {
  LOG_NAME=$'x"\n,\n' LOG_FORMAT=json run log_info text
  node -e 'if (JSON.parse(process.argv[1]).source !== "x\"\n,\n") process.exit(1)' -- "$output"
  LOG_NAME=$'x\ny' run log_info text
  [ "${#lines[@]}" = 1 ]
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
