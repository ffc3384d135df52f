#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
# The part of build-lib.sh that fetches sources, by real curl and real git.
load lib

setup() {
  prepare_stage
  make_tree
}

teardown() {
  [[ -z ${SERVER-} ]] || kill "$SERVER" || true
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
    if ((SECONDS >= deadline)) || ! kill -0 "$SERVER"; then
      cat "$BATS_TEST_TMPDIR/server.log"
      return 1
    fi
    sleep 0.1
  done
  ADDRESS=http://127.0.0.1:$(cat "$port")
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
  # What git's other end says may come last.
  [[ $output == *"build: file://$REPOSITORY cannot be fetched; put got.tar.gz into the sources folder"* ]]
  [[ $output != *never* ]]
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
  [[ $output == *"build: file://$BATS_TEST_TMPDIR/none cannot be fetched"* && $output != *never* ]]
}

@test "source_clone fetches that commit alone, and packs it" {
  note git
  with_lib -0 "source_clone https://example.com/a $COMMIT name '$TMPDIR/got.tar.gz'"
  run -0 sed 's/\[-C\] \[[^]]*\]/[-C]/' "$CALLS"
  [ "$output" = "git [-C] [init] [--quiet] [--bare]
git [-C] [fetch] [--quiet] [--depth=1] [https://example.com/a] [$COMMIT]
git [-C] [archive] [--format=tar.gz] [--prefix=name/] [--output=$TMPDIR/got.tar.gz] [$COMMIT]" ]
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

@test "source_unreachable: an error, or nothing in /out and a warning where the image may do without" {
  with_lib -2 'source_unreachable https://example.com/a /x/a.tar.gz; echo never'
  [[ $output == 'build: https://example.com/a cannot be fetched; put a.tar.gz into the sources folder (STRATA_SOURCES)'* ]]
  OPTIONAL=true with_lib -0 'source_unreachable https://example.com/a /x/a.tar.gz; echo never'
  [[ $output == 'build: WARNING: the image does without this component: https://example.com/a cannot be fetched'* ]]
  [ -d "$OUT" ]
}

@test "a source that cannot be fetched leaves an optional component out, one with another sum never" {
  need curl
  list_source thing thing.tar.gz "$WRONG" url "file:///nowhere" -
  OPTIONAL=true with_lib -0 'source_unpack thing "$OUT/../tree"; echo never'
  [[ $output == *'does without this component'* && $output != *never* ]]
  pack "$TREE" "$SOURCES/thing.tar.gz"
  OPTIONAL=true with_lib -2 'source_unpack thing "$OUT/../tree"'
  [[ $output == *"expected sha256 $WRONG"* ]]
}
