#!/usr/bin/env bash
# Compiles PostgreSQL PG_VERSION with Debian's layout into /out, with or without PG_JIT. Needs BUILD_PACKAGES.
set -Eeuo pipefail

SETUP=${SETUP:-${BASH_SOURCE[0]%/*}/../..}
# shellcheck source=../../../../../../base/rootfs/mnt/setup/setup-base/lib/apt.sh
source "$SETUP/setup-base/lib/apt.sh"
# shellcheck source=../../../../../../toolchain/rootfs/mnt/setup/setup-toolchain/lib/build-lib.sh
source "$SETUP/setup-toolchain/lib/build-lib.sh"
# shellcheck source=../lib/plugins.sh
source "$SETUP/setup-postgresql/lib/plugins.sh"

# Says why nothing can be compiled, and ends with the exit code for configuration.
refuse() {
  printf 'setup-postgresql: %s\n' "$*" >&2
  exit 2
}

# Refuses what is not known to compile, and a release of another major version than the image's.
check_version() {
  local version=$1 major=$2
  [[ $major =~ ^1[3-8]$ ]] || refuse "major: expected 13 to 18 with channel source, found $major"
  [[ $version == "$major".* ]] || refuse "version: expected a release of PostgreSQL $major, found $version"
}

# Gives in REPLIES how to configure a major version: Debian's layout, and what Debian's server can do too.
configure_options() {
  local major=$1 jit=$2 prefix=/usr/lib/postgresql/$1
  REPLIES=(
    "--prefix=$prefix" "--datadir=/usr/share/postgresql/$major" "--includedir=/usr/include/postgresql/$major"
    "--sysconfdir=/etc/postgresql-common" "--with-system-tzdata=/usr/share/zoneinfo"
    --with-gssapi --with-icu --with-ldap --with-libxml --with-libxslt --with-openssl --with-pam --with-uuid=e2fs
  )
  ((major < 14)) || REPLIES+=(--with-lz4)
  ((major < 15)) || REPLIES+=(--with-zstd)
  [[ $jit == false ]] || REPLIES+=(--with-llvm)
}

# Lets server and clients meet in the folder where Debian's do, and not in /tmp.
set_socket_folder() {
  local file=$1/src/include/pg_config_manual.h
  sed -i 's|^\(#define DEFAULT_PGSOCKET_DIR  *\)"/tmp"|\1"/var/run/postgresql"|' "$file"
  grep -q '^#define DEFAULT_PGSOCKET_DIR  *"/var/run/postgresql"' "$file" \
    || refuse "expected the socket folder in $file, found another text than in the releases known so far"
}

# Compiles the source in a folder and installs it below OUT, contrib with it.
compile() {
  local folder=$1 major=$2 jit=$3
  local -a REPLIES
  configure_options "$major" "$jit"
  build_jobs
  (
    cd "$folder"
    ./configure --quiet --enable-option-checking=fatal CFLAGS="-O2 -g0" "${REPLIES[@]}"
    make --silent --jobs="$REPLY" all
    make --silent --jobs="$REPLY" -C contrib all
    make --silent DESTDIR="$OUT" install
    make --silent DESTDIR="$OUT" -C contrib install
  )
}

# Gives in REPLIES what out_finish would take away, but which extensions are compiled against, or JIT reads; below OUT.
kept_paths() {
  local major=$1 jit=$2 library=usr/lib/postgresql/$1/lib
  REPLIES=("usr/include/postgresql/$major" "$library/pgxs")
  [[ $jit == false ]] || REPLIES+=("$library/bitcode" "$library/llvmjit_types.bc")
}

# Calls out_finish with these paths below OUT out of its sight, and leaves them as it leaves all others.
finish_keeping() {
  local aside=$1 path
  shift
  for path in "$@"; do
    mkdir -p "$aside/${path%/*}"
    mv "$OUT/$path" "$aside/$path"
  done
  out_finish
  chown -hR 0:0 "$aside"
  chmod -R u+rwX,go+rX,go-w "$aside"
  find "$aside" -exec touch --no-dereference --date="@$OUT_TIME" {} +
  for path in "$@"; do
    mkdir -p "$OUT/${path%/*}"
    mv "$aside/$path" "$OUT/$path"
  done
  find "$OUT" -type d -exec chmod 755 {} + -exec touch --date="@$OUT_TIME" {} +
}

main() {
  local folder=${BUILD_FOLDER:-/tmp/postgresql}
  local -a packages REPLIES
  check_version "${PG_VERSION:?}" "${PG_MAJOR:?}"
  read -ra packages <<<"${BUILD_PACKAGES:?}"
  [[ ${PG_JIT:?} == false ]] || packages+=(clang llvm-dev)
  apt_update
  apt_install "${packages[@]}"
  source_unpack postgresql "$folder"
  set_socket_folder "$folder"
  compile "$folder" "$PG_MAJOR" "$PG_JIT"
  plugins_note "$OUT/usr/lib/postgresql/$PG_MAJOR/bin/postgres" "$OUT"
  kept_paths "$PG_MAJOR" "$PG_JIT"
  finish_keeping "$folder/aside" "${REPLIES[@]}"
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
