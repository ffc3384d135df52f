#!/usr/bin/env bash
# What the tests of build-lib.sh share.
load helper

export COMMIT=0123456789012345678901234567890123456789
export WRONG=0000000000000000000000000000000000000000000000000000000000000000

# Runs functions of build-lib.sh in a shell of their own, with the settings that build scripts have.
with_lib() {
  # shellcheck disable=SC2016 # expanded by that shell
  run "$1" bash -c 'set -Eeuo pipefail; source "$1"; '"$2" bash "$SETUP/setup-toolchain/lib/build-lib.sh"
}

# Makes a folder TREE as a source has it.
make_tree() {
  TREE=$BATS_TEST_TMPDIR/tree
  mkdir -p "$TREE/a folder"
  echo content >"$TREE/a folder/a file"
  printf '#!/bin/sh\n' >"$TREE/configure"
  chmod 755 "$TREE/configure"
  ln -s configure "$TREE/link"
}

# Fails unless a folder holds what make_tree makes.
is_tree() {
  [ "$(cat "$1/a folder/a file")" = content ]
  [ -x "$1/configure" ]
  [ "$(readlink "$1/link")" = configure ]
}

# Makes a repository in REPOSITORY with two commits; the first one, in FIRST, holds what make_tree makes.
make_repository() {
  need git
  REPOSITORY=$BATS_TEST_TMPDIR/repository
  export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com
  export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com
  git init --quiet "$REPOSITORY"
  cp -R "$TREE/." "$REPOSITORY"
  git -C "$REPOSITORY" add --all
  git -C "$REPOSITORY" commit --quiet --message=first
  # shellcheck disable=SC2034 # used by the tests
  FIRST=$(git -C "$REPOSITORY" rev-parse HEAD)
  echo later >"$REPOSITORY/a folder/a file"
  git -C "$REPOSITORY" commit --quiet --all --message=second
}
