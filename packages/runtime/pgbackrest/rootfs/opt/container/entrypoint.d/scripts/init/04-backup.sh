#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Init 04: the write-ahead log is archived with pgBackRest, if PGBACKREST_ENABLE says so.
#
# The settings are checked and written while the server's configuration is built, so before a new database is made;
# the stanza is made right after that; that archiving works is checked once the server runs. A repository that cannot
# be reached never keeps a server from starting: it keeps its log until archiving works.

BACKUP_READY=""       # set once the configuration is written
BACKUP_NEW=""         # set if this start makes the database
BACKUP_STANZA_MADE="" # set once the stanza is there
BACKUP_STEP=""        # what was tried last
BACKUP_MOUNTS=${BACKUP_MOUNTS:-/proc/self/mountinfo}

CONFIG_HOOKS+=(backup_config)
STARTED_HOOKS+=(backup_started)

# Gives in REPLY_LIST the folders of the repositories that lie in the container's own file system.
backup_folders() {
  local option number
  local -A numbers=()
  REPLY_LIST=()
  for option in "${BACKUP_OPTIONS[@]}"; do
    if [[ $option =~ ^repo([0-9]+)- ]]; then numbers[${BASH_REMATCH[1]}]=yes; fi
  done
  if ((${#numbers[@]} == 0)); then numbers[1]=yes; fi
  for number in "${!numbers[@]}"; do
    [[ -z ${BACKUP_VALUES["repo$number-host"]-} ]] || continue
    case ${BACKUP_VALUES["repo$number-type"]-posix} in
      posix | cifs) REPLY_LIST+=("${BACKUP_VALUES["repo$number-path"]-/var/lib/pgbackrest}") ;;
    esac
  done
}

# Gives 0 if a folder lies in something that was mounted, and so outlives the container.
backup_is_mounted() {
  local folder=$1 id parent device root point rest
  while read -r id parent device root point rest; do
    # Blanks in it are written as octal numbers.
    printf -v point '%b' "${point//\\/\\0}"
    if [[ $point != / && $folder/ == "$point"/* ]]; then return 0; fi
  done <"$BACKUP_MOUNTS"
  return 1
}

# Says what is wrong with folders for repositories: a new database is refused then, one that is there must serve.
backup_check_folders() {
  local folder fault=""
  backup_folders
  for folder in "${REPLY_LIST[@]}"; do
    if ! mkdir -p -- "$folder" 2>/dev/null || [[ ! -w $folder || ! -x $folder ]]; then
      log_error "the backup repository: expected a folder that user $EUID can write, found '$folder', which it cannot;" \
        "as root on the host run: chown $EUID <the folder or volume>, or set PGBACKREST_REPO1_PATH to another"
      fault=yes
    elif ! backup_is_mounted "$folder"; then
      log_warn "the backup repository $folder lies in the container and is gone when the container is removed; mount a" \
        "volume there"
    fi
  done
  if [[ -n $fault && -n $BACKUP_NEW ]]; then
    rm -f -- "$BACKUP_FILE"
    exit 3
  fi
}

# Checks the settings, all at once, and writes the configuration; once, because the secrets are forgotten later.
backup_prepare() {
  if [[ -n $BACKUP_READY ]]; then return 0; fi
  [[ -x $BACKUP_PROGRAM ]] || die 4 "pgBackRest is missing, expected $BACKUP_PROGRAM in the image; rebuild the image"
  if [[ ! -e $PGDATA/PG_VERSION ]]; then BACKUP_NEW=yes; fi
  BACKUP_FILE=$STATE_DIR/pgbackrest.conf
  backup_collect
  backup_defaults
  # Both end before they touch anything: the first lacks the segment to push, the second has no repository.
  backup_judge archive-push
  backup_judge backup --repo1-type=posix --repo1-path=/nonexistent
  backup_report
  backup_write
  backup_check_folders
  BACKUP_READY=yes
}

# Gives in REPLY the command with which the server archives a segment of its log, for a shell.
backup_archive_command() {
  local file=${BACKUP_FILE//\'/\'\\\'\'}
  # The server replaces what follows a per cent sign.
  REPLY="$BACKUP_PROGRAM '--config=${file//%/%%}' --stanza=$BACKUP_STANZA archive-push \"%p\""
}

# Adds what the server has to know; called while its configuration is built.
backup_config() {
  backup_enabled || return 0
  backup_prepare
  config_add archive_mode on
  backup_archive_command
  config_add archive_command "$REPLY"
}

# Says in what state archiving is after a failure; needs what failed.
backup_complain() {
  log_error "archiving: expected $1 to succeed, found: $BACKUP_ERROR; the server runs and keeps its log until archiving" \
    "works, which takes room in PGDATA; correct the settings or the repository; it is tried again by itself, or by hand:" \
    "docker exec <container> pgbackrest check"
}

# Gives in REPLY_LIST the option that lets pgBackRest give up, and tell its reason, before it is broken off without one:
# it tries for up to four times as long.
backup_patience() {
  REPLY_LIST=()
  if [[ -z ${BACKUP_NAMES["io-timeout"]-} ]]; then REPLY_LIST=(--io-timeout=4); fi
}

# Becomes pgBackRest making the stanza, with what it says in a file, so that startup_run can run it.
backup_make_recorded() {
  exec >"$STATE_DIR/pgbackrest.out" 2>&1
  backup_patience
  backup_exec 20 "${REPLY_LIST[@]}" --no-online stanza-create
}

# Makes the stanza of a new database, before its server serves.
backup_make_stanza() {
  startup_run backup_make_recorded
  BACKUP_STATUS=$RUN_STATUS
  BACKUP_OUTPUT=$(<"$STATE_DIR/pgbackrest.out")
  rm -f -- "$STATE_DIR/pgbackrest.out"
  backup_read_output 20
  if ((BACKUP_STATUS == 0)); then
    BACKUP_STANZA_MADE=yes
    log_info "made the stanza $BACKUP_STANZA"
  else
    backup_complain "making the stanza $BACKUP_STANZA"
  fi
}

# Takes the options out of the environment that the server inherits; the file has them, for its owner alone.
backup_forget() {
  local name
  for name in "${!PGBACKREST_@}"; do
    case $name in
      PGBACKREST_ENABLE | PGBACKREST_STANZA) export -n "${name?}" ;;
      *) unset -v "$name" ;;
    esac
  done
}

# Writes the configuration again if the server listens elsewhere than it was thought to.
backup_follow_server() {
  local -a lines=()
  if [[ -r $STATE_DIR/postgresql.address ]]; then mapfile -t lines <"$STATE_DIR/postgresql.address"; fi
  local port=${lines[0]-} socket=${lines[1]-} own=""
  socket=${socket%%,*}
  if [[ -n $port && $port != "${BACKUP_VALUES["pg1-port"]}" ]]; then own=yes; fi
  if [[ -n $socket && $socket != "${BACKUP_VALUES["pg1-socket-path"]}" ]]; then own=yes; fi
  if [[ -z $own ]]; then return 0; fi
  backup_default pg1-port "${port:-${BACKUP_VALUES["pg1-port"]}}"
  backup_default pg1-socket-path "${socket:-${BACKUP_VALUES["pg1-socket-path"]}}"
  backup_write
}

# Waits up to SECONDS for the end of a recovery; gives 1 if the server is a standby or takes longer.
backup_await_recovery() {
  local deadline=$((EPOCHSECONDS + $1))
  while [[ -e $PGDATA/recovery.signal ]]; do
    if ((EPOCHSECONDS >= deadline)); then return 1; fi
    startup_pause 1
  done
  [[ ! -e $PGDATA/standby.signal ]]
}

# Gives 0 if the container is being stopped, when what fails is no news.
backup_is_stopping() {
  phase_get
  [[ $REPLY == stopping ]]
}

# Makes the stanza unless it is there, and checks that a segment reaches the repository; gives in BACKUP_STEP what it did last.
backup_attempt() {
  BACKUP_STEP="making or finding the stanza $BACKUP_STANZA"
  if [[ -z $BACKUP_STANZA_MADE ]]; then
    backup_patience
    backup_ask 20 "${REPLY_LIST[@]}" --no-online stanza-create
    ((BACKUP_STATUS == 0)) || return 1
    BACKUP_STANZA_MADE=yes
  fi
  BACKUP_STEP="the check of the stanza $BACKUP_STANZA"
  backup_ask 90 check
  ((BACKUP_STATUS == 0))
}

# Brings archiving to work, however long that takes: the repository may start after the server. Once the server serves.
backup_started() {
  local LOG_NAME=04-backup said="" delay=5
  backup_enabled || return 0
  backup_follow_server
  if ! backup_await_recovery 600; then
    log_info "archiving is not checked, because the server is in recovery"
    return 0
  fi
  until backup_attempt; do
    if backup_is_stopping; then return 0; fi
    if [[ $said != "$BACKUP_ERROR" ]]; then backup_complain "$BACKUP_STEP"; fi
    said=$BACKUP_ERROR
    startup_pause "$delay"
    if ((delay < 60)); then delay=$((delay * 2)); fi
  done
  log_info "archiving works: a segment of the log has reached the repository of stanza $BACKUP_STANZA"
}

# Runs the step.
init_backup() {
  backup_enabled || return 0
  backup_prepare
  # Where another program makes the database, it is not there yet.
  if [[ -n $BACKUP_NEW && -z ${DATABASE_DECIDER-} ]]; then backup_make_stanza; fi
  backup_forget
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  # shellcheck source=/dev/null
  source "${BASH_SOURCE[0]%/*}/../../../entrypoint.sh"
  entrypoint_alone "${BASH_SOURCE[0]}" "$@"
fi
