#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What HAProxy knows of the nodes, asked over the port of its statistics; for the entrypoint and for the health check.

PROXY_ANSWER=""    # what it said
PROXY_PRIMARIES="" # how many nodes take writes
PROXY_REPLICAS=""  # how many replicas take reads
PROXY_UP=()        # GROUP/NODE of those that are up

# Gives in PROXY_ANSWER what HAProxy answers; needs the port and the path. 1 if it does not answer.
proxy_get() {
  local fd
  PROXY_ANSWER=""
  { exec {fd}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  { printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&"$fd"; } 2>/dev/null || :
  # To the end, which HAProxy makes.
  IFS= read -r -d '' -t 2 -u "$fd" PROXY_ANSWER || :
  exec {fd}>&-
  [[ $PROXY_ANSWER == HTTP/*' 200 '* ]]
}

# Gives in PROXY_PRIMARIES and PROXY_REPLICAS the numbers of nodes; needs the port. 1 if HAProxy does not answer.
proxy_count() {
  proxy_get "$1" /nodes || return 1
  [[ $PROXY_ANSWER =~ primary\ ([0-9]+).replicas\ ([0-9]+) ]] || return 1
  PROXY_PRIMARIES=${BASH_REMATCH[1]} PROXY_REPLICAS=${BASH_REMATCH[2]}
}

# Gives in PROXY_UP the nodes that are up; needs the port.
proxy_find_up() {
  local group node status line
  PROXY_UP=()
  proxy_get "$1" '/stats;csv;norefresh' || return 0
  while IFS= read -r line; do
    IFS=, read -r group node _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ status _ <<<"$line"
    if [[ $group == primary || $group == replicas ]] && [[ $node != BACKEND && $status == UP* ]]; then
      PROXY_UP+=("$group/$node")
    fi
  done <<<"$PROXY_ANSWER"
}
