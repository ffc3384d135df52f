#!/usr/bin/env bash
# Probe for the question primary: Patroni says that this node holds the leader's lock.
set -Eeuo pipefail

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/../../utils/patroni.sh"

# Runs the probe; needs the state folder.
main() { patroni_probe "${1-}" /primary "this node is the leader" "this node is not the leader"; }

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
