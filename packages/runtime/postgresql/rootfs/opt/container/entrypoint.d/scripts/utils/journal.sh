#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# What an initialisation leaves behind so that a start after a kill knows how far it came.
#
# The marker is the first thing written and the last removed. Its first line is the folder for the log if that was empty
# when we began, its second the machine's boot. The journal has a line for each step that is done for good.

DATABASE_MARKER=strata.initialising
DATABASE_JOURNAL=strata.journal
DATABASE_BOOT=${DATABASE_BOOT:-/proc/sys/kernel/random/boot_id}

# Gives in REPLY which boot of the machine this is, or nothing.
journal_boot() {
  REPLY=""
  if [[ -r $DATABASE_BOOT ]]; then read -r REPLY <"$DATABASE_BOOT" || :; fi
}

# Writes the marker; needs the folder for the log, or nothing.
journal_begin() {
  journal_boot
  rm -f -- "$PGDATA/$DATABASE_JOURNAL"
  printf '%s\n' "$1" "$REPLY" >"$PGDATA/$DATABASE_MARKER" \
    || die 1 "cannot write $PGDATA/$DATABASE_MARKER; expected room and the right to write there; check the volume"
}

# Removes the marker, then the journal: a journal alone means nothing.
journal_end() {
  rm -f -- "$PGDATA/$DATABASE_MARKER"
  rm -f -- "$PGDATA/$DATABASE_JOURNAL"
}

# Gives in REPLY the folder for the log and in JOURNAL_BOOT the boot that the marker names.
journal_read_marker() {
  local -a lines=()
  mapfile -t lines <"$PGDATA/$DATABASE_MARKER" || :
  REPLY=${lines[0]-} JOURNAL_BOOT=${lines[1]-}
}

# Notes that a step is done, or that one began; needs its kind and, perhaps, a name, which is put on one line.
# Only during an initialisation: a wrapper may run scripts at every start.
journal_note() {
  if [[ -e $PGDATA/$DATABASE_MARKER ]]; then printf '%s %q\n' "$1" "${2-}" >>"$PGDATA/$DATABASE_JOURNAL"; fi
}

# Gives 0 if a step was noted. A line that a kill cut short is another text, so that step counts as not done.
journal_has() {
  local line wanted
  [[ -e $PGDATA/$DATABASE_MARKER && -r $PGDATA/$DATABASE_JOURNAL ]] || return 1
  printf -v wanted '%s %q' "$1" "${2-}"
  while IFS= read -r line; do
    [[ $line != "$wanted" ]] || return 0
  done <"$PGDATA/$DATABASE_JOURNAL"
  return 1
}

# Gives in REPLY the init script that had begun and not ended, as it stands in the journal, or nothing.
journal_unfinished() {
  local kind name
  REPLY=""
  [[ -r $PGDATA/$DATABASE_JOURNAL ]] || return 0
  while read -r kind name; do
    case $kind in
      running) REPLY=$name ;;
      script) REPLY="" ;;
    esac
  done <"$PGDATA/$DATABASE_JOURNAL"
}
