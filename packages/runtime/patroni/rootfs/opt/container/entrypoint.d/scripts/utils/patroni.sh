#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What the mode, the init script, the probes and the callbacks of Patroni share.

PATRONI_HOME=${PATRONI_HOME:-/opt/container/patroni}
NODE_HOOKS=()           # functions of fragments that add settings with patroni_put
PATRONI_PATIENCE_MS=600 # what a probe gives the REST API, of the 0.8 s that all have

# Gives 0 if this container is a node of a Patroni cluster.
patroni_enabled() { [[ ${PATRONI_ENABLE:-false} == true || ${USE_PATRONI:-false} == true ]]; }

# Gives in PATRONI_DIR the folder for what Patroni needs, in the state folder.
patroni_dir() { PATRONI_DIR=$STATE_DIR/patroni; }

# Asks the REST API of this node; needs the state folder and a path. Gives in PATRONI_CODE the HTTP status, 0 if nobody
# answers, and in REPLY and PATRONI_BODY the body.
patroni_get() {
  local -a address=()
  local port="" host="" scheme="" line="" patience
  PATRONI_CODE=0 REPLY="" PATRONI_BODY=""
  if [[ -r $1/patroni.address ]]; then mapfile -t address <"$1/patroni.address"; fi
  port=${address[0]-} host=${address[1]-} scheme=${address[2]-}
  [[ -n $port ]] || return 0
  printf -v patience '%d.%03d' "$((PATRONI_PATIENCE_MS / 1000))" "$((PATRONI_PATIENCE_MS % 1000))"
  if [[ $scheme == https ]]; then
    REPLY=$(python3 -I "$PATRONI_HOME/ask.py" "$host" "$port" "$2" "$patience" "$1/patroni/patroni.yml" 2>/dev/null) || return 0
    # Nothing follows the status where the body is empty.
    PATRONI_CODE=${REPLY%%$'\n'*}
    REPLY=${REPLY:${#PATRONI_CODE}}
    REPLY=${REPLY#$'\n'}
    PATRONI_BODY=$REPLY
    return 0
  fi
  patroni_get_plain "$host" "$port" "$2" "$patience"
}

# The same by a plain connection; needs host, port, path and seconds.
patroni_get_plain() {
  local fd line=""
  { exec {fd}<>"/dev/tcp/$1/$2"; } 2>/dev/null || return 0
  # Who hangs up before we have asked must not end this shell.
  trap '' PIPE
  if ! { printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" "$1" 1>&"$fd"; } 2>/dev/null; then
    trap - PIPE
    exec {fd}>&-
    return 0
  fi
  trap - PIPE
  # It may break off at any time.
  if IFS=$'\r' read -r -t "$4" line <&"$fd" 2>/dev/null && [[ $line =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]]; then
    PATRONI_CODE=${BASH_REMATCH[1]}
    while IFS= read -r -t "$4" line <&"$fd" 2>/dev/null && [[ $line != $'\r' ]]; do :; done
    IFS= read -r -d '' -t "$4" REPLY <&"$fd" 2>/dev/null || :
    PATRONI_BODY=$REPLY
  fi
  exec {fd}>&-
}

# Gives in REPLY what a field of a JSON object says, or nothing; needs the object and the name. For Patroni's own words,
# which hold no quotes.
patroni_field() {
  REPLY=""
  if [[ $1 =~ \"$2\":\ *\"([^\"]*)\" || $1 =~ \"$2\":\ *([^\",\}]+) ]]; then REPLY=${BASH_REMATCH[1]}; fi
}

# Runs a probe that the REST API answers with its status; needs the state folder, the path, and what is said if it is well
# and if it is not. Nothing is asked where Patroni does not run.
patroni_probe() {
  local code state role
  if [[ ! -e $1/patroni.address ]]; then return 0; fi
  patroni_get "$1" "$2"
  code=$PATRONI_CODE
  if [[ $code == 200 ]]; then
    printf 'Patroni says that %s\n' "$3"
    return 0
  fi
  if [[ $code == 0 ]]; then
    printf "Patroni's REST API does not answer: it starts, or hangs\n"
    return 1
  fi
  # The answer alone says little; why is asked only now, because it takes a query.
  PATRONI_PATIENCE_MS=200
  patroni_get "$1" /patroni
  patroni_field "$REPLY" role
  role=$REPLY
  patroni_field "${PATRONI_BODY-}" state
  state=$REPLY
  printf 'Patroni says that %s%s%s\n' "$4" "${role:+, its role is $role}" "${state:+, its state is $state}"
  return 1
}
