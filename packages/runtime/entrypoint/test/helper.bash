#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034 # the tests read what is set here
# What the tests share. Each test has its own copy of the files, merged as they lie in the image.
bats_require_minimum_version 1.5.0

# Merges the rootfs folders of the named packages into a folder of this test.
merge_image() {
  local package
  IMAGE=$BATS_TEST_TMPDIR/image
  STUBS=$BATS_TEST_TMPDIR/stubs
  SETPRIV=$(type -P setpriv) || :
  mkdir -p "$IMAGE" "$STUBS" "$BATS_TEST_TMPDIR/state"
  for package in "$@"; do cp -R "$BATS_TEST_DIRNAME/../../$package/rootfs/." "$IMAGE/"; done
  CONTAINER=$IMAGE/opt/container
  SCRIPTS=$CONTAINER/entrypoint.d/scripts
  CONTRACTS=$CONTAINER/environment.d
  mkdir -p "$CONTRACTS" "$SCRIPTS/init" "$SCRIPTS/shutdown.d" "$SCRIPTS/healthcheck.d"
  chmod -R a+rX "$IMAGE"
  chmod 755 "$CONTAINER/entrypoint.sh"
  export STATE_FOLDERS=$BATS_TEST_TMPDIR/state PATH=$STUBS:$PATH
  # A root that runs the tests steps aside for another user, so it has to let that one in.
  chmod 777 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/state"
  if ((EUID == 0)); then chown 12345 "$BATS_TEST_TMPDIR/state"; fi
  chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* 2>/dev/null || :
}

# Puts a program onto PATH; needs its name, its text comes from stdin.
stub() {
  { printf '#!/usr/bin/env bash\n' && cat; } >"$STUBS/$1"
  chmod 755 "$STUBS/$1"
}

# Runs a command as a user that is not root, whoever runs the tests.
as_user() {
  if ((EUID == 0)); then "$SETPRIV" --reuid=12345 --regid=12345 --clear-groups -- "$@"; else "$@"; fi
}

# Gives files and folders to the user that as_user runs commands as.
owned_by_user() { if ((EUID == 0)); then chown -R 12345 "$@"; fi; }

# Makes a certificate and its key in a folder; needs the folder and their name without ending.
make_pair() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test \
    -keyout "$1/$2.key" -out "$1/$2.crt" 2>/dev/null
  chmod 600 "$1/$2.key"
  owned_by_user "$1"
}

# Runs a command as as_user does, in the background; gives its number in PID. The end of the test ends it too.
in_background() {
  if ((EUID == 0)); then set -- "$SETPRIV" --reuid=12345 --regid=12345 --clear-groups -- "$@"; fi
  # bats waits for whoever holds its descriptor 3.
  "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  PID=$!
}

# Ends what in_background started.
teardown() {
  if [[ -n ${PID-} ]]; then kill -KILL "$PID" 2>/dev/null || :; fi
}

# Runs bash code with all functions of the entrypoint at hand and the logs as they would be.
with_entrypoint() { as_user bash -c 'source "$0/entrypoint.sh"; STATE_DIR=$STATE_FOLDERS; '"$1" "$CONTAINER" "${@:2}"; }

# Waits until a command succeeds, for half a minute: a busy machine is slow.
eventually() {
  local i
  for ((i = 0; i < 1500; i++)); do
    if "$@"; then return 0; fi
    sleep 0.02
  done
  return 1
}
