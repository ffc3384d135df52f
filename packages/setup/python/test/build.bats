#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  note apt-get make
  export SETUP=$BATS_TEST_TMPDIR/setup APT_SECRETS=/nowhere OUT=$BATS_TEST_TMPDIR/out BUILD_FOLDER=$BATS_TEST_TMPDIR/src
  LIBRARY=$OUT/usr/local/lib/python3.13
  export LIBRARY
  mkdir -p "$SETUP/setup-toolchain/lib" "$OUT/usr/local/bin"
  cp -R "$BATS_TEST_DIRNAME"/../rootfs/mnt/setup/. "$BATS_TEST_DIRNAME"/../../base/rootfs/mnt/setup/. "$SETUP"
  # The toolchain's part has its own tests; here it notes how it was asked.
  cat >"$SETUP/setup-toolchain/lib/build-lib.sh" <<'S'
source_unpack() {
  echo "source_unpack [$1] [$2]" >>"$CALLS"
  mkdir -p "$2"
  cp "$STUBS/configure" "$STUBS/python" "$2"
}
build_jobs() { REPLY=3; }
out_finish() { echo out_finish >>"$CALLS"; }
S
  note configure python
  BUILD=$SETUP/setup-python/build/build.sh
  export PYTHON_VERSION=3.13.5 BUILD_PACKAGES='libffi-dev libssl-dev'
}

# Runs functions of build.sh in a shell of their own.
with_build() { run "$1" bash -c 'source "$1"; '"$2" bash "$BUILD"; }

# Makes files of an installed Python, given below its library.
make_files() {
  local file
  for file in "$@"; do
    mkdir -p "$(dirname "$LIBRARY/$file")"
    echo x >"$LIBRARY/$file"
  done
}

@test "sourcing build.sh does nothing but define functions" {
  with_build -0 'type -t main'
  [ "$output" = function ]
  calls_are </dev/null
}

@test "series gives the first two numbers of a release" {
  with_build -0 'series 3.13.5; echo "$REPLY"'
  [ "$output" = 3.13 ]
}

@test "compile configures for /usr/local, and makes and installs with the jobs it may use" {
  with_build -0 'source_unpack python "$BUILD_FOLDER"; compile "$BUILD_FOLDER"'
  grep -qF '[--prefix=/usr/local]' "$CALLS"
  run -0 tail -2 "$CALLS"
  [ "$output" = "make [--silent] [--jobs=3]
make [--silent] [DESTDIR=$OUT] [install]" ]
}

@test "slim takes away what developers use, and keeps the rest" {
  make_files idlelib/a.py tkinter/a.py ensurepip/a.py turtle.py config-3.13-x/python.o config-3.13-x/Makefile os.py \
    curses/a.py lib-dynload/_curses_panel.x.so lib-dynload/_ssl.x.so ../../include/python3.13/Python.h
  touch "$OUT"/usr/local/bin/{idle3.13,pydoc3,python3.13,python3.13-config}
  with_build -0 'slim "$LIBRARY"'
  run -0 bash -c 'cd "$OUT" && find . -type f | sort'
  [ "$output" = './usr/local/bin/python3.13
./usr/local/lib/python3.13/config-3.13-x/Makefile
./usr/local/lib/python3.13/lib-dynload/_ssl.x.so
./usr/local/lib/python3.13/os.py' ]
}

@test "find_distribution names the folder of the distribution's modules" {
  with_build -0 'find_distribution "$LIBRARY"'
  [ "$(cat "$LIBRARY/site-packages/distribution.pth")" = /usr/lib/python3/dist-packages ]
}

@test "precompile replaces the bytecode by one that does not know times" {
  make_files os.py __pycache__/os.cpython-313.pyc a/__pycache__/b.pyc
  with_build -0 'precompile "$STUBS/python" "$LIBRARY" /usr/local/lib/python3.13'
  [ -z "$(find "$LIBRARY" -name __pycache__)" ]
  calls_are <<C
python [-m] [compileall] [-q] [--invalidation-mode] [unchecked-hash] [-s] [$LIBRARY] [-p] [/usr/local/lib/python3.13] [$LIBRARY]
C
}

@test "precompile with a real Python gives the same bytes whenever the files were made" {
  command -v python3 >/dev/null || skip 'needs python3'
  make_files os.py
  printf 'a = 1\n' >"$LIBRARY/os.py"
  REAL=$(type -P python3) with_build -0 'precompile "$REAL" "$LIBRARY" /usr/local/lib/x; cat "$LIBRARY"/__pycache__/* | sha256sum
touch -d @1000000000 "$LIBRARY/os.py"; precompile "$REAL" "$LIBRARY" /usr/local/lib/x; cat "$LIBRARY"/__pycache__/* | sha256sum'
  [ "${lines[0]}" = "${lines[1]}" ]
}

@test "main installs what compiling needs, compiles, and finishes, in this order" {
  run -0 bash "$BUILD"
  run -0 awk '{ print $1 }' "$CALLS"
  [ "${lines[*]}" = 'apt-get apt-get source_unpack configure make make python out_finish' ]
  grep -qF '[libffi-dev] [libssl-dev]' "$CALLS"
  [ -s "$LIBRARY/site-packages/distribution.pth" ]
}

@test "main stops when compiling fails" {
  stub make <<<'exit 2'
  run -2 bash "$BUILD"
  run ! grep -q out_finish "$CALLS"
}

@test "main says which of its variables is missing" {
  local variable
  for variable in PYTHON_VERSION BUILD_PACKAGES; do
    run -1 env -u "$variable" bash "$BUILD"
    [[ $output == *"$variable"* ]]
    run ! grep -q apt-get "$CALLS"
  done
}
