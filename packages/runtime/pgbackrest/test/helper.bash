#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2016,SC2034 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../entrypoint/test/helper.bash"

# Merges the image, puts a stand-in for pgBackRest onto PATH and declares the variables as fragment.ts does.
pgbackrest_setup() {
  local name
  merge_image entrypoint pgbackrest
  export PGDATA=$BATS_TEST_TMPDIR/data STATE_DIR=$STATE_FOLDERS CALLS=$BATS_TEST_TMPDIR/calls
  export BACKUP_PROGRAM=$STUBS/pgbackrest BACKUP_MOUNTS=$BATS_TEST_TMPDIR/mounts COMMAND_HOME=$CONTAINER
  export ANSWERS=$BATS_TEST_TMPDIR/answers REPOSITORY=$BATS_TEST_TMPDIR/repository
  for name in "${!PGBACKREST_@}"; do unset -v "$name"; done
  unset -v BACKUP_ENABLED PGPORT POSTGRES_USER
  mkdir -p "$PGDATA" "$ANSWERS" "$REPOSITORY"
  chmod 777 "$PGDATA" "$ANSWERS" "$REPOSITORY"
  printf '22 1 0:1 / / rw - overlay overlay rw\n' >"$BACKUP_MOUNTS"
  : >"$CALLS"
  chmod 666 "$CALLS"
  printf '%s\n' 'var|PGBACKREST_ENABLE|boolean|false||' 'var|BACKUP_ENABLED|boolean|false||' \
    'var|PGBACKREST_STANZA|string|main||' 'var|PGBACKREST_*|string|||' \
    'var|PGBACKREST_REPO1_CIPHER_PASS|string||secret,file|' 'var|PGBACKREST_REPO1_S3_KEY|string||secret,file|' \
    >"$CONTRACTS/pgbackrest.contract"
  # Answers of a command are in a file of its name, one for each run (check.1, check.2) or for all: code, then its lines.
  stub pgbackrest <<'S'
printf 'pgbackrest' >>"$CALLS"; printf ' <%s>' "$@" >>"$CALLS"; echo >>"$CALLS"
env | grep ^PGBACKREST_ | sort | sed 's/^/  env: /' >>"$CALLS"
for word; do case $word in archive-push | backup | stanza-create | check | info | restore) name=$word ;; esac; done
number=$(grep -c "<$name>" "$CALLS")
file=$ANSWERS/${name-none}.$number
[[ -e $file ]] || file=$ANSWERS/${name-none}
if [[ ! -e $file ]]; then case $name in archive-push) exit 43 ;; backup) exit 55 ;; *) exit 0 ;; esac; fi
{ read -r code; cat; } <"$file"
exit "$code"
S
  prelude='source "$ENTRYPOINT_SCRIPTS"/init/04-backup.sh; env_load "$ENTRYPOINT_CONTRACTS"; LOG_NAME=t
config_add() { echo "add <$1> <$2>"; }; BACKUP_FILE=$STATE_DIR/pgbackrest.conf; '
}

# Lets the stand-in answer a command; needs its name (and .N for the run that is meant) and the code, lines come from stdin.
answer() { { echo "$2" && cat; } >"$ANSWERS/$1"; }

# Runs code with all functions of the fragment at hand.
with_backup() { with_entrypoint "$prelude$1"; }
