#!/usr/bin/env bash
# Probe: Patroni says that this node is ready: leader, or a replica that runs and knows of the cluster.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../utils/patroni.sh"

# Runs the probe; needs the state folder.
main() { patroni_probe "${1-}" /readiness "this node is ready" "this node is not ready"; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
