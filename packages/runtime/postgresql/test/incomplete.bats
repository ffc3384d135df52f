#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  export POSTGRES_PASSWORD=x
}

# Leaves PGDATA as an initialisation does that was broken off; needs the steps that its journal has.
broken_off() {
  local step
  printf '%s\n' '' this-boot >"$PGDATA/strata.initialising"
  for step; do printf "%s ''\n" "$step"; done >"$PGDATA/strata.journal"
  if (($# > 0)); then make_cluster 17; fi
  owned_by_user "$PGDATA"
}

@test "database_refuse_incomplete: what to do, where it was, why it cannot go on" {
  broken_off initdb
  run -1 with_postgresql 'database_refuse_incomplete'
  [[ $output == *'was broken off, so'*INIT_ON_INCOMPLETE=resume*INIT_ON_INCOMPLETE=wipe*'nothing was changed' && $output != *because* ]]
  run -1 with_postgresql 'journal_note running "/x/a b.sql"; database_refuse_incomplete "of reasons"'
  [[ $output == *'was broken off in init script /x/a\ b.sql'*'cannot go on with it, because of reasons;'* ]]
}

@test "database_judge_incomplete: refuse by itself, wipe, resume" {
  broken_off initdb
  run -1 with_postgresql 'database_judge_incomplete'
  INIT_ON_INCOMPLETE=wipe run -0 with_postgresql 'database_judge_incomplete; echo "$REPLY"'
  [ "$output" = wipe ]
  INIT_ON_INCOMPLETE=resume run -0 with_postgresql 'database_judge_incomplete; echo "$REPLY"'
  [ "$output" = resume ]
}

@test "database_judge_incomplete: nothing that a crash of the machine may have damaged is resumed" {
  broken_off initdb
  echo another-boot >"$DATABASE_BOOT"
  INIT_ON_INCOMPLETE=resume run -1 with_postgresql 'database_judge_incomplete'
  [[ $output == *'because the machine was started again since'* ]]
  echo "database ''" >"$PGDATA/strata.journal"
  rm -r "$PGDATA/global" "$PGDATA/PG_VERSION"
  INIT_ON_INCOMPLETE=resume run -0 with_postgresql 'database_judge_incomplete; echo "$REPLY"'
  [ "$output" = resume ]
}

@test "database_judge_incomplete: files that no journal tells of are kept" {
  broken_off
  touch "$PGDATA/file"
  INIT_ON_INCOMPLETE=resume run -1 with_postgresql 'database_judge_incomplete'
  [[ $output == *'because it has no journal'* ]]
  [ -e "$PGDATA/file" ]
}

@test "database_wipe_incomplete, database_wipe, database_wipe_waldir: all but the marker and lost+found; the log's folder only if it is in the marker" {
  mkdir -p "$PGDATA/lost+found" "$PGDATA/-rf x" "$BATS_TEST_TMPDIR/wal/x"
  touch "$PGDATA/.dot"
  echo "$BATS_TEST_TMPDIR/wal" >"$PGDATA/strata.initialising"
  owned_by_user "$PGDATA" "$BATS_TEST_TMPDIR/wal"
  run -0 with_postgresql 'database_wipe_incomplete'
  [ -e "$BATS_TEST_TMPDIR/wal/x" ]
  POSTGRES_INITDB_WALDIR=$BATS_TEST_TMPDIR/wal run -0 with_postgresql 'database_wipe_incomplete'
  [ ! -e "$BATS_TEST_TMPDIR/wal/x" ]
  [ "$(ls -A "$PGDATA")" = $'lost+found\nstrata.initialising' ]
}

@test "database_wipe: what cannot be deleted is told" {
  run -1 with_postgresql 'database_wipe /none 2>/dev/null'
  run -1 with_postgresql 'database_wipe /none'
  [[ $output == *'cannot delete the content of /none'* ]]
}

@test "database_resume: what initdb had not finished is made again" {
  broken_off
  mkdir -p "$PGDATA/strata.initdb/base"
  owned_by_user "$PGDATA"
  run -0 with_postgresql 'database_resume; journal_has initdb'
  [[ $output == *WARN*'going on where it ended'*'making a new database'* ]]
  [ ! -e "$PGDATA/strata.initdb/base" ]
  [ -e "$PGDATA/strata.initdb/PG_VERSION" ]
}

@test "database_resume: a cluster that initdb had finished stays" {
  broken_off initdb
  run -0 with_postgresql 'database_resume'
  [ ! -s "$CALLS" ]
}

@test "init_database: resumes after the last script that ended well" {
  broken_off initdb database
  printf 'echo "again"' >"$DATABASE_SCRIPTS/1.sh"
  printf 'echo "next"' >"$DATABASE_SCRIPTS/2.sh"
  echo "script $DATABASE_SCRIPTS/1.sh" >>"$PGDATA/strata.journal"
  INIT_ON_INCOMPLETE=resume POSTGRES_DB=app run -0 with_postgresql 'init_database postgres'
  [[ $output == *'passing over '*next*'init process complete'* && $output != *again* ]]
  [[ $(<"$CALLS") != *initdb*-D*strata.initdb* && $(<"$CALLS") != *psql* ]]
  [ ! -e "$PGDATA/strata.initialising" ]
}

@test "init_database: refuses an incomplete one, wipes it if asked to" {
  broken_off initdb
  touch "$PGDATA/old"
  owned_by_user "$PGDATA"
  run -1 with_postgresql 'init_database postgres'
  [ -e "$PGDATA/global/pg_control" ]
  INIT_ON_INCOMPLETE=wipe run -0 with_postgresql 'init_database postgres'
  [ ! -e "$PGDATA/strata.initialising" ]
  [ ! -e "$PGDATA/old" ]
}
