#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  export PGCONFIG="$BATS_TEST_TMPDIR/con\"fig"
  mkdir -p "$PGCONFIG/pg_hba.d"
  echo 'local own own peer' >"$PGDATA/pg_hba.conf"
}

# Adds a file of lines to the folder.
lines_file() { printf '%s\n' "$2" >"$PGCONFIG/pg_hba.d/$1"; }

@test "hba_wanted: by the variable or by the folder; other files do not count" {
  run -1 with_postgresql 'hba_wanted'
  POSTGRES_HBA=x run -0 with_postgresql 'hba_wanted'
  lines_file a.txt x
  mkdir "$PGCONFIG/pg_hba.d/b.conf"
  run -1 with_postgresql 'hba_wanted'
  lines_file z.conf z
  lines_file c.conf c
  run -0 with_postgresql 'hba_wanted; printf "%s\n" "${HBA_FILES[@]##*/}"'
  [ "$output" = $'c.conf\nz.conf' ]
  run -1 with_postgresql 'unset -v PGCONFIG; hba_wanted'
}

@test "hba_lines: semicolons on one line, lines as they are" {
  POSTGRES_HBA='a;b c' run -0 with_postgresql 'hba_lines; echo "$REPLY"'
  [ "$output" = $'a\nb c' ]
  POSTGRES_HBA=$'ldap x=";"\nb' run -0 with_postgresql 'hba_lines; echo "$REPLY"'
  [ "$output" = $'ldap x=";"\nb' ]
  run -0 with_postgresql 'hba_lines; echo "<$REPLY>"'
  [ "$output" = '<>' ]
}

@test "hba_include: a line from 16 on, the content before, nothing for a file that is not there" {
  run -0 with_postgresql 'HBA_MAJOR=16; hba_include '"'/a \"b'"' ""; echo "$REPLY"; hba_include /x optional; echo "$REPLY"'
  [ "$output" = $'include "/a ""b"\ninclude_if_exists "/x"' ]
  run -0 with_postgresql 'HBA_MAJOR=15; hba_include "$PGDATA/pg_hba.conf" ""; echo "$REPLY"; hba_include /none optional; echo "<$REPLY>"'
  [ "$output" = "# from $PGDATA/pg_hba.conf"$'\nlocal own own peer\n<>' ]
}

@test "hba_find_base: the file that the configuration names, else the cluster's" {
  HBA_SAYS=/user/hba.conf run -0 with_postgresql 'POSTGRES_ARGS=(-c a=b); hba_find_base; echo "$HBA_BASE"'
  [ "$output" = /user/hba.conf ]
  [[ $(<"$CALLS") == *'<-c> <a=b> <-C> <hba_file>' ]]
  POSTGRES_COMPLAINS=x run -0 with_postgresql 'hba_find_base; echo "$HBA_BASE"'
  [ "$output" = "$PGDATA/pg_hba.conf" ]
}

@test "hba_write: the variable, the folder, the user's own, in that order; a private file" {
  lines_file a.conf 'host a a a md5'
  POSTGRES_HBA='host x x x md5;host y y y md5' PG_MAJOR=15 run -0 with_postgresql 'hba_config; cat "$HBA_WRITTEN"'
  [[ $output == *$'\nhost x x x md5\nhost y y y md5\n'*'host a a a md5'*'local own own peer' ]]
  [ "$(stat -c %a "$STATE_FOLDERS/pg_hba.conf")" = 600 ]
  run -0 with_postgresql 'hba_config; cat "$HBA_WRITTEN"'
  [[ $output == *'include "'*'con""fig/pg_hba.d/a.conf"'*"include_if_exists \"$PGDATA/pg_hba.conf\"" ]]
}

@test "hba_write: a file that cannot be read, a folder that cannot be written" {
  lines_file a.conf x
  chmod 000 "$PGCONFIG/pg_hba.d/a.conf"
  run -3 with_postgresql 'hba_config'
  [[ $output == *'a.conf: expected a file that user '* ]]
  POSTGRES_HBA=x STATE_FOLDERS=/proc/none run -3 with_postgresql 'HBA_MAJOR=17; hba_write 2>&1'
  [[ $output == *'cannot write /proc/none/pg_hba.conf'* ]]
}

@test "hba_config: in force by an option, nothing where nothing is wanted" {
  run -0 with_postgresql 'hba_config; echo "<$HBA_WRITTEN${POSTGRES_ARGS[*]}>"'
  [ "$output" = '<>' ]
  POSTGRES_HBA=x run -0 with_postgresql 'hba_config; echo "${POSTGRES_ARGS[*]}"; database_split_args postgres -N 1; echo "${POSTGRES_ARGS[*]}"'
  [ "$output" = "-c hba_file=$STATE_FOLDERS/pg_hba.conf"$'\n'"-N 1 -c hba_file=$STATE_FOLDERS/pg_hba.conf" ]
}

@test "hba_check: asks the server itself, once there is a file of ours" {
  run -0 with_postgresql 'hba_check "$PGDATA"'
  [ ! -s "$CALLS" ]
  run -0 with_postgresql 'HBA_WRITTEN=/x; hba_check "$PGDATA"'
  [[ $(<"$CALLS") == *'<--single>'*'single: SELECT '*' FROM pg_hba_file_rules '* ]]
}

