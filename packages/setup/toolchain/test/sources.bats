#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
# The part of build-lib.sh that gets sources: from the folder, by real curl, by real git.
load helper

COMMIT=0123456789012345678901234567890123456789
WRONG=0000000000000000000000000000000000000000000000000000000000000000

setup() {
  prepare_stage
  LIB=$SETUP/setup-toolchain/build-lib.sh
  TREE=$BATS_TEST_TMPDIR/tree
  mkdir -p "$TREE/a folder"
  echo content >"$TREE/a folder/a file"
  printf '#!/bin/sh\n' >"$TREE/configure"
  chmod 755 "$TREE/configure"
  ln -s configure "$TREE/link"
}

teardown() {
  [[ -z ${SERVER-} ]] || kill "$SERVER" || true
}

# Runs functions of build-lib.sh in a shell of their own, with the settings that build scripts have.
with_lib() { run "$1" bash -c 'set -Eeuo pipefail; source "$1"; '"$2" bash "$LIB"; }

# Fails unless a folder holds what setup made.
is_tree() {
  [ "$(cat "$1/a folder/a file")" = content ]
  [ -x "$1/configure" ]
  [ "$(readlink "$1/link")" = configure ]
}

# Makes a repository in REPOSITORY with two commits; the first one, in FIRST, holds what setup made.
make_repository() {
  need git
  REPOSITORY=$BATS_TEST_TMPDIR/repository
  export GIT_{AUTHOR,COMMITTER}_NAME=test GIT_{AUTHOR,COMMITTER}_EMAIL=test@example.com
  git init --quiet "$REPOSITORY"
  cp -R "$TREE/." "$REPOSITORY"
  git -C "$REPOSITORY" add --all
  git -C "$REPOSITORY" commit --quiet --message=first
  FIRST=$(git -C "$REPOSITORY" rev-parse HEAD)
  echo later >"$REPOSITORY/a folder/a file"
  git -C "$REPOSITORY" commit --quiet --all --message=second
}

# Starts a server on 127.0.0.1 that gives a file in several ways; its address is in ADDRESS then.
start_server() {
  need curl node
  local port=$BATS_TEST_TMPDIR/port
  cat >"$BATS_TEST_TMPDIR/server.cjs" <<'S'
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const [file, port] = process.argv.slice(2);
let busy = true;
const server = require("node:http").createServer(({ url }, answer) => {
  const content = readFileSync(file);
  if (url === "/moved") return answer.writeHead(302, { location: "/whole" }).end();
  if (url === "/none") return answer.writeHead(404).end("not here");
  if (url === "/busy" && busy) {
    busy = false;
    return answer.writeHead(503).end();
  }
  answer.writeHead(200, { "content-length": content.length });
  if (url !== "/broken") return answer.end(content);
  answer.write(content.subarray(0, 20), () => answer.destroy());
});
server.listen(0, "127.0.0.1", () => {
  writeFileSync(`${port}.new`, String(server.address().port));
  renameSync(`${port}.new`, port);
});
S
  node "$BATS_TEST_TMPDIR/server.cjs" "$1" "$port" >"$BATS_TEST_TMPDIR/server.log" 2>&1 3>&- &
  SERVER=$!
  local deadline=$((SECONDS + 60))
  until [[ -s $port ]]; do
    ((SECONDS < deadline)) && kill -0 "$SERVER" || {
      cat "$BATS_TEST_TMPDIR/server.log"
      return 1
    }
    sleep 0.1
  done
  ADDRESS=http://127.0.0.1:$(cat "$port")
}

@test "sourcing build-lib.sh does nothing but define functions, and knows the folders of the stage" {
  unset SOURCES OUT
  with_lib -0 'type -t source_unpack; echo "$SOURCES $OUT $OUT_TIME"'
  [ "$output" = $'function\n/mnt/sources /out 946684800' ]
  calls_are </dev/null
}

@test "build_refuse says why on stderr, and ends with the code for configuration" {
  run -2 --separate-stderr bash -c 'source "$1"; build_refuse "expected a," "found b"; echo never' bash "$LIB"
  [ -z "$output" ]
  [ "$stderr" = 'build: expected a, found b' ]
}

@test "build_jobs gives the number of processors" {
  with_lib -0 'build_jobs; echo "$REPLY"'
  [[ $output =~ ^[1-9][0-9]*$ ]]
  stub getconf <<<'echo 7'
  with_lib -0 'build_jobs; echo "$REPLY"'
  [ "$output" = 7 ]
}

@test "build_jobs gives one where the number cannot be known" {
  stub getconf <<<'exit 1'
  with_lib -0 'build_jobs; echo "$REPLY"'
  [ "$output" = 1 ]
}

