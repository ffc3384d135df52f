#!/usr/bin/env bash
# What build scripts share, sourced by them: verified sources, the number of jobs, and an /out that is always the same.

SOURCES=${SOURCES:-/mnt/sources}
OUT=${OUT:-/out}
# The time of every file in /out (2000-01-01), so that it says nothing of when it was made.
OUT_TIME=${OUT_TIME:-946684800}

# Says why the build cannot go on, and ends with the exit code for configuration.
build_refuse() {
  printf 'build: %s\n' "$*" >&2
  exit 2
}

# Gives in REPLY the number of jobs: as many as the machine has processors.
build_jobs() {
  REPLY=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || REPLY=1
}

# Gives in SOURCE_FIELDS what SOURCES says of a source: name, file, sum, kind, address, commit.
source_fields() {
  local line
  SOURCE_FIELDS=()
  # The last line counts too where it does not end.
  while read -r line || [[ -n $line ]]; do
    if [[ ${line%% *} == "$1" ]]; then read -ra SOURCE_FIELDS <<<"$line"; fi
  done <"$SOURCES/SOURCES"
  ((${#SOURCE_FIELDS[@]} > 0)) || build_refuse "expected source $1 in $SOURCES/SOURCES, found none"
  ((${#SOURCE_FIELDS[@]} == 6)) \
    || build_refuse "source $1 in $SOURCES/SOURCES: expected 6 fields without blanks, found ${#SOURCE_FIELDS[@]}"
}

# Refuses a file that is not what it has to be; needs the file and the sum.
source_verify() {
  local found
  found=$(sha256sum -- "$1")
  found=${found%% *}
  [[ $found == "$2" ]] || build_refuse "${1##*/}: expected sha256 $2, found $found; see where it comes from"
}

# Ends the build for a source that cannot be fetched: with nothing in /out where the image may do without the component
# (OPTIONAL), which strata image would have left out whole; else with an error. Needs the address and the file.
source_unreachable() {
  local what="$1 cannot be fetched; put ${2##*/} into the sources folder (STRATA_SOURCES) and build with strata image"
  [[ ${OPTIONAL:-false} == true ]] || build_refuse "$what"
  printf 'build: WARNING: the image does without this component: %s\n' "$what" >&2
  mkdir -p "$OUT"
  exit 0
}

# Downloads an address into a file. A transfer that stands still for a minute is given up.
source_download() {
  curl --fail --silent --show-error --location --retry 3 --connect-timeout 15 --speed-limit 1 --speed-time 60 \
    --output "$2" -- "$1" || source_unreachable "$1" "$2"
}

# Fetches a commit and packs it as an archive; git checks it against the commit. Needs repository, commit, name, file.
source_clone() {
  local room
  room=$(mktemp -d)
  git -C "$room" init --quiet --bare
  git -C "$room" fetch --quiet --depth=1 "$1" "$2" || source_unreachable "$1" "$4"
  git -C "$room" archive --format=tar.gz --prefix="$3/" --output="$4" "$2"
  rm -rf "$room"
}

# Gives in REPLY the file of a source that is verified: the one at hand, else fetched.
source_file() {
  local name=$1 file sum kind address commit
  source_fields "$name"
  file=${SOURCE_FIELDS[1]} sum=${SOURCE_FIELDS[2]} kind=${SOURCE_FIELDS[3]} address=${SOURCE_FIELDS[4]}
  commit=${SOURCE_FIELDS[5]}
  REPLY=$SOURCES/$file
  if [[ ! -e $REPLY ]]; then
    REPLY=${TMPDIR:-/tmp}/$file
    case $kind in
      git) source_clone "$address" "$commit" "$name" "$REPLY" ;;
      *) source_download "$address" "$REPLY" ;;
    esac
  elif [[ $sum == - && -e $REPLY.sha256 ]]; then
    # read fails on a line that does not end, though it has read it.
    read -r sum _ <"$REPLY.sha256" || sum=${sum:--}
  fi
  if [[ $sum != - ]]; then
    source_verify "$REPLY" "$sum"
  elif [[ $kind != git || $REPLY == "$SOURCES"/* ]]; then
    build_refuse "$file is there, but nobody published a sum of it; write the one that you trust to $file.sha256"
  fi
}

# Unpacks a source, without its top folder, into a folder.
source_unpack() {
  source_file "$1"
  mkdir -p "$2"
  tar --extract --file "$REPLY" --directory "$2" --strip-components=1 --no-same-owner
}

# Takes debugging symbols out of programs and libraries, and away what no image needs.
out_strip() {
  local file
  find "$OUT" \( -name '*.a' -o -name '*.la' -o -name '*.bc' \) -type f -delete
  find "$OUT" -type d \( -path '*/lib/bitcode' -o -path '*/share/doc' -o -path '*/share/man' -o -path '*/usr/include' \) \
    -prune -exec rm -rf {} +
  find "$OUT" -type d -name pgxs -prune -exec rm -rf {} +
  while IFS= read -r -d '' file; do
    case $(head -c 4 -- "$file" | od -An -tx1) in
      *7f*45*4c*46*) strip --strip-unneeded --enable-deterministic-archives -- "$file" ;;
    esac
  done < <(find "$OUT" -type f \( -name '*.so*' -o -perm -u+x \) -print0)
}

# Leaves in /out the same bytes wherever it was made: stripped, root's, of modes that a umask had no say in, of one time.
out_finish() {
  out_strip
  find "$OUT" -depth -mindepth 1 -type d -empty -delete
  chown -hR 0:0 "$OUT"
  chmod -R u+rwX,go+rX,go-w "$OUT"
  find "$OUT" -exec touch --no-dereference --date="@$OUT_TIME" {} +
}
