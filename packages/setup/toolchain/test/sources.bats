#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
# The part of build-lib.sh that finds, verifies and unpacks sources.
load lib

setup() {
  prepare_stage
  make_tree
  LIB=$SETUP/setup-toolchain/lib/build-lib.sh
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
  use_jobs 7
  with_lib -0 'build_jobs; echo "$REPLY"'
  [ "$output" = 7 ]
}

@test "build_jobs gives one where the number cannot be known" {
  stub getconf <<<'exit 1'
  with_lib -0 'build_jobs; echo "$REPLY"'
  [ "$output" = 1 ]
}

@test "source_fields gives the fields of the very name" {
  list_source 'c*' any.tar.gz - url https://example.com/any -
  list_source citus-more other.tar.gz - url https://example.com/other -
  list_source citus citus.tar.gz "$WRONG" url https://example.com/citus -
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
