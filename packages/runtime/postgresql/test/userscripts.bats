#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  # As in an initialisation, else no journal is kept.
  touch "$PGDATA/strata.initialising"
}

@test "userscripts_check: what can be read, and nothing there, pass" {
  run -0 with_postgresql 'userscripts_check; DATABASE_SCRIPTS=/none; userscripts_check'
  echo x >"$DATABASE_SCRIPTS/a.sql"
  ln -s /none "$DATABASE_SCRIPTS/readme.txt"
  run -0 with_postgresql 'userscripts_check'
  [ -z "$output" ]
}

@test "userscripts_check: every file that cannot be read, before anything is made" {
  echo x >"$DATABASE_SCRIPTS/a.sql"
  chmod 000 "$DATABASE_SCRIPTS/a.sql"
  run -3 with_postgresql 'userscripts_check'
  [[ $output == *'a.sql: expected a file that user '* ]]
  ln -s /none "$DATABASE_SCRIPTS/b.sh"
  run -2 with_postgresql 'userscripts_check'
  [[ $output == *a.sql*'b.sh: expected a file, found a link to nothing'* ]]
}

@test "userscripts_check: a folder that cannot be read" {
  chmod 000 "$DATABASE_SCRIPTS"
  run -3 with_postgresql 'userscripts_check'
  chmod 700 "$DATABASE_SCRIPTS"
  [[ $output == *"found $DATABASE_SCRIPTS, which it cannot"* ]]
}

@test "userscripts_one, docker_process_init_files: every kind, in order" {
  cd "$DATABASE_SCRIPTS"
  echo 'echo sourced' >1.sh
  printf '#!/bin/sh\necho executed\n' >2.sh && chmod 755 2.sh
  echo 'select 3' >3.sql
  echo 'select 4' | gzip >4.sql.gz
  echo 'select 5' | xz >5.sql.xz
  stub zstd <<<'cat "$2"'
  echo 'select 6' >6.sql.zst
  echo x >'7 $(x).txt'
  run -0 with_postgresql 'docker_process_init_files "$DATABASE_SCRIPTS"/*'
  [[ $output == *sourced*executed*'ignoring '*'7 $(x).txt' ]]
  [ "$(grep -c 'sql: select' "$CALLS")" = 3 ]
  [[ $(<"$CALLS") == *'/3.sql>'* ]]
}

@test "docker_process_init_files: what is in the journal is passed over" {
  echo 'echo "one again"' >"$DATABASE_SCRIPTS/1.sh"
  echo 'echo two' >"$DATABASE_SCRIPTS/2.sh"
  run -0 with_postgresql 'journal_note script "$DATABASE_SCRIPTS/1.sh"; docker_process_init_files "$DATABASE_SCRIPTS"/*'
  [[ $output == *'passing over '*'/1.sh'*two && $output != *again* ]]
  [[ $(<"$PGDATA/strata.journal") == *"running $DATABASE_SCRIPTS/2.sh"$'\n'"script $DATABASE_SCRIPTS/2.sh" ]]
}

@test "docker_process_init_files: a wrapper may call it at every start, then there is no journal" {
  rm "$PGDATA/strata.initialising"
  echo 'echo again' >"$DATABASE_SCRIPTS/1.sh"
  run -0 with_postgresql 'docker_process_init_files "$DATABASE_SCRIPTS"/*; docker_process_init_files "$DATABASE_SCRIPTS"/*'
  [ "$(grep -c '^again$' <<<"$output")" = 2 ]
  [ -z "$(ls -A "$PGDATA")" ]
}

@test "userscripts_run: nothing there is no failure; the shell outlives what they do" {
  run -0 with_postgresql 'userscripts_run'
  echo 'set -x; FOO=${UNSET_ONE}; cd /; trap "" TERM; set +x' >"$DATABASE_SCRIPTS/a.sh"
  run -0 with_postgresql 'here=$PWD; userscripts_run; [ "$PWD" = "$here" ]; echo "after ${FOO-none}"'
  [[ $output == *'after none' ]]
}

@test "userscripts_shell: the array and the client environment of the official image" {
  echo 'echo "${psql[*]} ${PGHOST-none} $PGPASSWORD"' >"$DATABASE_SCRIPTS/a.sh"
  PGHOST=elsewhere POSTGRES_PASSWORD=p run -0 with_postgresql 'userscripts_run'
  [[ $output == *'docker_process_sql none p' ]]
}

@test "userscripts_shell_end: names the one that failed, or ended all by exit" {
  echo 'select' >"$DATABASE_SCRIPTS/a.sql"
  PSQL_FAILS=yes run -1 with_postgresql 'userscripts_run'
  [[ $output == *"init script $DATABASE_SCRIPTS/a.sql ended the initialisation with code 3"*INIT_ON_INCOMPLETE=resume* ]]
  [[ $output == *"$PGDATA keeps its marker"* ]]
  echo 'exit 0' >"$DATABASE_SCRIPTS/0.sh"
  run -1 with_postgresql 'userscripts_run'
  [[ $output == *"0.sh ended the initialisation with code 0"* ]]
}

@test "userscripts_run: a script that takes our trap away and ends is found by the journal" {
  echo 'trap - EXIT; exit 0' >"$DATABASE_SCRIPTS/a.sh"
  run -1 with_postgresql 'userscripts_run'
  [[ $output == *'did not all end well'* ]]
}
