#!/usr/bin/env bash
# Probe of the question "live": HAProxy answers. Which nodes there are is nothing that a new start of it would change.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../10-haproxy.sh"

# Says that HAProxy answers, whatever it knows of nodes.
probe_tell() { printf 'HAProxy answers\n'; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
