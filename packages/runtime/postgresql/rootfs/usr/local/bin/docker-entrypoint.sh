#!/usr/bin/env bash
# The official image's entrypoint by its path: compose files name it, and wrappers source it for its functions.

DOCKER_ENTRYPOINT_HOME=${DOCKER_ENTRYPOINT_HOME:-/opt/container}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then exec "$DOCKER_ENTRYPOINT_HOME/entrypoint.sh" "$@"; fi
# shellcheck source=/dev/null
source "$DOCKER_ENTRYPOINT_HOME/entrypoint.sh"
# shellcheck source=/dev/null
source "$DOCKER_ENTRYPOINT_HOME/entrypoint.d/scripts/runtime/official.sh"
# As the official one leaves it: wrappers use variables that may be unset.
set +u