@test "source_fields gives the fields of the very name" {
  list_source citus-more other.tar.gz - url https://example.com/other -
  list_source citus citus.tar.gz "$WRONG" url https://example.com/citus -
  list_source 'c*' any.tar.gz - url https://example.com/any -
  with_lib -0 'source_fields citus; printf "[%s]" "${SOURCE_FIELDS[@]}"'
  [ "$output" = "[citus][citus.tar.gz][$WRONG][url][https://example.com/citus][-]" ]
  with_lib -0 'source_fields "c*"; echo "${SOURCE_FIELDS[1]}"'
  [ "$output" = any.tar.gz ]
}

@test "source_fields takes a last line that does not end" {
  printf 'citus citus.tar.gz - url https://example.com/citus -' >"$SOURCES/SOURCES"
  with_lib -0 'source_fields citus; echo "${#SOURCE_FIELDS[@]}"'
  [ "$output" = 6 ]
}

@test "source_fields refuses a name that is not in the list" {
  list_source citus-more other.tar.gz - url https://example.com/other -
  with_lib -2 'source_fields citus; echo never'
  [ "$output" = "build: expected source citus in $SOURCES/SOURCES, found none" ]
}

@test "source_fields refuses a line with a field too few or too many, and says how many it has" {
  list_source few few.tar.gz - url https://example.com/few
  list_source many many.tar.gz - git https://example.com/many "$COMMIT" more
  with_lib -2 'source_fields few; echo never'
  [ "$output" = "build: source few in $SOURCES/SOURCES: expected 6 fields without blanks, found 5" ]
  with_lib -2 'source_fields many; echo never'
  [[ $output == *'expected 6 fields without blanks, found 7' ]]
}

@test "a file name with a blank is refused as a field too many, though the file is there" {
  pack "$TREE" "$SOURCES/a file.tar.gz"
  list_source blank 'a file.tar.gz' "$REPLY" url https://example.com/blank -
  with_lib -2 'source_file blank; echo never'
  [[ $output == *'source blank in '*': expected 6 fields without blanks, found 7' ]]
}

@test "source_fields fails where there is no list" {
  rm "$SOURCES/SOURCES"
  with_lib -1 'source_fields citus; echo never'
  [[ $output == *"$SOURCES/SOURCES: No such file"* && $output != *never* ]]
}

@test "source_verify takes a file that is what it has to be" {
  sum_of "$TREE/configure"
  with_lib -0 "source_verify '$TREE/configure' $REPLY; echo on"
  [ "$output" = on ]
}

@test "source_verify refuses another file, and says both sums" {
  sum_of "$TREE/configure"
  with_lib -2 "source_verify '$TREE/configure' $WRONG; echo never"
  [ "$output" = "build: configure: expected sha256 $WRONG, found $REPLY; see where it comes from" ]
}

@test "source_verify fails on a file that is not there" {
  with_lib -1 "source_verify '$TREE/none' $WRONG; echo never"
  [[ $output == *"$TREE/none"* && $output != *never* ]]
}

@test "source_download gets a file by its address" {
  need curl
  with_lib -0 "source_download 'file://$TREE/configure' '$TMPDIR/got'"
  cmp "$TREE/configure" "$TMPDIR/got"
}

@test "source_download follows an address that moved, and tries again at a server that is busy" {
  pack "$TREE" "$BATS_TEST_TMPDIR/whole"
  start_server "$BATS_TEST_TMPDIR/whole"
  with_lib -0 "source_download $ADDRESS/moved '$TMPDIR/moved'; source_download $ADDRESS/busy '$TMPDIR/busy'"
  cmp "$BATS_TEST_TMPDIR/whole" "$TMPDIR/moved"
  cmp "$BATS_TEST_TMPDIR/whole" "$TMPDIR/busy"
}

@test "source_download refuses an answer that is an error, and says what to do" {
  start_server "$TREE/configure"
  with_lib -2 "source_download $ADDRESS/none '$TMPDIR/some.tar.gz'; echo never"
  [[ $output == *404* ]]
  [ "${lines[-1]}" = "build: $ADDRESS/none cannot be fetched; put some.tar.gz into the sources folder (STRATA_SOURCES) and build with strata image" ]
}

@test "source_download refuses a download that breaks off" {
  pack "$TREE" "$BATS_TEST_TMPDIR/whole"
  start_server "$BATS_TEST_TMPDIR/whole"
  with_lib -2 "source_download $ADDRESS/broken '$TMPDIR/some.tar.gz'; echo never"
  [[ ${lines[-1]} == "build: $ADDRESS/broken cannot be fetched; put some.tar.gz into"* ]]
}

