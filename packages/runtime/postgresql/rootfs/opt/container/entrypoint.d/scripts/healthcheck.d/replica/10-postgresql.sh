#!/usr/bin/env bash
# Probe for the question replica: the server is a standby that takes connections, as it says itself in its lock file.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../10-postgresql.sh"

# Runs the probe; needs the state folder.
main() { probe_role "${1-}" standby; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
