#!/usr/bin/env bash
# Says whether the container does what it is for: exit 0 healthy, 1 not; why as text, with --json as one JSON object.
# The phase decides first; while it is "running", every probe in healthcheck.d has to agree.
# An orchestrator may ask one question alone: live (start it anew if not), ready (send it work), or one that a fragment
# answers with probes in healthcheck.d/QUESTION, such as primary or replica.
# A probe gets the state folder as its argument, prints one line, and ends with 0 (well), 10 (well, but: a warning) or
# anything else (not well). One that is well and prints nothing has nothing to look at, and is not listed. All run at once and share one limit, because the answer has to come in under a second.
set -Eeuo pipefail

HEALTH_SELF=${BASH_SOURCE[0]}
[[ $HEALTH_SELF == */* ]] || HEALTH_SELF=./$HEALTH_SELF
HEALTH_SCRIPTS=${HEALTH_SELF%/*}/..
HEALTH_LIMIT_MS=800
HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + HEALTH_LIMIT_MS * 1000))
HEALTH_JSON=""
HEALTH_QUESTION=""
HEALTH_FOLDER=$HEALTH_SCRIPTS/healthcheck.d

# shellcheck source=/dev/null
source "$HEALTH_SCRIPTS/utils/logging.sh"
# shellcheck source=/dev/null
source "$HEALTH_SCRIPTS/utils/state.sh"

# Gives in REPLY what a phase means: healthy, unhealthy, or probe. Without any phase there is no entrypoint that could
# know better (somebody runs the server with a command of his own), so the probes decide then too.
health_of_phase() {
  case $HEALTH_QUESTION-$1 in
    *-running) REPLY=probe ;;
    # Whatever takes its time is alive: to start it anew would only begin that again.
    live-unknown) REPLY=unhealthy ;;
    live-* | -paused) REPLY=healthy ;;
    *) REPLY=unhealthy ;;
  esac
  if [[ $1 == unknown && -z $STATE_DIR ]]; then REPLY=probe; fi
}

# Gives in REPLY one sentence about a phase.
health_phase_text() {
  case $1 in
    starting) REPLY="the container is starting" ;;
    initialising) REPLY="the container is initialising" ;;
    restoring) REPLY="the container is restoring a backup" ;;
    running) REPLY="the container is running" ;;
    paused) REPLY="paused: SLEEP_MODE is on, nothing runs" ;;
    stopping) REPLY="the container is stopping" ;;
    *) REPLY="the phase of the container is unknown: its entrypoint does not run, or not yet" ;;
  esac
}

# Runs a probe as if it were a program; needs its file. It is read into this shell, which was split off for it: to start
# a new one for each would take as long as most probes do.
health_source() {
  set -E +eu +o pipefail
  # Where set -e ends a function of a sourced file, bash 5.2 adds a complaint about itself; the trap is faster.
  trap 'HEALTH_CODE=$?; [[ $- != *e* ]] || exit "$HEALTH_CODE"' ERR
  # Sets $0.
  # shellcheck disable=SC2034 # bash reads it
  BASH_ARGV0=$1
  # shellcheck source=/dev/null
  source "$1" "$STATE_DIR"
}

# Runs a probe and says after its words how it ended; needs its file. Bash (5.2.15 and 5.2.37) sometimes loses how a process
# substitution ended and gives -1 to whoever waits for it, so the code goes the way of the words.
health_run() {
  set +e
  (health_source "$1")
  printf '\0%d\n' "$?"
}

# Starts all probes at once; gives their names in HEALTH_NAMES, their processes in HEALTH_PIDS, and in HEALTH_FDS where
# their words come.
health_start_probes() {
  local probe fd
  HEALTH_NAMES=() HEALTH_PIDS=() HEALTH_FDS=()
  for probe in "$HEALTH_FOLDER"/*.sh; do
    if [[ ! -f $probe ]]; then continue; fi
    exec {fd}< <(health_run "$probe" 2>&1 </dev/null)
    HEALTH_PIDS+=("$!")
    HEALTH_FDS+=("$fd")
    probe=${probe##*/}
    HEALTH_NAMES+=("${probe%.sh}")
  done
}

# Kills a process and all that it started and that still belongs to it; needs its number.
health_kill() {
  local child
  local -a children=()
  # Held first: with its child dead it could go on, and end as if all were well.
  kill -STOP "$1" 2>/dev/null || :
  # The file has one line without an end.
  { read -r -a children <"/proc/$1/task/$1/children" || :; } 2>/dev/null
  for child in "${children[@]}"; do health_kill "$child"; done
  kill -KILL "$1" 2>/dev/null || :
}

