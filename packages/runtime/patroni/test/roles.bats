#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  patroni_setup
  ROLES=$SCRIPTS/callbacks.d/10-roles.sh
  ODD=$'it\'s "p\\w" $(id) :name %s ; \\q\n--é'
  stub psql <<'S'
{ printf 'psql'; printf ' <%s>' "$@"; printf ' pw=%s\n' "${PGPASSWORD-}"; sed 's/^/  sql: /'; } >>"$CALLS"
echo 'what psql prints'
exit "${PSQL_CODE-0}"
S
}

# Leaves what process 1 leaves; needs name and password of the three roles.
process_1() {
  mkdir -p "$STATE_FOLDERS/patroni"
  echo running >"$STATE_FOLDERS/phase"
  printf '%s\0' "$@" >"$STATE_FOLDERS/patroni/roles"
  printf '%s\n' "${PORT-5433}" "${SOCKETS-/the sockets}" '*' postgres "$PGDATA" >"$STATE_FOLDERS/postgresql.address"
  owned_by_user "$STATE_FOLDERS"
}

# Runs the callback as callback.sh does.
run_roles() { as_user bash "$ROLES" "$@" main; }

# Runs code with the functions of the callback at hand.
with_roles() { as_user bash -c 'source "$1"; '"$1" x "$ROLES" "${@:2}"; }

@test "roles_quote: as psql's \\set takes it" {
  run -0 with_roles 'roles_quote "$2"; echo "$REPLY"' "$ODD"
  [ "$output" = "'it\\'s \"p\\\\w\" \$(id) :name %s ; \\\\q\\n--é'" ]
  run -0 with_roles 'roles_quote ""; echo "$REPLY"'
  [ "$output" = "''" ]
}

