#!/usr/bin/env bash
# For who uses the whole of setup-base. A script that is to be run again only when these functions change uses
# setup-base/lib, and sources lib/apt.sh itself.

# shellcheck source=lib/apt.sh
source "${BASH_SOURCE[0]%/*}/lib/apt.sh"
