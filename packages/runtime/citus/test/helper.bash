#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2034,SC2016 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../postgresql/test/helper.bash"

# Merges the image, puts stand-ins for the server's programs onto PATH and declares the variables as fragment.ts does.
citus_setup() {
  local name
  for name in "${!CITUS_@}"; do unset -v "$name"; done
  unset -v PGPASSFILE PGPORT POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD PATRONI_ENABLE
  postgresql_setup
  cp -R "$BATS_TEST_DIRNAME/../rootfs/." "$IMAGE/"
  chmod -R a+rX "$IMAGE"
  export CITUS_HOME=$CONTAINER/citus LIBRARY=$BATS_TEST_TMPDIR/server/lib/citus.so
  printf '%s\n' 'var|CITUS_ENABLE|boolean|false||' 'var|CITUS_ROLE|enum|coordinator||coordinator,worker' 'var|CITUS_DATABASE|string|||' \
    'var|CITUS_GROUP|integer|||0..2147483647' 'var|CITUS_COORDINATOR_HOST|string|||' 'var|CITUS_COORDINATOR_PORT|integer|5432||1..65535' \
    'var|CITUS_ADDRESS|string|||' >"$CONTRACTS/citus.contract"
  printf '%s\n' 'var|POSTGRES_PASSWORD|string||secret,file|' 'var|POSTGRES_USER|string|postgres|file|' \
    'var|POSTGRES_DB|string||file|' 'var|POSTGRESQL_*|string|||' >"$CONTRACTS/postgresql.contract"
  export CITUS_ENABLE=true POSTGRES_PASSWORD=hunter2
  citus_stubs
  prelude+='env_load "$ENTRYPOINT_CONTRACTS"; DATABASE_MADE=; '
}

# The server says of its libraries what our configuration says last, else LIBRARIES; WINNING in any case. Its library for Citus is
# there. The container has an address.
citus_stubs() {
  mkdir -p "${LIBRARY%/*}" "$BATS_TEST_TMPDIR/server/bin"
  touch "$LIBRARY"
  mv "$STUBS/postgres" "$STUBS/postgres-itself"
  stub postgres <<'S'
if [[ " $* " != *' -C shared_preload_libraries'* ]]; then exec postgres-itself "$@"; fi
value=${LIBRARIES-}
while IFS= read -r line; do
  if [[ $line == 'shared_preload_libraries = '* ]]; then value=${line#*= \'} value=${value%\'}; fi
done <"$STATE_DIR/postgresql.conf"
echo "${WINNING-$value}"
S
  mv "$STUBS/postgres" "$BATS_TEST_TMPDIR/server/bin/postgres"
  ln -s "$BATS_TEST_TMPDIR/server/bin/postgres" "$STUBS/postgres"
  chmod -R a+rX "$BATS_TEST_TMPDIR/server"
  stub hostname <<<'echo "${ADDRESSES-192.0.2.7}"'
}

# Lets the server answer SQL. What it says here and at the coordinator is in files, one for each time that it is asked, or for all:
# here.1, here, there.1, there; the first line is the code. Every question is noted in CALLS.
server_answers() {
  export ANSWERS=$BATS_TEST_TMPDIR/answers
  mkdir -p "$ANSWERS"
  stub psql <<'S'
side=here
for word; do case $word in --host=*) side=there ;; esac; done
{ printf '%s' "$side"; printf ' <%s>' "$@"; printf ' db=%s pass=%s\n' "${PGDATABASE-}" "${PGPASSFILE-}"; } >>"$CALLS"
if [[ " $* " != *' -c '* ]]; then sed 's/^/  sql: /' >>"$CALLS"; fi
number=$(grep -c "^$side " "$CALLS")
file=$ANSWERS/$side.$number
[[ -e $file ]] || file=$ANSWERS/$side
[[ -e $file ]] || exit 0
{ read -r code; cat; } <"$file"
exit "$code"
S
}

# Keeps an answer; needs its file's name, the code and the lines.
answer() { printf '%s\n' "${@:2}" >"$ANSWERS/$1"; }

# Runs code with all functions of the fragment at hand.
with_citus() { with_entrypoint "$prelude$1"; }