@test "roles_statements: values are variables of psql, never text of a statement" {
  run -0 with_roles 'roles_statements su "$2" "re\"p" rpw rewind wpw false' "$ODD"
  [[ ${lines[0]} == "\\set superuser 'su'" && ${lines[1]} == "\\set superuser_password 'it\\'s "* ]]
  [[ ${lines[2]} == "\\set replication 're\"p'" && ${lines[6]} == '\set anew false' ]]
  [[ $(tail -n +8 <<<"$output") != *@(rpw|wpw|re\"p|it\'s)* ]]
  [[ $output == *'log_statement = none'*'CREATE ROLE :"replication" LOGIN REPLICATION PASSWORD :'"'replication_password'"* ]]
}

@test "10-roles: a primary is asked, as the superuser, on the socket; its password is in no argument" {
  local action
  process_1 'the "su"' "$ODD" replicator r rewind w
  for action in on_start on_restart on_role_change; do
    : >"$CALLS"
    run -0 run_roles "$action" primary
    [ -z "$output" ]
    run -0 cat "$CALLS"
    [[ ${lines[0]} == 'psql <-XAtq> <--no-password> <--host=/the sockets> <--port=5433> <--username=the "su"> <--dbname=postgres> pw=it'* ]]
    [[ ${lines[0]%% pw=*} != *"it's"* && $output == *'sql: \set anew false'* ]]
  done
}

@test "10-roles: with POSTGRES_PASSWORD_RECONCILE passwords are set anew" {
  process_1 su s replicator r rewind w
  POSTGRES_PASSWORD_RECONCILE=true run -0 run_roles on_start primary
  [[ $(<"$CALLS") == *'sql: \set anew true'* ]]
}

@test "10-roles: nothing for another role, for another action, or without a state folder" {
  process_1 su s replicator r rewind w
  local role action
  for role in replica standby_leader demoted; do
    for action in on_start on_restart on_role_change on_stop; do run -0 run_roles "$action" "$role"; done
  done
  for action in on_stop on_reload; do run -0 run_roles "$action" primary; done
  rm "$STATE_FOLDERS/phase"
  run -0 run_roles on_start primary
  [ ! -s "$CALLS" ]
}

@test "10-roles: a failure is one of the callback's" {
  process_1 su s replicator r rewind w
  PSQL_CODE=3 run -3 run_roles on_start primary
  run -0 as_user bash -c 'export PSQL_CODE=3; exec "$1" on_start master main' x "$CONTAINER/patroni/callback.sh"
  [[ $output == *'WARN  patroni-callback: callback 10-roles.sh failed with code 3 at on_start as primary'* ]]
}

# Starts a real server that lets everybody in on its socket, or skips. As root the tests step down to a user with a name.
real_server() {
  local -a user=()
  rm "$STUBS"/{initdb,postgres,psql}
  type -P postgres initdb psql >/dev/null || skip "no PostgreSQL on this machine"
  if ((EUID == 0)); then
    getent passwd postgres >/dev/null || skip "no user postgres on this machine"
    user=("$SETPRIV" --reuid=postgres --regid=postgres --clear-groups --)
    as_user() { "$SETPRIV" --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
    owned_by_user() { chown -R postgres "$@"; }
    owned_by_user "$PGDATA" "$STATE_FOLDERS" "$DATABASE_SOCKETS"
  fi
  as_user initdb -D "$PGDATA" -U postgres --no-sync --encoding=UTF8 --locale=C -A trust >/dev/null
  "${user[@]}" postgres -D "$PGDATA" -k "$DATABASE_SOCKETS" -p 5433 -c listen_addresses= -c fsync=off -c log_statement=all \
    -c log_min_duration_statement=0 -c log_min_error_statement=info >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  PID=$!
  disown "$PID"
  eventually sql 'SELECT' >/dev/null 2>&1
  SOCKETS=$DATABASE_SOCKETS
}

# Stops the server so that it leaves nothing.
teardown() {
  if [[ -z ${PID-} ]]; then return 0; fi
  kill -QUIT "$PID" 2>/dev/null || :
  gone() { ! kill -0 "$PID" 2>/dev/null; }
  eventually gone
}

# Asks the server as a user, by default as its superuser.
sql() { as_user psql -XAtq -v ON_ERROR_STOP=1 -h "$DATABASE_SOCKETS" -p 5433 -U "${2-postgres}" -d postgres -c "$1"; }

# Lets everybody in by password only.
by_password() {
  printf 'local all postgres trust\nlocal all all scram-sha-256\n' >"$PGDATA/pg_hba.conf"
  sql 'SELECT pg_reload_conf()' >/dev/null
}

@test "10-roles: the real server makes both roles with every letter in names and passwords, and shows no password in its log" {
  real_server
  process_1 postgres s 're"p'\''l $x' "$ODD" 'the rewind' "2$ODD"
  run -0 run_roles on_start primary
  [ -z "$output" ]
  by_password
  PGPASSWORD=$ODD run -0 sql 'SELECT rolreplication, rolcanlogin, rolsuper FROM pg_roles WHERE rolname = current_user' 're"p'\''l $x'
  [ "$output" = 't|t|f' ]
  PGPASSWORD=2$ODD run -0 sql "SELECT rolreplication, (SELECT count(*) > 9 FROM pg_ls_dir('.', true, false)), pg_stat_file('PG_VERSION', true) IS NULL,
    length(pg_read_binary_file('PG_VERSION', 0, 2, true)), length(pg_read_binary_file('PG_VERSION')) FROM pg_roles WHERE rolname = current_user" 'the rewind'
  [ "$output" = 'f|t|f|2|3' ]
  PGPASSWORD=wrong run -2 sql 'SELECT' 'the rewind'
  run -1 grep -F '$(id)' "$BATS_TEST_TMPDIR/out"
}

@test "10-roles: what is there stays as it is at the real server, unless passwords are to be set anew" {
  real_server
  process_1 postgres s replicator r1 rewind w1
  run -0 run_roles on_start primary
  process_1 postgres "$ODD" replicator r2 rewind w2
  run -0 run_roles on_role_change primary
  by_password
  PGPASSWORD=r1 run -0 sql 'SELECT' replicator
  POSTGRES_PASSWORD_RECONCILE=true run -0 run_roles on_start primary
  [ -z "$output" ]
  PGPASSWORD=r2 run -0 sql 'SELECT' replicator
  PGPASSWORD=w2 run -0 sql 'SELECT' rewind
  echo 'local all all scram-sha-256' >"$PGDATA/pg_hba.conf"
  kill -HUP "$PID"
  refused() { ! PGPASSWORD=s sql 'SELECT' 2>/dev/null; }
  eventually refused
  PGPASSWORD=$ODD run -0 sql 'SELECT'
}

@test "10-roles: one role for both purposes" {
  real_server
  process_1 postgres s both b both b
  run -0 run_roles on_start primary
  [ -z "$output" ]
  run -0 sql "SELECT rolreplication, has_function_privilege('both', 'pg_read_binary_file(text)', 'EXECUTE') FROM pg_roles WHERE rolname = 'both'"
  [ "$output" = 't|t' ]
}
