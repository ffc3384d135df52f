#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Memory defaults for a container with a limit: the server's own would be too much for a small one, too little for a big.

MEMORY_CGROUP=${MEMORY_CGROUP:-/sys/fs/cgroup}
MEMORY_INFO=${MEMORY_INFO:-/proc/meminfo}

# Gives in REPLY the container's limit in MB, or nothing if it has none below the machine's memory.
memory_limit() {
  local file limit="" key total=0
  for file in "$MEMORY_CGROUP/memory.max" "$MEMORY_CGROUP/memory/memory.limit_in_bytes"; do
    if [[ -r $file ]] && read -r limit <"$file"; then break; fi
  done
  REPLY=""
  [[ $limit =~ ^[0-9]{1,18}$ ]] || return 0
  while read -r key total _; do
    [[ $key != MemTotal: ]] || break
  done <"$MEMORY_INFO"
  ((limit / 1024 < total)) || return 0
  REPLY=$((limit / 1048576))
}

# Gives 0 if the value of shared_buffers in a postgresql.conf is the one that initdb wrote, so nobody's choice.
memory_buffers_are_initdbs() {
  local line found=""
  # There is none yet: initdb is about to write it.
  [[ -e $1 ]] || return 0
  while IFS= read -r line; do
    if [[ $line =~ ^[[:space:]]*shared_buffers[[:space:]=] ]]; then found=$line; fi
  done <"$1"
  [[ -z $found || $found =~ ^shared_buffers\ =\ [0-9]+[kM]B$'\t'+'# min 128kB'$ ]]
}

# Gives in MEMORY_DEFAULTS the lines that come before the user's and in MEMORY_BUFFERS the one for shared_buffers.
# A quarter for the server's own cache and three quarters for all caches is what PostgreSQL's documentation advises.
memory_config() {
  local limit buffers
  MEMORY_DEFAULTS="" MEMORY_BUFFERS=""
  memory_limit
  limit=$REPLY
  [[ -n $limit ]] || return 0
  buffers=$((limit / 4))
  if ((buffers < 8)); then buffers=8; fi
  MEMORY_BUFFERS="shared_buffers = ${buffers}MB"$'\n'
  MEMORY_DEFAULTS="effective_cache_size = $((limit * 3 / 4 > 1 ? limit * 3 / 4 : 1))MB"$'\n'
  if ((limit < 1024)); then MEMORY_DEFAULTS+="maintenance_work_mem = $((limit / 16 > 1 ? limit / 16 : 1))MB"$'\n'; fi
}
