#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Who may connect: lines from POSTGRES_HBA, then $PGCONFIG/pg_hba.d/*.conf, then the user's own file, in a file of ours.
# The first line that fits decides, so ours come first; the user's file is read and never written.

HBA_FILES=()   # the files of the folder
HBA_BASE=""    # the user's own file
HBA_WRITTEN="" # ours, once it is there
HBA_HOOKS=()   # functions of the fragments, each of which gives lines in REPLY

# Gives in HBA_FILES the files of the folder, and 0 if there is anything that our file is needed for.
hba_wanted() {
  local file
  HBA_FILES=()
  for file in "${PGCONFIG-}"/pg_hba.d/*.conf; do
    if [[ -f $file ]]; then HBA_FILES+=("$file"); fi
  done
  [[ -n ${POSTGRES_HBA-} ]] || ((${#HBA_FILES[@]} + ${#HBA_HOOKS[@]} > 0))
}

# Gives in REPLY the lines of POSTGRES_HBA; on one line, semicolons stand between them.
hba_lines() {
  REPLY=${POSTGRES_HBA-}
  if [[ $REPLY != *$'\n'* ]]; then REPLY=${REPLY//;/$'\n'}; fi
}

# Gives in REPLY a line that reads another file, or, for servers before 16 that know no such line, its content.
hba_include() {
  local word=include
  if [[ $2 == optional ]]; then word=include_if_exists; fi
  if ((HBA_MAJOR >= 16)); then
    REPLY="$word \"${1//\"/\"\"}\""
  elif [[ -r $1 ]]; then
    REPLY="# from $1"$'\n'"$(<"$1")"
  else
    REPLY=""
  fi
}

# Gives in HBA_BASE the user's own file, which the configuration may name; the server says which it is.
hba_find_base() {
  HBA_BASE=$("$POSTGRES_COMMAND" -D "$PGDATA" -c "config_file=$STATE_DIR/postgresql.conf" "${POSTGRES_ARGS[@]}" -C hba_file \
    2>/dev/null) || HBA_BASE=$PGDATA/pg_hba.conf
}

# Leaves what comes before the user's own, and where that is, for who has to copy it again: one of a cluster that another
# server's data are copied to comes with them. Needs the text; only for servers that cannot include it, and with hooks.
hba_leave_head() {
  ((HBA_MAJOR < 16 && ${#HBA_HOOKS[@]} > 0)) || return 0
  security_private_file "$STATE_DIR/pg_hba.head" "$1"$'\n# the user\'s own\n' || return 0
  security_private_file "$STATE_DIR/pg_hba.base" "$HBA_BASE" || return 0
}

# Writes our file.
hba_write() {
  local text=$'# Written at every start; a change here is lost. See POSTGRES_HBA and PGCONFIG.\n' file hook
  hba_lines
  if [[ -n $REPLY ]]; then text+=$'\n# POSTGRES_HBA\n'"$REPLY"$'\n'; fi
  for file in "${HBA_FILES[@]}"; do
    [[ -r $file ]] || die 3 "$file: expected a file that user $EUID can read, found one that it cannot; chmod a+r it"
    hba_include "$file" ""
    text+=$'\n'"$REPLY"$'\n'
  done
  for hook in "${HBA_HOOKS[@]}"; do
    "$hook"
    text+=$'\n# what is switched on\n'"$REPLY"$'\n'
  done
  hba_leave_head "$text"
  # A new cluster has none yet when this is checked.
  hba_include "$HBA_BASE" optional
  text+=$'\n# the user\'s own\n'"$REPLY"$'\n'
  HBA_WRITTEN=$STATE_DIR/pg_hba.conf
  security_private_file "$HBA_WRITTEN" "$text" \
    || die 3 "cannot write $HBA_WRITTEN; make the folder writable for user $EUID, with room left"
}

# Puts our file in force, if it is needed; needs the configuration written.
hba_config() {
  HBA_WRITTEN=""
  hba_wanted || return 0
  database_server_major
  HBA_MAJOR=$REPLY
  hba_find_base
  hba_write
  POSTGRES_ARGS+=(-c "hba_file=$HBA_WRITTEN")
}

# Gives in REPLY where a line of our file comes from; needs its number.
hba_place() {
  local number=0 line from="$HBA_WRITTEN" first=0
  while IFS= read -r line; do
    number=$((number + 1))
    case $line in
      '# POSTGRES_HBA') from=POSTGRES_HBA first=$number ;;
      '# from '*) from=${line#'# from '} first=$number ;;
    esac
    if ((number == $1)); then break; fi
  done <"$HBA_WRITTEN"
  REPLY="$from line $((number - first))"
}

# Lets the server itself read the lines (pg_hba_file_rules) for a cluster in a folder that no server has open; gives 1
# and in REPLY what is wrong. One that waits for recovery cannot be asked so: its server says it at its start.
hba_check() {
  local folder=$1 line faults="" fault
  if [[ -z $HBA_WRITTEN || -e $folder/standby.signal || -e $folder/recovery.signal || -e $folder/postmaster.pid ]]; then
    return 0
  fi
  # A check that cannot be made must not end a start that could.
  if ! (single_prepare_user) 2>/dev/null; then return 0; fi
  single_run "$folder" "SELECT coalesce(to_jsonb(r) ->> 'file_name', '') || '|' || line_number || '|' || error AS fault FROM pg_hba_file_rules AS r WHERE error IS NOT NULL;" \
    || return 0
  while IFS= read -r line; do
    [[ $line =~ fault\ =\ \"(.*)\|([0-9]+)\|(.*)\".*\(typeid ]] || continue
    fault=${BASH_REMATCH[3]}
    REPLY="${BASH_REMATCH[1]} line ${BASH_REMATCH[2]}"
    if [[ -z ${BASH_REMATCH[1]} || ${BASH_REMATCH[1]} == "$HBA_WRITTEN" ]]; then hba_place "${BASH_REMATCH[2]}"; fi
    faults+="${faults:+; }$REPLY: $fault"
  done <<<"$SINGLE_OUTPUT"
  [[ -n $faults ]] || return 0
  REPLY="POSTGRES_HBA and ${PGCONFIG-}/pg_hba.d: expected lines that the server accepts, found ${faults:0:600}; correct them"
  return 1
}
