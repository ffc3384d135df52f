#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() { postgresql_setup; }

@test "journal_boot: the machine's, or nothing" {
  run -0 with_postgresql 'journal_boot; echo "<$REPLY>"; DATABASE_BOOT=/none; journal_boot; echo "<$REPLY>"'
  [ "$output" = $'<this-boot>\n<>' ]
}

@test "journal_begin, journal_read_marker: the log's folder and the boot; an older journal goes" {
  run -0 with_postgresql 'touch "$PGDATA/strata.initialising"; journal_note initdb; journal_begin "/a b"; journal_read_marker; echo "$REPLY|$JOURNAL_BOOT"; ls -A "$PGDATA"'
  [ "$output" = $'/a b|this-boot\nstrata.initialising' ]
  run -0 with_postgresql 'journal_begin ""; journal_read_marker; echo "$REPLY|$JOURNAL_BOOT"'
  [ "$output" = '|this-boot' ]
}

@test "journal_read_marker: an empty one, as a kill may leave it" {
  : >"$PGDATA/strata.initialising"
  run -0 with_postgresql 'journal_read_marker; echo "<$REPLY|$JOURNAL_BOOT>"'
  [ "$output" = '<|>' ]
}

@test "journal_begin: a folder that takes no file is named" {
  PGDATA=/proc/none run -1 with_postgresql 'journal_begin ""'
  [[ $output == *'cannot write /proc/none/strata.initialising'* ]]
}

@test "journal_note, journal_has: names with anything in them, on one line; without a journal nothing is done" {
  run -1 with_postgresql 'journal_has initdb'
  touch "$PGDATA/strata.initialising"
  run -0 with_postgresql 'name=$'"'"'a b\n"$(x)"'"'"'; journal_note script "$name"; journal_note initdb
    journal_has script "$name"; journal_has initdb; not journal_has script; not journal_has script a; not journal_has script initdb; cat "$PGDATA/strata.journal"'
  [ "${#lines[@]}" = 2 ]
}

@test "journal_has: a line that a kill cut short counts as not done" {
  touch "$PGDATA/strata.initialising"
  printf 'script /a/b.s' >"$PGDATA/strata.journal"
  run -1 with_postgresql 'journal_has script /a/b.sh'
  run -1 with_postgresql 'journal_has script /a/b.s'
}

@test "journal_note: nothing outside an initialisation" {
  run -0 with_postgresql 'journal_note script x; not journal_has script x; ls -A "$PGDATA"'
  [ -z "$output" ]
}

@test "journal_unfinished: the script that began last and did not end" {
  touch "$PGDATA/strata.initialising"
  run -0 with_postgresql 'journal_unfinished; echo "<$REPLY>"; journal_note running "a b"; journal_unfinished; echo "<$REPLY>"
    journal_note script "a b"; journal_unfinished; echo "<$REPLY>"'
  [ "$output" = $'<>\n<a\\ b>\n<>' ]
}

@test "journal_end: nothing stays" {
  run -0 with_postgresql 'journal_begin ""; journal_note initdb; journal_end; journal_end; ls -A "$PGDATA"'
  [ -z "$output" ]
}