@test "source_download gives curl the address as such, also one like an option" {
  stub curl <<<'exit 22'
  with_lib -2 "source_download --config=x '$TMPDIR/some.tar.gz'"
  run -0 tail -1 "$CALLS"
  [[ $output == *"[--output] [$TMPDIR/some.tar.gz] [--] [--config=x]" ]]
}

@test "source_clone packs a commit under the name, also one that is not the newest" {
  make_repository
  with_lib -0 "source_clone 'file://$REPOSITORY' $FIRST name '$TMPDIR/got.tar.gz'; ls '$TMPDIR'"
  # Nothing is left of the room in between.
  [ "$output" = got.tar.gz ]
  tar --extract --file "$TMPDIR/got.tar.gz" --directory "$BATS_TEST_TMPDIR"
  is_tree "$BATS_TEST_TMPDIR/name"
}

@test "source_clone refuses a commit that is not in the repository" {
  make_repository
  with_lib -2 "source_clone 'file://$REPOSITORY' $COMMIT name '$TMPDIR/got.tar.gz'; echo never"
  [[ ${lines[-1]} == "build: file://$REPOSITORY cannot be fetched; put got.tar.gz into the sources folder"* ]]
  [ ! -e "$TMPDIR/got.tar.gz" ]
}

@test "source_clone refuses a commit whose content was changed in the repository" {
  make_repository
  local object
  object=$(git -C "$REPOSITORY" rev-parse "$FIRST:configure")
  object=$REPOSITORY/.git/objects/${object:0:2}/${object:2}
  chmod u+w "$object"
  git -C "$REPOSITORY" hash-object -w --stdin <<<'something else' >"$TMPDIR/other"
  cp "$REPOSITORY/.git/objects/$(sed 's|^..|&/|' "$TMPDIR/other")" "$object"
  with_lib -2 "source_clone 'file://$REPOSITORY' $FIRST name '$TMPDIR/got.tar.gz'; echo never"
  [ ! -e "$TMPDIR/got.tar.gz" ]
}

@test "source_clone refuses a repository that is not there" {
  need git
  with_lib -2 "source_clone 'file://$BATS_TEST_TMPDIR/none' $COMMIT name '$TMPDIR/got.tar.gz'; echo never"
  [[ ${lines[-1]} == "build: file://$BATS_TEST_TMPDIR/none cannot be fetched"* ]]
}

@test "source_clone fetches that commit alone, and packs it" {
  note git
  with_lib -0 "source_clone https://example.com/a $COMMIT name '$TMPDIR/got.tar.gz'"
  run -0 sed 's/\[-C\] \[[^]]*\]/[-C]/' "$CALLS"
  [ "$output" = "git [-C] [init] [--quiet] [--bare]
git [-C] [fetch] [--quiet] [--depth=1] [https://example.com/a] [$COMMIT]
git [-C] [archive] [--format=tar.gz] [--prefix=name/] [--output=$TMPDIR/got.tar.gz] [$COMMIT]" ]
}

@test "source_file gives the file at hand, verified by the sum of the list" {
  note curl git
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$REPLY" url https://example.com/a -
  with_lib -0 'source_file a; echo "$REPLY"'
  [ "$output" = "$SOURCES/a.tar.gz" ]
  calls_are </dev/null
}

@test "source_file refuses a file at hand that is another one, and fetches nothing in its place" {
  note curl git
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$WRONG" url https://example.com/a -
  with_lib -2 'source_file a; echo never'
  [ "$output" = "build: a.tar.gz: expected sha256 $WRONG, found $REPLY; see where it comes from" ]
  calls_are </dev/null
}

@test "source_file refuses a file at hand that was cut short" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$REPLY" url https://example.com/a -
  truncate --size=-1 "$SOURCES/a.tar.gz"
  with_lib -2 'source_file a'
  [[ $output == *"expected sha256 $REPLY, found "* ]]
}

@test "source_file takes the sum beside a file of which nobody published one, as sha256sum writes it or alone" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz - git https://example.com/a "$COMMIT"
  local text
  for text in "$REPLY  a.tar.gz\n" "$REPLY\n" "$REPLY"; do
    # shellcheck disable=SC2059 # the text is the format
    printf "$text" >"$SOURCES/a.tar.gz.sha256"
    with_lib -0 'source_file a; echo "$REPLY"'
    [ "$output" = "$SOURCES/a.tar.gz" ]
  done
}

@test "source_file refuses a file that is not what the sum beside it says" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz - git https://example.com/a "$COMMIT"
  echo "$WRONG  a.tar.gz" >"$SOURCES/a.tar.gz.sha256"
  with_lib -2 'source_file a'
  [[ $output == *"expected sha256 $WRONG, found $REPLY;"* ]]
}

