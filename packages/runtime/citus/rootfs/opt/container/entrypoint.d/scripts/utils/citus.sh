#!/usr/bin/env bash
# What the init script and the mode of Patroni ask of Citus.

CITUS_HOME=${CITUS_HOME:-/opt/container/citus}

# Gives 0 if this container is a node of Citus.
citus_enabled() { [[ ${CITUS_ENABLE:-false} == true ]]; }
