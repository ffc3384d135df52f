#!/usr/bin/env bash
# What the tests share: programs that a setup script calls, replaced by ones that note how they were called.
bats_require_minimum_version 1.5.0

# Makes the folder of stubs, the first on PATH, and the empty list of calls.
prepare_stubs() {
  STUBS=$BATS_TEST_TMPDIR/stubs
  CALLS=$BATS_TEST_TMPDIR/calls
  export STUBS CALLS PATH=$STUBS:$PATH
  mkdir -p "$STUBS"
  : >"$CALLS"
}

# Puts programs onto PATH that note their name and arguments, a call a line, arguments in brackets.
note() {
  local name
  for name in "$@"; do
    stub "$name" <<<''
  done
}

# Puts a program onto PATH that notes how it was called; needs its name, what it does then comes from stdin.
stub() {
  {
    # shellcheck disable=SC2016 # expanded by the stub
    printf '#!/usr/bin/env bash\n{ printf %%s "${0##*/}"; (($# == 0)) || printf " [%%s]" "$@"; echo; } >>"$CALLS"\n'
    cat
  } >"$STUBS/$1"
  chmod 755 "$STUBS/$1"
}

# Fails and shows the calls unless they are exactly the lines given on stdin.
calls_are() {
  local expected
  expected=$(cat)
  if [[ $(cat "$CALLS") != "$expected" ]]; then
    printf 'expected:\n%s\nfound:\n%s\n' "$expected" "$(cat "$CALLS")"
    return 1
  fi
}

# Runs functions of the script in INSTALL in a shell of their own; needs what run expects of it, and the code.
# shellcheck disable=SC2016 # expanded by that shell
with_install() { run "$1" bash -c 'source "$1"; '"$2" bash "$INSTALL"; }

# Makes files below APT_ROOT.
make_files() {
  local file
  for file in "$@"; do
    mkdir -p "$APT_ROOT/${file%/*}"
    echo x >"$APT_ROOT/$file"
  done
}