@test "source_file goes by the list's sum where there is one beside the file too" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$WRONG" url https://example.com/a -
  echo "$REPLY  a.tar.gz" >"$SOURCES/a.tar.gz.sha256"
  with_lib -2 'source_file a'
  [[ $output == *"expected sha256 $WRONG, found $REPLY;"* ]]
}

@test "source_file refuses a file without any sum, and says where to write it" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz - git https://example.com/a "$COMMIT"
  local expected='build: a.tar.gz is there, but nobody published a sum of it; write the one that you trust to a.tar.gz.sha256'
  with_lib -2 'source_file a; echo never'
  [ "$output" = "$expected" ]
  # An empty file says nothing either.
  : >"$SOURCES/a.tar.gz.sha256"
  with_lib -2 'source_file a; echo never'
  [ "$output" = "$expected" ]
}

@test "source_file fetches an address where the file is not at hand" {
  need curl
  pack "$TREE" "$BATS_TEST_TMPDIR/whole"
  list_source a a.tar.gz "$REPLY" url "file://$BATS_TEST_TMPDIR/whole" -
  with_lib -0 'source_file a; echo "$REPLY"'
  [ "$output" = "$TMPDIR/a.tar.gz" ]
  cmp "$BATS_TEST_TMPDIR/whole" "$TMPDIR/a.tar.gz"
}

@test "source_file refuses something else that it fetched, and says both sums" {
  stub curl <<<'while [[ $1 != --output ]]; do shift; done; echo else >"$2"'
  list_source a a.tar.gz "$WRONG" url https://example.com/a -
  with_lib -2 'source_file a'
  sum_of "$TMPDIR/a.tar.gz"
  [ "$output" = "build: a.tar.gz: expected sha256 $WRONG, found $REPLY; see where it comes from" ]
}

@test "source_file refuses what it fetched from an address without any sum" {
  stub curl <<<'while [[ $1 != --output ]]; do shift; done; echo else >"$2"'
  list_source a a.tar.gz - url https://example.com/a -
  with_lib -2 'source_file a; echo never'
  [[ $output == *'nobody published a sum of it'* && $output != *never* ]]
}

@test "source_file fetches a commit where the file is not at hand, and needs no sum of it" {
  make_repository
  list_source a a.tar.gz - git "file://$REPOSITORY" "$FIRST"
  with_lib -0 'source_file a; echo "$REPLY"'
  [ "$output" = "$TMPDIR/a.tar.gz" ]
  tar --extract --file "$TMPDIR/a.tar.gz" --directory "$BATS_TEST_TMPDIR"
  is_tree "$BATS_TEST_TMPDIR/a"
}

@test "source_file fetches to /tmp where no other folder is set" {
  unset TMPDIR
  note git
  list_source a "strata-$BASHPID.tar.gz" - git https://example.com/a "$COMMIT"
  with_lib -0 'source_file a; echo "$REPLY"'
  [ "$output" = "/tmp/strata-$BASHPID.tar.gz" ]
}

@test "source_unpack unpacks without the top folder, with modes and links, into a folder that it makes" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$REPLY" url https://example.com/a -
  with_lib -0 'source_unpack a "$BATS_TEST_TMPDIR/un/packed here"'
  is_tree "$BATS_TEST_TMPDIR/un/packed here"
}

@test "source_unpack leaves what it unpacked to who runs it, whatever the archive says" {
  ((EUID == 0)) || skip "only root could give a file away"
  tar --create --gzip --owner=12345 --group=12345 --file "$SOURCES/a.tar.gz" --directory "$TREE" --transform 's|^\.|top|' .
  sum_of "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$REPLY" url https://example.com/a -
  with_lib -0 'source_unpack a "$BATS_TEST_TMPDIR/unpacked"'
  [ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/unpacked/configure")" = 0:0 ]
}

@test "source_unpack unpacks nothing of a file that is refused" {
  pack "$TREE" "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$WRONG" url https://example.com/a -
  with_lib -2 'source_unpack a "$BATS_TEST_TMPDIR/unpacked"; echo never'
  [ ! -e "$BATS_TEST_TMPDIR/unpacked" ]
}

@test "source_unpack fails on what is no archive" {
  echo '<html>' >"$SOURCES/a.tar.gz"
  sum_of "$SOURCES/a.tar.gz"
  list_source a a.tar.gz "$REPLY" url https://example.com/a -
  with_lib -2 'source_unpack a "$BATS_TEST_TMPDIR/unpacked"; echo never'
  [[ $output == *tar:* && $output != *never* ]]
}
