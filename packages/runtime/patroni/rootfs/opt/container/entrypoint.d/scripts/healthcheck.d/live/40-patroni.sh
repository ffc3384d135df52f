#!/usr/bin/env bash
# Probe for the question live: Patroni's loop has run lately.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../../utils/patroni.sh"

# Runs the probe; needs the state folder.
main() { patroni_probe "${1-}" /liveness "its loop runs" "its loop has not run lately"; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
