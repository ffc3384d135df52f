#!/usr/bin/env bash
# Probe for the question primary: the server is a primary that takes connections, as it says itself in its lock file.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../10-postgresql.sh"

# Runs the probe; needs the state folder.
main() { probe_role "${1-}" primary; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
