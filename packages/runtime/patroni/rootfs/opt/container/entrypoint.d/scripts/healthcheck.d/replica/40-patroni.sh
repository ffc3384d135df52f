#!/usr/bin/env bash
# Probe for the question replica: Patroni says that this node is a replica that runs.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../../utils/patroni.sh"

# Runs the probe; needs the state folder.
main() { patroni_probe "${1-}" /replica "this node is a replica that runs" "this node is no running replica"; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