@test "hba_check: not while a server has it open or it waits for recovery" {
  local name
  for name in standby.signal recovery.signal postmaster.pid; do
    touch "$PGDATA/$name"
    run -0 with_postgresql 'HBA_WRITTEN=/x; hba_check "$PGDATA"'
    rm "$PGDATA/$name"
  done
  [ ! -s "$CALLS" ]
}

@test "hba_place: the line of the variable or of the file, not of what we made of them" {
  lines_file a.conf $'# first\nhost a a a md5'
  POSTGRES_HBA='host x x x md5;host y y y md5' PG_MAJOR=15 run -0 with_postgresql 'hba_config; number=0
    while IFS= read -r line; do number=$((number + 1)); hba_place "$number"; echo "$line = $REPLY"; done <"$HBA_WRITTEN"'
  [[ $output == *'host x x x md5 = POSTGRES_HBA line 1'$'\n''host y y y md5 = POSTGRES_HBA line 2'$'\n'* ]]
  [[ $output == *"host a a a md5 = $PGCONFIG/pg_hba.d/a.conf line 2"$'\n'* ]]
  [[ $output == *"local own own peer = $PGDATA/pg_hba.conf line 1"* ]]
}

@test "hba_check: every line that is wrong; a server that says nothing is no fault" {
  local tail=$'\t(typeid = 25, len = -1, typmod = -1, byval = f)' ours=$STATE_FOLDERS/pg_hba.conf
  SINGLE_SAYS=$'\t 1: fault = "/x|4|bad "type""'"$tail"$'\n\t----\n\t 1: fault = "|4|worse"'"$tail"$'\n\t 1: fault = "'"$ours|5|worst\"$tail" \
    POSTGRES_HBA='a;b' run -0 with_postgresql 'hba_config; hba_check "$PGDATA" || echo "$? $REPLY"'
  [[ $output == '1 POSTGRES_HBA and '*'found /x line 4: bad "type"; POSTGRES_HBA line 1: worse; POSTGRES_HBA line 2: worst; correct them' ]]
  SINGLE_FAILS=yes run -0 with_postgresql 'HBA_WRITTEN=/x; hba_check "$PGDATA"'
}

# Functions of two fragments, each of which gives lines.
hooks='one() { REPLY="host one one all md5"; }; two() { REPLY=$'"'host two two all md5\\nhost three x all md5'"'; }; HBA_HOOKS+=(one two); '

@test "HBA_HOOKS: what fragments give stands before the user's own, and after what was asked for by name" {
  lines_file a.conf 'host a a a md5'
  run -0 with_postgresql "$hooks"'hba_wanted'
  POSTGRES_HBA='host x x x md5' PG_MAJOR=15 run -0 with_postgresql "$hooks"'hba_config; cat "$HBA_WRITTEN"'
  [[ $output == *'host x x x md5'*'host a a a md5'*$'\nhost one one all md5\n'*$'\nhost two two all md5\nhost three x all md5\n'*'local own own peer' ]]
  run -0 with_postgresql "$hooks"'hba_config; cat "$HBA_WRITTEN"'
  [[ $output == *'include "'*$'\nhost one one all md5\n'*'host three x all md5'*"include_if_exists \"$PGDATA/pg_hba.conf\"" ]]
}

@test "HBA_HOOKS: alone they are reason enough for our file" {
  rm -r "$PGCONFIG/pg_hba.d"
  run -0 with_postgresql "$hooks"'hba_config; echo "${POSTGRES_ARGS[*]}"'
  [ "$output" = "-c hba_file=$STATE_FOLDERS/pg_hba.conf" ]
}

@test "hba_leave_head: before 16, what comes before the user's own, and where that is; private" {
  HBA_SAYS=/user/hba.conf POSTGRES_HBA='host x x x md5' PG_MAJOR=15 run -0 with_postgresql "$hooks"'hba_config'
  [[ $(<"$STATE_FOLDERS/pg_hba.head") == '# Written at every start'*'host x x x md5'*'host three x all md5'*"# the user's own" ]]
  [ "$(<"$STATE_FOLDERS/pg_hba.base")" = /user/hba.conf ]
  [ "$(stat -c %a "$STATE_FOLDERS"/pg_hba.{head,base})" = $'600\n600' ]
}

@test "hba_leave_head: head and the user's own make the file" {
  POSTGRES_HBA='host x x x md5' PG_MAJOR=15 run -0 with_postgresql "$hooks"'hba_config; { cat "$STATE_DIR/pg_hba.head"; hba_include "$(<"$STATE_DIR/pg_hba.base")" ""; echo "$REPLY"; } | diff "$HBA_WRITTEN" -'
}

@test "hba_leave_head: nothing from 16 on, where the server reads the file itself, and nothing without hooks" {
  PG_MAJOR=16 run -0 with_postgresql "$hooks"'hba_config'
  POSTGRES_HBA=x PG_MAJOR=15 run -0 with_postgresql 'hba_config'
  [ ! -e "$STATE_FOLDERS/pg_hba.head" ]
  [ ! -e "$STATE_FOLDERS/pg_hba.base" ]
}
