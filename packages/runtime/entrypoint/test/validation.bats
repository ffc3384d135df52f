#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  source "$SCRIPTS/utils/validation.sh"
}

@test "has_control: finds newlines and escapes, not unicode" {
  has_control $'a\nb'
  has_control $'\e'
  run ! has_control 'é $(x)'
}

@test "valid_string: takes anything" {
  valid_string $'-n "\n'
  [ "$REPLY" = $'-n "\n' ]
}

@test "valid_integer: normal form and range" {
  valid_integer 007 1..10
  [ "$REPLY" = 7 ]
  valid_integer -5 ..
  [ "$REPLY" = -5 ]
  valid_integer 0 0..0
  [ "$REPLY" = 0 ]
  valid_integer 08 ..9
  [ "$REPLY" = 8 ]
}

@test "valid_integer: refuses all else and says what it wants" {
  local value
  for value in '' abc 1.5 '1 2' $'1\n' 'a[$(touch '"$BATS_TEST_TMPDIR"'/hit)]' 0x10 99999999999999999999 11 --; do
    run -1 valid_integer "$value" 1..10
  done
  valid_integer 11 1..10 || [ "$REPLY" = 'a whole number from 1 to 10' ]
  [ ! -e "$BATS_TEST_TMPDIR/hit" ]
}

@test "valid_range_text: every kind of range" {
  valid_range_text 1 2
  [ "$REPLY" = 'a whole number from 1 to 2' ]
  valid_range_text 1 ''
  [ "$REPLY" = 'a whole number of at least 1' ]
  valid_range_text '' 2
  [ "$REPLY" = 'a whole number of at most 2' ]
  valid_range_text '' ''
  [ "$REPLY" = 'a whole number' ]
}

@test "valid_boolean: takes what people write" {
  local value
  for value in true TRUE Yes on 1 y t; do
    valid_boolean "$value"
    [ "$REPLY" = true ]
  done
  for value in false No OFF 0 n f; do
    valid_boolean "$value"
    [ "$REPLY" = false ]
  done
  run -1 valid_boolean maybe
  run -1 valid_boolean '$(true)'
}

@test "valid_enum: one of the words, whole" {
  valid_enum json text,json
  [ "$REPLY" = json ]
  local value
  for value in '' xml text,json 'js*' ','; do run -1 valid_enum "$value" text,json; done
  valid_enum JSON text,json
  [ "$REPLY" = json ]
  valid_enum x text,json || [ "$REPLY" = 'one of text, json' ]
}

@test "valid_path: absolute, without control characters or slashes at the end" {
  valid_path '/a b/$(x)//'
  [ "$REPLY" = '/a b/$(x)' ]
  valid_path /
  [ "$REPLY" = / ]
  run -1 valid_path relative
  run -1 valid_path ''
  run -1 valid_path $'/a\nb'
}

@test "valid_port: 1 to 65535" {
  valid_port 5432
  [ "$REPLY" = 5432 ]
  run -1 valid_port 0
  run -1 valid_port 65536
}

@test "byte_length: counts bytes" {
  byte_length 'é€'
  [ "$REPLY" = 5 ]
  byte_length ''
  [ "$REPLY" = 0 ]
}

@test "words_split: quotes and backslashes as in a shell, nothing expanded" {
  words_split $'--a=b  \'c d\' "e \\" f" g\\ h "" $(x)`y`$HOME *'
  [ "${#WORDS_FOUND[@]}" = 7 ]
  [ "${WORDS_FOUND[1]}" = 'c d' ]
  [ "${WORDS_FOUND[2]}" = 'e " f' ]
  [ "${WORDS_FOUND[3]}" = 'g h' ]
  [ "${WORDS_FOUND[4]}" = '' ]
  [ "${WORDS_FOUND[5]}" = '$(x)`y`$HOME' ]
  [ "${WORDS_FOUND[6]}" = '*' ]
  words_split ''
  [ "${#WORDS_FOUND[@]}" = 0 ]
}

@test "words_split: refuses an open quote or a backslash at the end" {
  run -1 words_split "a 'b"
  run -1 words_split 'a "b'
  run -1 words_split $'a\\'
}

@test "name_distance: counts letters" {
  name_distance kitten sitting
  [ "$REPLY" = 3 ]
  name_distance '' abc
  [ "$REPLY" = 3 ]
  name_distance same same
  [ "$REPLY" = 0 ]
}

@test "words_split: 64 kB of one word take no time" {
  local long
  printf -v long '%065536d' 7
  words_split "a $long 'b'"
  [ "${#WORDS_FOUND[@]}" = 3 ]
  [ "${WORDS_FOUND[1]}" = "$long" ]
}

@test "name_nearest: the nearest, or nothing" {
  name_nearest POSTGRES_PASWORD POSTGRES_USER POSTGRES_PASSWORD
  [ "$REPLY" = POSTGRES_PASSWORD ]
  name_nearest "$(printf 'A%.0s' {1..65})" "$(printf 'A%.0s' {1..65})"
  [ -z "$REPLY" ]
  name_nearest COMPLETELY_ELSE POSTGRES_USER
  [ -z "$REPLY" ]
}
