#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What a node of Citus does about the others, once its server takes connections. Sourced by node.sh.

CITUS_AGAIN=60 # seconds after which a reason to wait is said again

# Runs SQL on this server; needs psql's options and SQL on stdin.
citus_here() {
  citus_database
  PGCONNECT_TIMEOUT=5 PGPORT=${STARTED_PORT:-5432} POSTGRES_DB=$REPLY docker_process_sql -XAtq "$@"
}

# Runs SQL on the coordinator, in its database of Citus; needs psql's options and SQL on stdin.
citus_there() {
  citus_database
  # The database by the environment: as an option, a name with = in it would be read as a connection string.
  env -u PGHOSTADDR -u PGPASSWORD PGCONNECT_TIMEOUT=5 PGAPPNAME=strata-citus "PGDATABASE=$REPLY" \
    psql -v ON_ERROR_STOP=1 -XAtq --no-password --username="${POSTGRES_USER:-postgres}" --host="$CITUS_COORDINATOR_HOST" \
    --port="$CITUS_COORDINATOR_PORT" "$@"
}

# Gives in REPLY what state.sql says of this server, as soon as it may write: a restored one answers before that, and a copy of
# another server is that server's until somebody promotes it. Nothing where it cannot be asked, or has no such database.
citus_look() {
  local pause=1
  while REPLY=$(citus_here --file="$CITUS_HOME/state.sql" 2>/dev/null) && [[ $REPLY == standby ]]; do
    startup_pause "$pause"
    if ((pause < 10)); then pause=$((pause + 1)); fi
  done
}

# Looks after this node's place among the others; a hook, in a process of its own.
citus_started() {
  local POSTGRES_USER=${POSTGRES_USER:-postgres} complaint said
  # Patroni does it all, on the coordinator's primary.
  if citus_with_patroni; then return 0; fi
  LOG_NAME=citus
  citus_look || REPLY=""
  if [[ $REPLY == bare || -z $REPLY ]]; then
    if ! complaint=$(PGPORT=${STARTED_PORT:-5432} citus_make_all 2>&1 >/dev/null); then
      log_error "cannot make the extension citus: expected to log in on the socket as '$POSTGRES_USER' and to make it, found:" \
        "${complaint//$'\n'/; }; make it yourself: CREATE EXTENSION citus"
      return 0
    fi
    citus_look || :
  fi
  said=$REPLY
  citus_address
  if ! citus_fits "$said"; then
    log_error "CITUS_ROLE: expected what the data in PGDATA belong to, found $CITUS_ROLE: nothing is registered; set the other role," \
      "or use another volume"
  elif [[ $CITUS_ROLE == worker ]]; then
    citus_join
  elif [[ -n $CITUS_SELF ]]; then
    citus_lead
  fi
}

# Gives 0 if the data are of this role, or of none yet; needs what state.sql says of them.
citus_fits() {
  case $CITUS_ROLE-$1 in
    coordinator-[1-9]* | worker-0\|[1-9]*) return 1 ;;
  esac
}

# Tells the coordinator its own address, by which workers reach it; without workers it takes shards itself. Tries again for half a minute:
# Citus, which tells the workers at the same time, may be in the way, and a deadlock ends either of the two.
citus_lead() {
  local said pause
  for pause in 1 2 3 4 5 5 5 5 end; do
    if said=$(citus_here --set="address=$CITUS_SELF" --set="port=${STARTED_PORT:-5432}" --file="$CITUS_HOME/coordinator.sql" 2>&1); then break; fi
    if [[ $pause == end ]]; then
      log_error "cannot tell Citus this coordinator's address, $CITUS_SELF (CITUS_ADDRESS): ${said//$'\n'/; }; run SELECT" \
        "citus_set_coordinator_host('$CITUS_SELF', ${STARTED_PORT:-5432})"
      return 0
    fi
    startup_pause "$pause"
  done
  case $said in
    new) log_info "this coordinator is at $CITUS_SELF:${STARTED_PORT:-5432} and takes shards itself until there are workers" ;;
    occupied) log_error "expected no other node at $CITUS_SELF:${STARTED_PORT:-5432} (CITUS_ADDRESS), found one; give each its own" ;;
    moved) log_info "this coordinator has moved to $CITUS_SELF:${STARTED_PORT:-5432}, its workers are told" ;;
  esac
}

# Registers this worker, as soon as the coordinator answers; one that is registered is found by its group, wherever it is now.
citus_join() {
  local group said last="" since=0 pause=1
  while :; do
    group=$(citus_here <<<'SELECT groupid FROM pg_catalog.pg_dist_local_group' 2>/dev/null) || group=0
    if said=$(citus_there --set="address=$CITUS_SELF" --set="port=${STARTED_PORT:-5432}" --set="group=${group:-0}" \
      --file="$CITUS_HOME/worker.sql" 2>&1); then
      citus_joined "$said" && return 0
      said=$REPLY
    fi
    if [[ $said != "$last" ]] || ((SECONDS - since >= CITUS_AGAIN)); then
      log_warn "waits for the coordinator at $CITUS_COORDINATOR_HOST:$CITUS_COORDINATOR_PORT: ${said//$'\n'/; }"
      last=$said since=$SECONDS
    fi
    startup_pause "$pause"
    if ((pause < 5)); then pause=$((pause + 1)); fi
  done
}

# Says what the coordinator made of this worker; gives 1, and why in REPLY, if it has to be asked again.
citus_joined() {
  local at=$CITUS_SELF:${STARTED_PORT:-5432}
  REPLY=""
  case $1 in
    registered) log_info "registered as a worker at $at" ;;
    moved) log_info "this worker has moved to $at, the coordinator knows" ;;
    known) log_debug "the coordinator knows this worker at $at" ;;
    disabled) log_warn "the coordinator has this worker disabled; run there: SELECT citus_activate_node('$CITUS_SELF', ${at##*:})" ;;
    removed)
      log_error "expected the coordinator at $CITUS_COORDINATOR_HOST to know this worker, found that it does not: it was removed, or" \
        "its data are of another cluster; to add it again run there: SELECT citus_add_node('$CITUS_SELF', ${at##*:})"
      ;;
    taken)
      REPLY="expected a new place for a new worker, found that it has shards of another worker at $at; start that worker's volume"
      REPLY+=" here, or give this one another address (CITUS_ADDRESS)"
      ;;
    occupied) REPLY="expected no other node at $at (CITUS_ADDRESS), found one that answers there; give each its own" ;;
    bare) REPLY="it has no extension citus in its database yet" ;;
    early) REPLY="it has not told Citus its own address yet" ;;
    *) REPLY="expected one word of it, found '$1'" ;;
  esac
  [[ -z $REPLY ]]
}
