#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What init/05-citus.sh does. Sourced by it where Citus is on: what only its nodes need costs no other start anything.

# shellcheck source=register.sh
source "${BASH_SOURCE[0]%/*}/register.sh"
# shellcheck source=tls.sh
source "${BASH_SOURCE[0]%/*}/tls.sh"

# How nodes connect to one another, below what the user says. A node that is cut off answers nothing, not even no: by itself a session
# would wait for it for a quarter of an hour, with the locks that whoever enters its successor into the metadata needs. Ending it by force,
# as Patroni does a moment after a failover, does not help: it tries to cancel its query there first, for two minutes. So connections have
# to be given up before that.
CITUS_CONNINFO="citus.node_conninfo = 'sslmode=require tcp_user_timeout=10000"
CITUS_CONNINFO+=$' keepalives_idle=5 keepalives_interval=2 keepalives_count=2\'\n'

# Gives 0 if Patroni runs the server: it registers the nodes, and keeps the metadata right when one fails over.
citus_with_patroni() { declare -F patroni_enabled >/dev/null && patroni_enabled; }

# Gives in REPLY the database that Citus works in.
citus_database() { REPLY=${CITUS_DATABASE:-${POSTGRES_DB:-${POSTGRES_USER:-postgres}}}; }

# Gives 0 if the image has Citus for its server.
citus_is_there() {
  local server=$POSTGRES_COMMAND
  if [[ $server != */* ]]; then
    # What the shell found is in its table, without a process that prints it.
    hash -- "$server" 2>/dev/null || return 1
    server=${BASH_CMDS[$server]-}
  fi
  citus_is_beside "$server" || citus_is_beside "$(readlink -f -- "$server")"
}

# Gives 0 if Citus is where a server with that path looks for libraries.
citus_is_beside() {
  local file
  for file in "${1%/bin/*}"/lib{,/postgresql}/citus.so; do
    if [[ -e $file ]]; then return 0; fi
  done
  return 1
}

# Says at once all that only Citus asks for; ends with 2, or 4 without Citus, if anything is missing or does not fit. A hook of
# the configuration, so that it is said before anything is made.
citus_check() {
  local fault=""
  citus_is_there || die 4 "CITUS_ENABLE: expected an image with Citus, found one that was built without it (its sources were" \
    "not there); build it with them, or set CITUS_ENABLE=false"
  if citus_with_patroni; then
    citus_check_group || fault=yes
  elif [[ $CITUS_ROLE == worker && -z ${CITUS_COORDINATOR_HOST-} ]]; then
    log_error "CITUS_COORDINATOR_HOST: expected the coordinator that this worker (CITUS_ROLE) registers with, found none; set it"
    fault=yes
  elif [[ -n ${CITUS_GROUP-} ]]; then
    log_warn "CITUS_GROUP: counts with PATRONI_ENABLE only, Citus gives the groups by itself; it is ignored"
  fi
  citus_address
  if [[ $CITUS_ROLE == worker && -z $CITUS_SELF ]]; then
    log_error "CITUS_ADDRESS: expected an address at which the other nodes reach this one, found none on its interfaces; set it"
    fault=yes
  fi
  if address_has_port "${CITUS_ADDRESS-}"; then
    log_error "CITUS_ADDRESS: expected a host name or an IP, without a port, found '$CITUS_ADDRESS'; leave the port out"
    fault=yes
  fi
  if [[ -z ${POSTGRES_PASSWORD-} && -z ${PGPASSFILE-} && $CITUS_ROLE == worker ]]; then
    log_error "POSTGRES_PASSWORD: expected the superuser's password, by which the nodes of Citus connect to one another, found" \
      "none; set it, or POSTGRES_PASSWORD_FILE, or name a password file with PGPASSFILE"
    fault=yes
  fi
  [[ -z $fault ]] || exit 2
}

# Gives in CITUS_SELF the address at which the others reach this node, nothing where there is no network.
citus_address() {
  address_find CITUS_ADDRESS || REPLY=""
  CITUS_SELF=$REPLY
}

# The same of the group, which Patroni has to be told; gives 1 after a fault.
citus_check_group() {
  if [[ $CITUS_ROLE == worker && -z ${CITUS_GROUP-} ]]; then
    log_error "CITUS_GROUP: expected the number of this worker's group, from 1 on, found none; set it to the same on all nodes of" \
      "the group"
    return 1
  fi
  if [[ $CITUS_ROLE == worker && $CITUS_GROUP == 0 || $CITUS_ROLE == coordinator && ${CITUS_GROUP:-0} != 0 ]]; then
    log_error "CITUS_GROUP: expected 0 for the coordinator and another number for workers, found $CITUS_GROUP for a" \
      "$CITUS_ROLE (CITUS_ROLE); correct one of them"
    return 1
  fi
}

# Gives in REPLY what the server says shared_preload_libraries is.
citus_libraries() {
  REPLY=$("$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" \
    -C shared_preload_libraries 2>/dev/null) || REPLY=""
}

# Gives in REPLY a list of libraries with Citus in front of the others.
citus_in_front() {
  local -a list=()
  local library
  IFS=, read -r -a list <<<"$1"
  REPLY=citus
  for library in "${list[@]}"; do
    library=${library#"${library%%[! ]*}"}
    library=${library%"${library##*[! ]}"}
    case $library in '' | citus | '"citus"') ;; *) REPLY+=", $library" ;; esac
  done
}

# Gives in REPLY the libraries that the data in PGDATA begin with: initdb takes settings (-c, --set) and keeps them.
citus_initdb_libraries() {
  local word found=""
  words_split "${POSTGRES_INITDB_ARGS-}"
  for word in "${WORDS_FOUND[@]}"; do
    if [[ $word == *shared_preload_libraries=* ]]; then found=${word#*shared_preload_libraries=}; fi
  done
  REPLY=$found
}

# Gives 0 if the command or ALTER SYSTEM, which stand above our configuration, may name libraries.
citus_is_overruled() {
  local auto=$PGDATA/postgresql.auto.conf
  [[ ${POSTGRES_ARGS[*]} == *preload* ]] || { [[ -r $auto ]] && [[ $(<"$auto") == *shared_preload_libraries* ]]; }
}

# Puts Citus in front of the libraries that the server loads, whoever named them. It wants to be the first one.
citus_preload() {
  local list
  REPLY=""
  # To ask the server takes time; a new one whose configuration is ours alone has nobody who could have named any.
  if [[ -n ${CONFIG_CHECKED-} || -e $PGDATA/postgresql.conf ]] || citus_is_overruled; then citus_libraries; fi
  if [[ -z $REPLY && ! -e $PGDATA/postgresql.conf ]]; then citus_initdb_libraries; fi
  citus_in_front "$REPLY"
  list=$REPLY
  CONFIG_TEXT+=$'\n# Citus, in front of what the others say\n'
  config_add shared_preload_libraries "$REPLY"
  config_write
  citus_is_overruled || return 0
  citus_libraries
  if [[ $REPLY == citus || $REPLY == citus,* ]]; then return 0; fi
  POSTGRES_OWN_ARGS+=(-c "shared_preload_libraries=$list")
  POSTGRES_ARGS+=(-c "shared_preload_libraries=$list")
}

# Gives in REPLY a field of a password file.
citus_password_field() {
  REPLY=${1//\\/\\\\}
  REPLY=${REPLY//:/\\:}
}

# Lets the server connect to the other nodes with the superuser's password: by a file that the server alone can read.
citus_password_file() {
  local user
  if [[ -n ${PGPASSFILE-} || -z ${POSTGRES_PASSWORD-} ]]; then return 0; fi
  citus_password_field "${POSTGRES_USER:-postgres}"
  user=$REPLY
  citus_password_field "$POSTGRES_PASSWORD"
  security_private_file "$STATE_DIR/pgpass" "*:*:*:$user:$REPLY"$'\n' \
    || die 3 "cannot write $STATE_DIR/pgpass; make the folder writable for user $EUID, with room left"
  export PGPASSFILE=$STATE_DIR/pgpass
}

# Leaves for the health check what this node is.
citus_publish() {
  local database host=${CITUS_COORDINATOR_HOST-}
  citus_database
  database=$REPLY
  if citus_with_patroni; then host=""; fi
  if [[ -z ${CITUS_SELF+asked} ]]; then citus_address; fi
  state_write citus "$CITUS_ROLE" "$database" "$host" "$CITUS_COORDINATOR_PORT" "$CITUS_SELF"
}

# Gives 0 if the server that the data in PGDATA had last was stopped well. Else they have to be recovered with the library that
# wrote them, so they cannot be asked without it.
citus_was_stopped() {
  local line
  while IFS= read -r line; do
    if [[ $line == 'Database cluster state:'*'shut down' ]]; then return 0; fi
  done < <(LC_ALL=C pg_controldata -D "$PGDATA" 2>/dev/null)
  return 1
}

# Refuses data whose role is another, before the server runs; where they cannot be asked yet, citus_started looks once more. Patroni
# looks by itself at whose the data are.
citus_check_role() {
  if [[ -n ${DATABASE_MADE-} || ! -e $PGDATA/PG_VERSION || -e $PGDATA/standby.signal || -e $PGDATA/recovery.signal ]]; then return 0; fi
  if citus_with_patroni || ! citus_was_stopped; then return 0; fi
  preflight_clear_locks
  citus_ask_data
  case $CITUS_ROLE-$REPLY in
    coordinator-worker)
      die 2 "CITUS_ROLE: expected worker, which the data in PGDATA belong to, found coordinator; set CITUS_ROLE=worker and" \
        "CITUS_COORDINATOR_HOST, or use another volume; nothing was changed"
      ;;
    worker-coordinator)
      die 2 "CITUS_ROLE: expected coordinator, which the data in PGDATA belong to (they know its nodes), found worker; set" \
        "CITUS_ROLE=coordinator, or use another volume; nothing was changed"
      ;;
  esac
}

# Gives in REPLY what the data in PGDATA belong to: worker, coordinator, or nothing where they do not tell.
citus_ask_data() {
  local statements="SELECT 'strata group ' || groupid FROM pg_catalog.pg_dist_local_group;
SELECT 'strata nodes ' || count(*) FROM pg_catalog.pg_dist_node;"
  # Without the library the tables are tables like others.
  local -a POSTGRES_ARGS=("${POSTGRES_ARGS[@]}" -c shared_preload_libraries=)
  citus_database
  single_run "$PGDATA" "$statements" "$REPLY" || SINGLE_OUTPUT=""
  REPLY=""
  if [[ $SINGLE_OUTPUT =~ 'strata group '([0-9]+) && ${BASH_REMATCH[1]} != 0 ]]; then
    REPLY=worker
  elif [[ $SINGLE_OUTPUT =~ 'strata nodes '([0-9]+) && ${BASH_REMATCH[1]} != 0 ]]; then
    REPLY=coordinator
  fi
}

# Makes database and extension in the new cluster, before the user's scripts, which may want them. Patroni does that only where it
# runs initdb itself.
citus_create() {
  # Not for Citus' event triggers, which look for distributed objects among what its own scripts drop: a new cluster has none, and no
  # triggers of the user's that would be passed over too.
  local -x PGOPTIONS="${PGOPTIONS-} -c session_replication_role=replica"
  citus_database
  # POSTGRES_DB is there already.
  if [[ $REPLY == "$POSTGRES_DB" ]]; then startup_run citus_make_extension; else startup_run citus_make_all; fi
  ((RUN_STATUS == 0)) || die 1 "cannot make the extension citus, see above"
}

# Makes the temporary server smaller: Citus asks for two hundred prepared transactions, whose locks a server makes room for at its start.
# Only the user's scripts could want them.
citus_server_args() {
  if ! userscripts_are_there; then DATABASE_SERVER_ARGS+=(-c max_prepared_transactions=1); fi
}

# Makes database and extension on a server that runs and may write, unless they are there; gives 1 if it cannot.
citus_make_all() {
  local database
  citus_database
  database=$REPLY
  POSTGRES_DB=postgres docker_process_sql --quiet --set="name=$database" <<'SQL' || return 1
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SQL
  citus_make_extension
}

# Makes the extension, in a database that is there. Its scripts make views, which are packed faster by lz4 where the server has that, 14 or later.
citus_make_extension() {
  citus_database
  POSTGRES_DB=$REPLY docker_process_sql --quiet <<'SQL'
SET client_min_messages = warning;
DO $$BEGIN SET default_toast_compression = lz4; EXCEPTION WHEN invalid_parameter_value OR undefined_object THEN NULL; END$$;
CREATE EXTENSION IF NOT EXISTS citus;
SQL
}

# Gives Patroni what it has to know.
citus_patroni() {
  citus_database
  patroni_put citus/database text "$REPLY"
  patroni_put citus/group number "${CITUS_GROUP:-0}"
  # It writes the parameter itself, from what it is told, with Citus in front.
  citus_libraries
  patroni_put postgresql/parameters/shared_preload_libraries text "$REPLY"
}
