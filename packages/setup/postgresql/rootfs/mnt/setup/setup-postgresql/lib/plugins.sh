#!/usr/bin/env bash
# Output plugins: releases from August 2026 on load only those that output_plugin_libraries lists, older ones do not
# start with that setting. What the server lists by itself is noted here; components add their names in a folder beside
# it, and the container's default lists them all. Sourced by the scripts that install or compile the server.

PLUGINS_LIST=/opt/container/output_plugin_libraries

# Notes the server's own list, where its release has one. Needs the server's program and the root of what is made.
plugins_note() {
  local list
  list=$("$1" --describe-config | awk -F '\t' '$1 == "output_plugin_libraries" { print $5 }')
  [[ -n $list ]] || return 0
  mkdir -p "$2${PLUGINS_LIST%/*}"
  printf '%s\n' "$list" >"$2$PLUGINS_LIST"
}
