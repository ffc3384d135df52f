#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  BYTECODE=$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-python/lib/bytecode.sh
  FOLDER="$BATS_TEST_TMPDIR/a folder"
  mkdir -p "$FOLDER"
  export FOLDER
}

# Runs functions of bytecode.sh in a shell of their own.
with_bytecode() { run "$1" bash -c 'set -Eeuo pipefail; source "$1"; '"$2" bash "$BYTECODE"; }

@test "sourcing bytecode.sh does nothing but define functions" {
  with_bytecode -0 'type -t bytecode_drop bytecode_keep | sort -u'
  [ "$output" = function ]
}

@test "bytecode_drop takes away the bytecode at every depth, and nothing else" {
  mkdir -p "$FOLDER/__pycache__" "$FOLDER/b/c/__pycache__"
  touch "$FOLDER/a.py" "$FOLDER/__pycache__/a.pyc" "$FOLDER/b/c/d.py" "$FOLDER/b/c/__pycache__/d.pyc"
  with_bytecode -0 'bytecode_drop "$FOLDER"'
  run -0 bash -c 'cd "$FOLDER" && find . | sort'
  [ "$output" = '.
./a.py
./b
./b/c
./b/c/d.py' ]
}

@test "bytecode_drop is content when there is none" {
  with_bytecode -0 'bytecode_drop "$FOLDER"'
}

@test "bytecode_keep loads all modules at once, in their order" {
  note python3
  with_bytecode -0 'bytecode_keep b.__main__ a c.d'
  calls_are <<<'python3 [-c] [import os; os.umask = lambda mask: 0o022; import b.__main__, a, c.d]'
}

@test "bytecode_keep leaves bytecode of what the modules load, and of nothing else" {
  command -v python3 >/dev/null || skip 'needs python3'
  printf 'import second\n' >"$FOLDER/first.py"
  touch "$FOLDER/second.py" "$FOLDER/third.py"
  PYTHONPATH=$FOLDER PYTHONDONTWRITEBYTECODE=1 with_bytecode -0 'unset PYTHONPYCACHEPREFIX; bytecode_keep first'
  run -0 bash -c 'cd "$FOLDER/__pycache__" && ls | cut -d. -f1'
  [ "${lines[*]}" = 'first second' ]
}

@test "bytecode_keep leaves bytecode that everybody can read, whatever a module does to the umask" {
  command -v python3 >/dev/null || skip 'needs python3'
  printf 'import os\nos.umask(0o077)\nimport second\n' >"$FOLDER/first.py"
  touch "$FOLDER/second.py"
  PYTHONPATH=$FOLDER with_bytecode -0 'unset PYTHONPYCACHEPREFIX; bytecode_keep first'
  run -0 bash -c 'find "$FOLDER/__pycache__" -name "*.pyc" ! -perm -go=r'
  [ "$output" = '' ]
}

@test "bytecode_keep fails for a module that is not there" {
  command -v python3 >/dev/null || skip 'needs python3'
  with_bytecode -1 'bytecode_keep no_such_module_here'
  [[ $output == *no_such_module_here* ]]
}
