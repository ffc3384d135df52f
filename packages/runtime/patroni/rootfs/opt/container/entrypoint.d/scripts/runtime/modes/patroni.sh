#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Mode patroni (PATRONI_ENABLE=true): Patroni runs, and starts, stops and copies the server.

# Gives the rank: before the mode that starts the server itself.
mode_patroni_rank() { REPLY=30; }

# Gives 0 if this mode is to start: a server that is to serve, in a cluster.
mode_patroni_wants() { patroni_enabled && mode_postgres_wants "$@"; }

# Gives 0 if the init scripts are to run first: always.
mode_patroni_needs_init() { return 0; }

# Starts Patroni.
mode_patroni_start() {
  patroni_dir
  preflight_clear_locks
  mode_patroni_publish
  unset -v PGPASSWORD
  patroni_go
  phase_set running
  mode_patroni_started &
  mode_patroni_await_hangup
}

# Writes where server and REST API are to be found, for health checks of any user.
mode_patroni_publish() {
  local -a listen=()
  mapfile -t listen <"$PATRONI_DIR/listen"
  mode_postgres_user_line
  state_write postgresql.address "${listen[0]}" "$DATABASE_SOCKETS" "${listen[1]}" "$REPLY" "$PGDATA"
  mv -f -- "$STATE_DIR/patroni.address.new" "$STATE_DIR/patroni.address"
}

# Ends the phase that a new cluster is made in, and looks once at what is looked at when a server serves; in a process of its
# own. The temporary server of a new cluster is not meant.
mode_patroni_started() {
  local -a lines=()
  trap - ERR EXIT TERM INT QUIT HUP URG
  set +e
  while kill -0 "$CHILD_PID" 2>/dev/null; do
    startup_pause 0.5
    phase_get
    case $REPLY in
      initialising)
        patroni_get "$STATE_DIR" /leader
        # Another may have taken the lead since.
        if [[ $PATRONI_CODE != 200 ]]; then patroni_get "$STATE_DIR" /replica; fi
        [[ $PATRONI_CODE == 200 ]] || continue
        # A stop may have come meanwhile.
        phase_get
        if [[ $REPLY == initialising ]]; then phase_set running; fi
        continue
        ;;
      running) ;;
      stopping) return 0 ;;
      # Not to be read now: whoever ended here would leave a new cluster unhealthy for good.
      *) continue ;;
    esac
    lines=()
    mapfile -t lines 2>/dev/null <"$PGDATA/postmaster.pid" || :
    case ${lines[7]-} in
      ready* | standby*)
        started_run "${lines[3]}" "${lines[0]}"
        return 0
        ;;
    esac
  done
}

# Waits until Patroni takes a hang-up, which would end it before.
mode_patroni_await_hangup() {
  local key mask
  while [[ -z $STOP_SIGNAL ]] && kill -0 "$CHILD_PID" 2>/dev/null; do
    while read -r key mask; do
      if [[ $key == SigCgt: ]] && ((16#${mask: -8} & 1)); then
        startup_child_hears
        return 0
      fi
    done 2>/dev/null <"/proc/$CHILD_PID/status" || :
    startup_pause 0.1
  done
}

# Stops a server that Patroni left behind, because it was paused or is dead: killed with the container it would have to
# recover. Needs the seconds that are left.
mode_patroni_after() {
  local pid
  database_lock_pid
  pid=$REPLY
  if [[ -z $pid ]] || ! preflight_is_server "$pid"; then return 0; fi
  log_warn "Patroni ended and left the server running, because it is paused or was killed: stopping the server"
  kill -INT "$pid" 2>/dev/null || :
  startup_wait_until "$pid" "$1" || :
}

# Waits a moment until Patroni is held: it is told to, and may be at work.
mode_patroni_await_held() {
  local i stat
  for ((i = 0; i < 50; i++)); do
    stat=""
    { read -r stat <"/proc/$CHILD_PID/stat"; } 2>/dev/null || return 0
    if [[ $stat == *') T '* ]]; then return 0; fi
    startup_pause 0.01
  done
}

# Stops the server through Patroni, which hands the lead over to a replica that has everything. QUIT stops the server at
# once; Patroni is held meanwhile, because it would start it again.
mode_patroni_stop() {
  if [[ $1 == QUIT ]]; then
    kill -STOP "$CHILD_PID" 2>/dev/null || :
    mode_patroni_await_held
    database_lock_pid
    if [[ -n $REPLY ]]; then
      kill -QUIT "$REPLY" 2>/dev/null || :
      startup_wait_until "$REPLY" 5 || :
    fi
    kill -TERM "$CHILD_PID" 2>/dev/null || :
    kill -CONT "$CHILD_PID" 2>/dev/null || :
    return 0
  fi
  kill -TERM "$CHILD_PID" 2>/dev/null
}
