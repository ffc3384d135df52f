#!/usr/bin/env bash
# Bytecode of the distribution's Python, sourced by setup scripts. Its packages compile every module, which is twenty
# megabytes, most of it never read; none at all would cost every start of a program a second.

# Takes away the bytecode below folders. Packages do not list it, so nothing is missing to them.
bytecode_drop() {
  find "$@" -name __pycache__ -prune -exec rm -rf {} +
}

# Makes the bytecode of these modules, in this order, and of all that they load: Python writes it by itself. A module may
# set a umask while it is loaded, as Patroni's does: bytecode that only root can read would be made again at every start.
bytecode_keep() {
  local modules
  printf -v modules '%s, ' "$@"
  env --unset=PYTHONDONTWRITEBYTECODE python3 -c "import os; os.umask = lambda mask: 0o022; import ${modules%, }"
}
