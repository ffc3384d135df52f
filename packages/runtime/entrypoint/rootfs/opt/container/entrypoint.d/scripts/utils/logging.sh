#!/usr/bin/env bash
# One logger for every script: a line of text or one JSON object a line, always on stderr.
# LOG_LEVEL (debug, info, warn, error) and LOG_FORMAT (text, json) steer it; LOG_NAME says who speaks.

LOG_NAME=${LOG_NAME:-entrypoint}

# Gives in REPLY the rank of a level's name; an unknown level ranks as info, so that a typing error hides nothing.
log_rank() {
  case ${1,,} in
    debug) REPLY=0 ;;
    warn) REPLY=2 ;;
    error) REPLY=3 ;;
    *) REPLY=1 ;;
  esac
}

# Gives 0 if the text is well-formed UTF-8 (bytes are compared, whatever the locale of the container).
log_is_utf8() {
  local LC_ALL=C text=$1 form more=$'[\x80-\xbf]'
  local -a forms=($'[\xc2-\xdf]'"$more" $'\xe0[\xa0-\xbf]'"$more" $'[\xe1-\xec\xee\xef]'"$more$more"
    $'\xed[\x80-\x9f]'"$more" $'\xf0[\x90-\xbf]'"$more$more" $'[\xf1-\xf3]'"$more$more$more" $'\xf4[\x80-\x8f]'"$more$more")
  # Every well-formed character becomes a letter, never nothing: its neighbours must not join to a new one.
  for form in "${forms[@]}"; do
    [[ $text == *[^[:ascii:]]* ]] || return 0
    # shellcheck disable=SC2295 # a pattern on purpose
    text=${text//$form/x}
  done
  [[ $text != *[^[:ascii:]]* ]]
}

# Gives in REPLY the text with every character written out that is not plain: control characters, bytes that are no UTF-8,
# and those whose codes are given. Needs TEXT, a format such as '\\x%02x', and codes (a backslash's has to come first).
log_escape() {
  local LC_ALL=C text=$1 format=$2 code char
  local -a codes=("${@:3}" {1..31} 127)
  log_is_utf8 "$text" || codes+=({128..255})
  for code in "${codes[@]}"; do
    printf -v char '%03o' "$code"
    # shellcheck disable=SC2059 # the format is the character's number
    printf -v char "\\$char"
    [[ $text == *"$char"* ]] || continue
    # shellcheck disable=SC2059 # the format is the caller's
    case $code in
      9) REPLY='\t' ;;
      10) REPLY='\n' ;;
      13) REPLY='\r' ;;
      34 | 92) REPLY="\\$char" ;;
      *) printf -v REPLY "$format" "$code" ;;
    esac
    text=${text//"$char"/"$REPLY"}
  done
  REPLY=$text
}

# Gives in REPLY the text with all that could break a line, steer a terminal or spoil UTF-8 made visible.
log_visible() {
  REPLY=$1
  # Most messages are plain, and this is fast.
  if [[ $1 == *[^\ -~]* ]]; then log_escape "$1" '\\x%02x'; fi
}

# Gives in REPLY the text as a JSON string with its quotes; bytes that are no UTF-8 are taken for Latin-1.
log_json_string() {
  REPLY=$1
  if [[ $1 == *[^\ -~]* || $1 == *[\\\"]* ]]; then log_escape "$1" '\\u%04x' 92 34; fi
  REPLY="\"$REPLY\""
}

# Gives in REPLY the time as RFC 3339 in UTC with milliseconds; needs no process.
log_time() {
  local now=${EPOCHREALTIME/,/.} stamp
  TZ=UTC0 printf -v stamp '%(%Y-%m-%dT%H:%M:%S)T' "${now%.*}"
  now=${now#*.}
  REPLY="$stamp.${now:0:3}Z"
}

# Writes one message of a level; needs LEVEL and TEXT. Never fails: a closed stderr must not stop the server.
log_write() {
  # REPLY is the caller's: a message must not change it.
  local level=$1 text=$2 wanted stamp name label REPLY=""
  log_rank "${LOG_LEVEL:-info}"
  wanted=$REPLY
  log_rank "$level"
  ((REPLY >= wanted)) || return 0
  log_time
  stamp=$REPLY
  if [[ ${LOG_FORMAT:-text} == [jJ][sS][oO][nN] ]]; then
    log_json_string "$LOG_NAME"
    name=$REPLY
    log_json_string "$text"
    printf '{"time":"%s","level":"%s","source":%s,"message":%s}\n' "$stamp" "$level" "$name" "$REPLY" >&2 || :
    return 0
  fi
  printf -v label '%-5s' "${level^^}"
  log_visible "$LOG_NAME"
  name=$REPLY
  log_visible "$text"
  printf '%s %s %s: %s\n' "$stamp" "$label" "$name" "$REPLY" >&2 || :
}

# Writes a message that only somebody who looks for a fault wants.
log_debug() { log_write debug "$*"; }

# Writes a message that tells what happens.
log_info() { log_write info "$*"; }

# Writes a message about something that works and should be changed.
log_warn() { log_write warn "$*"; }

# Writes a message about something that does not work: what, expected, found, what to do.
log_error() { log_write error "$*"; }

# Ends the shell with an exit code after saying why; needs CODE and TEXT.
die() {
  local code=$1
  shift
  log_error "$*"
  exit "$code"
}
