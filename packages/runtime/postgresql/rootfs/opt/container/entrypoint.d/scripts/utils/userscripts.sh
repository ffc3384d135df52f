#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# The user's init scripts in /docker-entrypoint-initdb.d, run once, with a journal of those that are done.

DATABASE_SCRIPTS=${DATABASE_SCRIPTS:-/docker-entrypoint-initdb.d}

# Refuses scripts that cannot be read, before anything is made: found halfway they would leave a half-made database.
userscripts_check() {
  local file fault=""
  if [[ -d $DATABASE_SCRIPTS && ! (-r $DATABASE_SCRIPTS && -x $DATABASE_SCRIPTS) ]]; then
    die 3 "init scripts: expected a folder that user $EUID can read, found $DATABASE_SCRIPTS, which it cannot;" \
      "on the host run: chmod a+rx <the folder>"
  fi
  for file in "$DATABASE_SCRIPTS"/*; do
    case $file in
      *.sh | *.sql | *.sql.gz | *.sql.xz | *.sql.zst) ;;
      *) continue ;;
    esac
    if [[ -L $file && ! -e $file ]]; then
      log_error "init script $file: expected a file, found a link to nothing; mount what it points to, or remove it"
      fault=2
    elif [[ -f $file && ! -r $file ]]; then
      log_error "init script $file: expected a file that user $EUID can read, found one that it cannot; chmod a+r it"
      fault=${fault:-3}
    fi
  done
  [[ -z $fault ]] || exit "$fault"
}

# Runs one init script by its kind.
userscripts_one() {
  local file=$1
  case $file in
    *.sh)
      log_info "running $file"
      if [[ -x $file ]]; then
        "$file"
      else
        # shellcheck source=/dev/null
        source "$file"
      fi
      ;;
    *.sql) log_info "running $file" && docker_process_sql -f "$file" ;;
    *.sql.gz) log_info "running $file" && gunzip -c "$file" | docker_process_sql ;;
    *.sql.xz) log_info "running $file" && xzcat "$file" | docker_process_sql ;;
    *.sql.zst) log_info "running $file" && zstd -dc "$file" | docker_process_sql ;;
    *) log_info "ignoring $file" ;;
  esac
}

# Runs init scripts as the official image's function of this name, in the order given; those in the journal are passed
# over, so that a resumed initialisation goes on after the last good one.
docker_process_init_files() {
  local file
  for file in "$@"; do
    if journal_has script "$file"; then
      log_info "passing over $file, which was done before the initialisation was broken off"
      continue
    fi
    DATABASE_SCRIPT=$file
    journal_note running "$file"
    userscripts_one "$file"
    journal_note script "$file"
  done
}

# Runs the user's init scripts in a shell that they may change as they like; it runs in the background.
userscripts_shell() {
  trap - ERR
  # Scripts written for the official image do not expect unset variables to be errors, and use its array.
  set +u
  DATABASE_SCRIPT="" DATABASE_SCRIPTS_DONE=""
  trap userscripts_shell_end EXIT
  database_client_env
  psql=(docker_process_sql)
  docker_process_init_files "$DATABASE_SCRIPTS"/*
  journal_note scripts
  DATABASE_SCRIPTS_DONE=yes
}

# Names the script that broke off the others, by failing or by a plain exit.
userscripts_shell_end() {
  local status=$?
  if [[ -n $DATABASE_SCRIPTS_DONE ]]; then exit "$status"; fi
  log_error "init script $DATABASE_SCRIPT ended the initialisation with code $status, expected it to end well (and a" \
    "sourced one to use return, not exit); correct it, then set INIT_ON_INCOMPLETE=resume to go on with it, or wipe to" \
    "begin again"
  exit 1
}

# Gives 0 if there are any init scripts of the user.
userscripts_are_there() {
  local -a files=("$DATABASE_SCRIPTS"/*)
  [[ -e ${files[0]} ]]
}

# Runs the user's init scripts if there are any.
userscripts_run() {
  userscripts_are_there || return 0
  startup_run userscripts_shell
  # A script may have taken our trap away and ended the shell: the journal says whether all were done.
  if ((RUN_STATUS == 0)) && journal_has scripts; then return 0; fi
  die 1 "the init scripts did not all end well, see above; $PGDATA keeps its marker, so no start takes it for complete"
}
