#!/usr/bin/env bash
# One logger for every script: a line of text or one JSON object a line, always on stderr.
# LOG_LEVEL (debug, info, warn, error) and LOG_FORMAT (text, json) steer it; LOG_NAME says who speaks.

LOG_NAME=${LOG_NAME:-entrypoint}

# Gives in REPLY the rank of a level's name; an unknown level ranks as info, so that a typing error hides nothing.
log_rank() {
  case $1 in
    debug) REPLY=0 ;;
    warn) REPLY=2 ;;
    error) REPLY=3 ;;
    *) REPLY=1 ;;
  esac
}

# Gives in REPLY the text with every control character made visible, so that one message stays one line.
log_visible() {
  local text=$1 out="" char code
  REPLY=$text
  [[ $text == *[[:cntrl:]]* ]] || return 0
  while [[ -n $text ]]; do
    char=${text:0:1}
    text=${text:1}
    case $char in
      $'\n') char='\n' ;;
      $'\r') char='\r' ;;
      $'\t') char='\t' ;;
      [[:cntrl:]])
        printf -v code '%d' "'$char"
        printf -v char '\\x%02x' "$((code & 255))"
        ;;
    esac
    out+=$char
  done
  REPLY=$out
}

# Gives 0 if the text is well-formed UTF-8 (bytes are compared, whatever the locale of the container).
log_is_utf8() {
  local LC_ALL=C text=$1
  local more=$'[\x80-\xbf]'
  local two=$'[\xc2-\xdf]'"$more" three=$'[\xe0-\xef]'"$more$more" four=$'[\xf0-\xf4]'"$more$more$more"
  [[ $text == *[^[:ascii:]]* ]] || return 0
  [[ $text =~ ^([[:cntrl:][:print:]]|$two|$three|$four)*$ ]]
}

# Gives in REPLY the text as a JSON string with its quotes; bytes that are no UTF-8 become question marks.
log_json_string() {
  local text=$1 out="" char code
  log_is_utf8 "$text" || {
    local LC_ALL=C
    text=${text//[^[:ascii:]]/?}
  }
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  if [[ $text == *[[:cntrl:]]* ]]; then
    while [[ -n $text ]]; do
      char=${text:0:1}
      text=${text:1}
      case $char in
        $'\n') char='\n' ;;
        $'\r') char='\r' ;;
        $'\t') char='\t' ;;
        [[:cntrl:]])
          printf -v code '%d' "'$char"
          printf -v char '\\u%04x' "$code"
          ;;
      esac
      out+=$char
    done
    text=$out
  fi
  REPLY="\"$text\""
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
  local level=$1 text=$2 wanted stamp label REPLY=""
  log_rank "${LOG_LEVEL:-info}"
  wanted=$REPLY
  log_rank "$level"
  ((REPLY >= wanted)) || return 0
  log_time
  stamp=$REPLY
  if [[ ${LOG_FORMAT:-text} == json ]]; then
    log_json_string "$text"
    printf '{"time":"%s","level":"%s","source":"%s","message":%s}\n' "$stamp" "$level" "$LOG_NAME" "$REPLY" >&2 || :
    return 0
  fi
  printf -v label '%-5s' "${level^^}"
  log_visible "$text"
  printf '%s %s %s: %s\n' "$stamp" "$label" "$LOG_NAME" "$REPLY" >&2 || :
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
