#!/usr/bin/env bash
# Says whether the container does what it is for: exit 0 healthy, 1 not; why as text, with --json as one JSON object.
# The phase decides first; while it is "running", every probe in healthcheck.d has to agree.
# A probe gets the state folder as its argument, prints one line, and ends with 0 (well), 10 (well, but: a warning) or
# anything else (not well). All run at once and share one limit, because the answer has to come in under a second.
set -Eeuo pipefail

HEALTH_SELF=${BASH_SOURCE[0]}
[[ $HEALTH_SELF == */* ]] || HEALTH_SELF=./$HEALTH_SELF
HEALTH_SCRIPTS=${HEALTH_SELF%/*}/..
HEALTH_LIMIT=${HEALTH_LIMIT:-0.8}
HEALTH_JSON=""

# shellcheck source=/dev/null
source "$HEALTH_SCRIPTS/utils/logging.sh"
# shellcheck source=/dev/null
source "$HEALTH_SCRIPTS/utils/state.sh"

# Gives in REPLY what a phase means: healthy, unhealthy, or probe.
health_of_phase() {
  case $1 in
    running) REPLY=probe ;;
    paused) REPLY=healthy ;;
    *) REPLY=unhealthy ;;
  esac
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
    *) REPLY="the phase of the container is unknown, its entrypoint does not run (yet)" ;;
  esac
}

# Runs one probe within the limit; prints its words, then a line with its exit code.
health_run_probe() {
  local status=0
  # KILL: a probe that hangs has had its time, and timeout ends all that it started with it.
  timeout --signal=KILL "$HEALTH_LIMIT" "$BASH" "$1" "$STATE_DIR" 2>&1 || status=$?
  printf '\n%s\n' "$status"
}

# Starts all probes at once; gives their names in HEALTH_NAMES and where their answers come in HEALTH_FDS.
health_start_probes() {
  local probe fd
  HEALTH_NAMES=() HEALTH_FDS=()
  for probe in "$HEALTH_SCRIPTS"/healthcheck.d/*.sh; do
    if [[ ! -f $probe ]]; then continue; fi
    exec {fd}< <(health_run_probe "$probe" 2>/dev/null)
    probe=${probe##*/}
    HEALTH_NAMES+=("${probe%.sh}")
    HEALTH_FDS+=("$fd")
  done
}

# Gives in REPLY the words and in HEALTH_CODE the exit code of a probe; needs where its answer comes.
health_collect() {
  local answer="" text left
  # A probe whose helper survived keeps the pipe open: the end may never come, so waiting has its limit too.
  left=$((HEALTH_DEADLINE - ${EPOCHREALTIME/[.,]/}))
  ((left > 10000)) || left=10000
  printf -v left '%d.%06d' "$((left / 1000000))" "$((left % 1000000))"
  IFS= read -r -d '' -t "$left" -u "$1" answer || :
  answer=${answer%$'\n'}
  HEALTH_CODE=${answer##*$'\n'}
  text=${answer%"$HEALTH_CODE"}
  [[ $HEALTH_CODE =~ ^[0-9]+$ ]] || HEALTH_CODE=137
  while [[ $text == *$'\n' ]]; do text=${text%$'\n'}; done
  text=${text##*$'\n'}
  if ((HEALTH_CODE == 137)); then text="no answer within $HEALTH_LIMIT s: it hangs, or the machine is overloaded"; fi
  REPLY=${text:-no words, code $HEALTH_CODE}
}

# Gives in HEALTH_STATUS the verdict over all probes, in HEALTH_REASONS and HEALTH_PROBES their words.
health_probe_all() {
  local i word ok
  HEALTH_DEADLINE=$((${EPOCHREALTIME/[.,]/} + 900000))
  HEALTH_STATUS=healthy HEALTH_REASONS=() HEALTH_PROBES=()
  health_start_probes
  for i in "${!HEALTH_NAMES[@]}"; do
    health_collect "${HEALTH_FDS[i]}"
    word=$REPLY ok=true
    case $HEALTH_CODE in
      0) HEALTH_REASONS+=("${HEALTH_NAMES[i]}: $word") ;;
      10) HEALTH_REASONS+=("${HEALTH_NAMES[i]}: warning: $word") ;;
      *)
        ok=false
        HEALTH_STATUS=unhealthy
        HEALTH_REASONS=("${HEALTH_NAMES[i]}: $word" "${HEALTH_REASONS[@]}")
        ;;
    esac
    health_probe_json "${HEALTH_NAMES[i]}" "$ok" "$HEALTH_CODE" "$word"
    HEALTH_PROBES+=("$REPLY")
  done
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

# Answers; needs nothing or --json.
main() {
  local phase verdict text
  case ${1-} in
    "") ;;
    --json) HEALTH_JSON=yes ;;
    *)
      printf 'usage: healthcheck.sh [--json]; found %q\n' "$1" >&2
      return 2
      ;;
  esac
  HEALTH_PROBES=()
  state_find || :
  phase_get
  phase=$REPLY
  health_of_phase "$phase"
  verdict=$REPLY
  health_phase_text "$phase"
  text=$REPLY
  if [[ $verdict == probe ]]; then
    health_probe_all
    verdict=$HEALTH_STATUS
    health_join "${HEALTH_REASONS[@]}"
    text=${REPLY:-$text}
  fi
  health_print "$verdict" "$phase" "$text"
  [[ $verdict == healthy ]]
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
