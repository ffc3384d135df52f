#!/usr/bin/env bash
# Checks of values. Each valid_* gives 0 and the value in its normal form in REPLY, or 1 and in REPLY what was expected.

# Gives 0 if the text holds a control character, a newline included.
has_control() { [[ $1 == *[[:cntrl:]]* ]]; }

# Takes any text.
valid_string() { REPLY=$1; }

# Takes a whole number; the second argument is a range MIN..MAX of which either side may be empty.
valid_integer() {
  local value=$1 range=${2:-..} number sign=""
  local min=${range%%..*} max=${range##*..}
  valid_range_text "$min" "$max"
  [[ $value =~ ^([+-]?)0*([0-9]{1,15})$ ]] || return 1
  [[ ${BASH_REMATCH[1]} == - ]] && sign=-
  number=$sign$((10#${BASH_REMATCH[2]}))
  [[ -z $min ]] || ((number >= min)) || return 1
  [[ -z $max ]] || ((number <= max)) || return 1
  REPLY=$((number))
}

# Gives in REPLY the words for a range of whole numbers; needs MIN and MAX, either may be empty.
valid_range_text() {
  case ${1:+min}${2:+max} in
    minmax) REPLY="a whole number from $1 to $2" ;;
    min) REPLY="a whole number of at least $1" ;;
    max) REPLY="a whole number of at most $2" ;;
    *) REPLY="a whole number" ;;
  esac
}

# Takes what people write for yes and no; the normal form is true or false.
valid_boolean() {
  case ${1,,} in
    true | yes | on | 1 | y | t) REPLY=true ;;
    false | no | off | 0 | n | f) REPLY=false ;;
    *)
      REPLY="true or false"
      return 1
      ;;
  esac
}

# Takes one of the comma separated words of the second argument, in letters of any case.
valid_enum() {
  local value=$1 words=$2 word
  local -a list=()
  IFS=, read -r -a list <<<"$words"
  for word in "${list[@]}"; do
    if [[ ${value,,} == "${word,,}" ]]; then
      REPLY=$word
      return 0
    fi
  done
  REPLY="one of ${words//,/, }"
  return 1
}

# Takes an absolute path without control characters; trailing slashes go.
valid_path() {
  local value=$1
  if [[ $value != /* ]] || has_control "$value"; then
    REPLY="an absolute path, beginning with / and without control characters"
    return 1
  fi
  while [[ $value == ?*/ ]]; do value=${value%/}; done
  REPLY=$value
}

# Takes a TCP port.
valid_port() { valid_integer "$1" 1..65535; }

# Gives in REPLY how many bytes the text has, whatever the locale.
byte_length() {
  local LC_ALL=C
  REPLY=${#1}
}

# Gives in WORDS_FOUND what a shell would make of a line of words, with quotes and backslashes but no expansion of any kind.
# Gives 1 if a quote is left open.
words_split() {
  # Bytes: counting letters of several bytes takes as long as the text is, each time.
  local LC_ALL=C
  local text=$1 word="" open=0 char rest
  WORDS_FOUND=()
  while [[ -n $text ]]; do
    # Plain letters at once: one by one, a text of many kilobytes would take minutes.
    if [[ $text =~ ^[^[:space:]\'\"\\]+ ]]; then
      open=1
      word+=${BASH_REMATCH[0]}
      text=${text:${#BASH_REMATCH[0]}}
      continue
    fi
    char=${text:0:1}
    text=${text:1}
    case $char in
      [[:space:]])
        ((open)) && WORDS_FOUND+=("$word")
        word="" open=0
        ;;
      \' | \")
        open=1
        while [[ ${text:0:1} != "$char" ]]; do
          [[ -n $text ]] || return 1
          # Many letters at once here too.
          rest=${text%%[\"\'\\]*}
          if [[ -z $rest ]]; then
            if [[ $char == \" && $text == \\[\"\\]* ]]; then text=${text:1}; fi
            rest=${text:0:1}
          fi
          word+=$rest
          text=${text:${#rest}}
        done
        text=${text:1}
        ;;
      \\)
        [[ -n $text ]] || return 1
        open=1
        word+=${text:0:1}
        text=${text:1}
        ;;
    esac
  done
  ((open)) && WORDS_FOUND+=("$word")
  return 0
}

# Gives in REPLY how many letters two names differ by (Levenshtein).
name_distance() {
  local left=$1 right=$2 i j cost best
  local -a above=() row=()
  for ((j = 0; j <= ${#right}; j++)); do above[j]=$j; done
  for ((i = 1; i <= ${#left}; i++)); do
    row=("$i")
    for ((j = 1; j <= ${#right}; j++)); do
      cost=1
      [[ ${left:i-1:1} == "${right:j-1:1}" ]] && cost=0
      best=$((above[j - 1] + cost))
      ((above[j] + 1 < best)) && best=$((above[j] + 1))
      ((row[j - 1] + 1 < best)) && best=$((row[j - 1] + 1))
      row[j]=$best
    done
    above=("${row[@]}")
  done
  REPLY=${above[${#right}]}
}

# Gives in REPLY the name nearest to the first argument among the others, or nothing if none is near.
name_nearest() {
  local wanted=$1 name nearest="" least
  shift
  REPLY=""
  # Nobody misspells a name of this length, and comparing it would take seconds.
  ((${#wanted} <= 64)) || return 0
  least=$((${#wanted} / 3 + 1))
  for name in "$@"; do
    name_distance "$wanted" "$name"
    if ((REPLY < least)); then
      least=$REPLY
      nearest=$name
    fi
  done
  REPLY=$nearest
}
