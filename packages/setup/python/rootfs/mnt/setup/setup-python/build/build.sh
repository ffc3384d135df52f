#!/usr/bin/env bash
# Compiles Python PYTHON_VERSION into /out/usr/local, without its tests. Needs BUILD_PACKAGES.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"

# Gives the series of a release, such as 3.13, in REPLY.
series() {
  REPLY=${1%.*}
}

# Compiles the source in a folder and installs it below OUT. Optimised, but without a profile: that takes half an hour.
compile() {
  local folder=$1
  build_jobs
  (
    cd "$folder"
    ./configure --quiet --prefix=/usr/local --with-system-expat --without-ensurepip --disable-test-modules \
      --without-static-libpython OPT="-DNDEBUG -fwrapv -O3"
    make --silent --jobs="$REPLY"
    make --silent DESTDIR="$OUT" install
  )
}

# Takes away what only developers of Python use, and what would need libraries of a screen.
slim() {
  local library=$1
  rm -rf "$library"/{idlelib,tkinter,turtledemo,ensurepip,pydoc_data,lib2to3,curses} "$library"/turtle.py \
    "$library"/config-*/*.o "$library"/lib-dynload/_curses* "$OUT"/usr/local/include \
    "$OUT"/usr/local/bin/{idle3,pydoc3,2to3}* "$OUT"/usr/local/bin/python3*-config
}

# Lets modules of the distribution's packages be found too. Compiled ones work if the suite has the same series.
find_distribution() {
  local library=$1
  mkdir -p "$library/site-packages"
  printf '/usr/lib/python3/dist-packages\n' >"$library/site-packages/distribution.pth"
}

# Compiles the modules to bytecode that does not depend on when the files were made: times are levelled later.
precompile() {
  local python=$1 library=$2 shown=$3
  find "$library" -name __pycache__ -prune -exec rm -rf {} +
  "$python" -m compileall -q --invalidation-mode unchecked-hash -s "$library" -p "$shown" "$library"
}

main() {
  local folder=${BUILD_FOLDER:-/tmp/python}
  local -a packages
  series "${PYTHON_VERSION:?}"
  local shown=/usr/local/lib/python$REPLY python=$folder/python
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  apt_update
  apt_install "${packages[@]}"
  source_unpack python "$folder"
  compile "$folder"
  slim "$OUT$shown"
  find_distribution "$OUT$shown"
  precompile "$python" "$OUT$shown" "$shown"
  out_finish
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