# Gives in REPLY the last words and in HEALTH_CODE the exit code of a probe; needs its process and where its words come.
health_collect() {
  local left words="" code="" status=0
  left=$((HEALTH_DEADLINE - ${EPOCHREALTIME/[.,]/}))
  # Even past the limit, words that are there already are worth reading.
  ((left > 10000)) || left=10000
  printf -v left '%d.%06d' "$((left / 1000000))" "$((left % 1000000))"
  IFS= read -r -d '' -t "$left" -u "$2" words || status=$?
  # Over 128: it has not ended.
  if ((status > 128)); then
    health_kill "$1"
    HEALTH_CODE=137
    REPLY="no answer within $HEALTH_LIMIT_MS ms: it hangs, or the machine is overloaded"
    return 0
  fi
  # The code is written with the mark that ended the words. Without it, somebody killed who should have told it.
  if ((status == 0)); then IFS= read -r -t 1 -u "$2" code || :; fi
  HEALTH_CODE=${code:-137}
  while [[ $words == *$'\n' ]]; do words=${words%$'\n'}; done
  words=${words##*$'\n'}
  REPLY=$words
  if [[ -z $words && $HEALTH_CODE != 0 ]]; then REPLY="no words, code $HEALTH_CODE"; fi
}

# Gives in HEALTH_STATUS the verdict over all probes, in HEALTH_REASONS and HEALTH_PROBES their words: faults first,
# then warnings.
health_probe_all() {
  local i word ok
  local -a faults=() warnings=() fine=()
  HEALTH_STATUS=healthy HEALTH_PROBES=()
  health_start_probes
  for i in "${!HEALTH_NAMES[@]}"; do
    health_collect "${HEALTH_PIDS[i]}" "${HEALTH_FDS[i]}"
    word=$REPLY ok=true
    if [[ -z $word ]]; then continue; fi
    case $HEALTH_CODE in
      0) fine+=("${HEALTH_NAMES[i]}: $word") ;;
      10) warnings+=("${HEALTH_NAMES[i]}: warning: $word") ;;
      *)
        ok=false
        HEALTH_STATUS=unhealthy
        faults+=("${HEALTH_NAMES[i]}: $word")
        ;;
    esac
    health_probe_json "${HEALTH_NAMES[i]}" "$ok" "$HEALTH_CODE" "$word"
    HEALTH_PROBES+=("$REPLY")
  done
  HEALTH_REASONS=("${faults[@]}" "${warnings[@]}" "${fine[@]}")
}

# Gives in REPLY one probe as JSON; needs NAME, OK, CODE and WORDS.
health_probe_json() {
  local name warning=false
  log_json_string "$1"
  name=$REPLY
  if [[ $3 == 10 ]]; then warning=true; fi
  log_json_string "$4"
  REPLY="{\"name\":$name,\"ok\":$2,\"warning\":$warning,\"message\":$REPLY}"
}

# Prints the verdict; needs STATUS, PHASE and the sentence.
health_print() {
  local text probes
  if [[ -z $HEALTH_JSON ]]; then
    log_visible "$3"
    printf '%s: %s\n' "$1" "$REPLY"
    return 0
  fi
  log_json_string "$3"
  text=$REPLY
  log_json_string "$2"
  local IFS=,
  probes="${HEALTH_PROBES[*]-}"
  printf '{"status":"%s","phase":%s,"message":%s,"probes":[%s]}\n' "$1" "$REPLY" "$text" "$probes"
}

# Gives in REPLY all reasons in one sentence.
health_join() {
  local reason
  REPLY=""
  for reason in "$@"; do REPLY+="${REPLY:+; }$reason"; done
}

# Gives in HEALTH_QUESTION and HEALTH_FOLDER what is asked; 1 if nobody here answers it. live and ready are answered in every
# image, by all probes or by those of a folder of their own.
health_ask() {
  local folder=$HEALTH_FOLDER/$1
  [[ $1 =~ ^[a-z][a-z-]*$ ]] || return 1
  HEALTH_QUESTION=$1
  if [[ -d $folder ]]; then
    HEALTH_FOLDER=$folder
  elif [[ $1 == live ]]; then
    # A server that does not answer may have good reasons; that its container runs is all that is known.
    HEALTH_FOLDER=/nonexistent
  elif [[ $1 != ready ]]; then
    return 1
  fi
}

# Says how to call it.
health_usage() {
  local folder
  REPLY="live | ready"
  for folder in "$HEALTH_SCRIPTS"/healthcheck.d/*/; do
    folder=${folder%/}
    case ${folder##*/} in live | ready | '*') ;; *) REPLY+=" | ${folder##*/}" ;; esac
  done
  printf 'usage: healthcheck.sh [--json] [%s]; found %q\n' "$REPLY" "$1" >&2
}

# Answers; needs nothing, or --json, or a question, or both.
main() {
  local phase verdict text word
  for word; do
    if [[ $word == --json ]]; then
      HEALTH_JSON=yes
    elif [[ -n $HEALTH_QUESTION ]] || ! health_ask "$word"; then
      health_usage "$word"
      return 2
    fi
  done
  HEALTH_PROBES=()
  state_find || :
  phase_get
  phase=$REPLY
  health_of_phase "$phase"
  verdict=$REPLY
  health_phase_text "$phase"
  text=$REPLY${PHASE_WAITS:+: $PHASE_WAITS}
  if [[ $verdict == probe ]]; then
    health_probe_all
    verdict=$HEALTH_STATUS
    # Nobody knows anything: that is not well.
    if [[ $phase == unknown && ${#HEALTH_NAMES[@]} == 0 ]]; then verdict=unhealthy; fi
    health_join "${HEALTH_REASONS[@]}"
    text=${REPLY:-$text}
  fi
  health_print "$verdict" "$phase" "$text"
  [[ $verdict == healthy ]]
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
