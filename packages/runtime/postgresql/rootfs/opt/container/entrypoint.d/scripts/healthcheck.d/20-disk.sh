#!/usr/bin/env bash
# Probe: warns before the file system of the data, or that of the write-ahead log, is full (the server stops then).
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/10-postgresql.sh"

# One file of the write-ahead log, in MB: with less than this left the server cannot go on.
DISK_LEAST_MB=16

# Judges one file system, needs its words and what stat says of it: block size, blocks, free blocks, those that are free
# for us. Gives in REPLY what is wrong, or nothing, in DISK_MB and DISK_PERCENT what is left.
disk_judge() {
  local words=$1 size=$2 blocks=$3 free=$4 left=$5 all
  REPLY="" DISK_MB=$((left * size / 1048576))
  # As df counts: what only root may use is neither used nor left.
  all=$((blocks - free + left))
  # Some file systems have no size.
  ((all > 0)) || return 0
  DISK_PERCENT=$((left * 100 / all))
  if ((left * 100 < DISK_LIMIT * all || DISK_MB < DISK_LEAST_MB)); then
    REPLY="$words has $DISK_MB MB left ($DISK_PERCENT %), expected at least $DISK_LIMIT % and $DISK_LEAST_MB MB"
  fi
}

# Runs the probe; needs the state folder.
main() {
  local first="" faults="" least=""
  local -a words=("the file system of PGDATA" "the file system of pg_wal") field
  probe_address "${1-}" || :
  DISK_LIMIT=${HEALTH_DISK_MIN_PERCENT-} DISK_MB="" DISK_PERCENT=""
  # Whoever wrote it was told at the start; a health check that ends with an error would help nobody.
  [[ $DISK_LIMIT =~ ^0*([0-9]{1,2}|100)$ ]] && DISK_LIMIT=${BASH_REMATCH[1]} || DISK_LIMIT=5
  while read -r -a field; do
    if [[ ${field[0]} == "$first" || ${#field[@]} != 5 ]]; then continue; fi
    disk_judge "${words[0]}" "${field[@]:1}"
    words=("${words[@]:1}")
    if [[ -n $REPLY ]]; then faults+="${faults:+; }$REPLY"; fi
    least+="${least:+, }$DISK_MB MB"
    first=${field[0]}
  done < <(stat --file-system --format='%i %S %b %f %a' -- "$PROBE_DATA" "$PROBE_DATA/pg_wal" 2>/dev/null)
  if [[ -n $faults ]]; then
    printf '%s; free or add space (HEALTH_DISK_MIN_PERCENT)\n' "$faults"
    return 10
  fi
  printf '%s left\n' "${least:-the file system of $PROBE_DATA cannot be seen by this user: how much space is}"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
