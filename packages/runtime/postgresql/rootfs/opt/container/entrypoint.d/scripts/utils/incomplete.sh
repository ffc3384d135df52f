#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What a start does about an initialisation that was broken off: INIT_ON_INCOMPLETE says refuse, resume or wipe.

# Refuses a folder whose initialisation was broken off; needs why it cannot go on, or nothing.
database_refuse_incomplete() {
  local done_so_far=""
  if [[ -n ${1-} ]]; then done_so_far="INIT_ON_INCOMPLETE=resume cannot go on with it, because $1; "; fi
  journal_unfinished
  die 1 "an earlier initialisation of $PGDATA was broken off${REPLY:+ in init script $REPLY}, so the database may lack what init scripts should have" \
    "made; expected a complete one; ${done_so_far}set INIT_ON_INCOMPLETE=resume to go on after the last init script that" \
    "ended well, or INIT_ON_INCOMPLETE=wipe to delete everything and begin again, or empty the volume yourself; nothing" \
    "was changed"
}

# Decides what to do with a broken-off initialisation: gives in REPLY resume or wipe, or ends here.
database_judge_incomplete() {
  local boot
  case ${INIT_ON_INCOMPLETE:-refuse} in
    refuse) database_refuse_incomplete ;;
    wipe)
      REPLY=wipe
      return 0
      ;;
  esac
  journal_read_marker
  boot=$JOURNAL_BOOT
  journal_boot
  # Until the end nothing is synced: after a crash of the machine itself the files may hold anything.
  if [[ $boot != "$REPLY" ]] && journal_has initdb; then
    database_refuse_incomplete "the machine was started again since, and what had been written may be damaged"
  fi
  if ! journal_has initdb && ! database_folder_is_free "$PGDATA" "$DATABASE_MARKER|$DATABASE_STAGE|$DATABASE_JOURNAL"; then
    database_refuse_incomplete "it has no journal of what was done"
  fi
  REPLY=resume
}

# Empties a folder whose initialisation was broken off, and the folder for its log.
database_wipe_incomplete() {
  log_warn "an earlier initialisation was broken off and INIT_ON_INCOMPLETE is wipe: deleting everything in $PGDATA"
  # First: after a kill halfway nothing must look as if there were something to resume.
  rm -f -- "$PGDATA/$DATABASE_JOURNAL"
  database_wipe_waldir
  database_wipe "$PGDATA"
}

# Empties the folder for the log, if it was empty when the broken-off initialisation began.
database_wipe_waldir() {
  journal_read_marker
  if [[ -n $REPLY && $REPLY == "${POSTGRES_INITDB_WALDIR-}" && -d $REPLY ]]; then database_wipe "$REPLY"; fi
}

# Deletes what is in a folder; the marker stays, so that being killed now changes nothing.
database_wipe() {
  startup_run find "$1" -mindepth 1 -maxdepth 1 ! -name "$DATABASE_MARKER" ! -name lost+found -exec rm -rf -- {} +
  ((RUN_STATUS == 0)) || die 1 "cannot delete the content of $1, see above; empty it yourself"
}
