#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Folders of data, whatever server they belong to: who owns them, who else uses them, how much room is left.

FOLDERS_LOCK="" # the file descriptor that holds the lock

# Gives in REPLY where a folder really is; needs its path.
folders_resolve() {
  REPLY=$1
  if [[ -d $1 ]]; then REPLY=$(cd -P -- "$1" && pwd -P) || REPLY=$1; fi
}

# Makes a folder and gives it to the server's user; needs root, PATH and the name of the variable it comes from.
folders_give() {
  local folder name=$2
  folders_resolve "$1"
  folder=$REPLY
  security_safe_folder "$folder" \
    || die 2 "$name: expected a folder for data alone, found '$folder', which belongs to the system; choose another"
  mkdir -p -- "$folder" && security_own "$folder" && return 0
  log_warn "cannot give $folder to user $SECURITY_UID (a read-only or foreign file system, or no capability CHOWN)"
}

# Ends with a sentence about a folder that we cannot use; needs PATH, what was found and the variable's name.
folders_refuse() {
  die 3 "$3: expected a folder that user $EUID owns and can write, found '$1', $2;" \
    "as root on the host run: chown -R $EUID <the folder or volume>, or start the container once with --user root"
}

# Makes a folder unless it is there, and ends if that cannot be; needs PATH and the variable's name.
folders_make() {
  if [[ -e $1 && ! -d $1 ]]; then folders_refuse "$1" "which is no folder" "$2"; fi
  if [[ ! -d $1 ]] && ! mkdir -p -- "$1" 2>/dev/null; then
    folders_refuse "$1" "which does not exist and cannot be made" "$2"
  fi
}

# Keeps a second container out of a folder in use: a server's own guard may not see into other containers. Needs PATH and
# words for what is in it. The lock is on the folder itself, so it leaves no file; the server inherits it and so holds it
# as long as it runs.
folders_lock() {
  local status=0
  [[ -z $FOLDERS_LOCK ]] || return 0
  exec {FOLDERS_LOCK}<"$1" || return 0
  flock --nonblock --conflict-exit-code 75 "$FOLDERS_LOCK" 2>/dev/null || status=$?
  # Some network file systems have no locks: then there is no guard, as without us.
  ((status == 75)) || return 0
  die 1 "another container uses $2 in $1, expected it to be alone; two servers would destroy the data:" \
    "stop the other one (docker ps --filter volume=<the volume>), or give this one a volume of its own"
}

# Gives in REPLY the megabytes that are free for us on the file system of a path, 0 too if it has no more files to give.
folders_free_mb() {
  local free size files all
  read -r free size files all < <(stat -f -c '%a %S %d %c' -- "$1") || return 1
  REPLY=$((free * size / 1048576))
  if ((all > 0 && files == 0)); then REPLY=0; fi
}

# Ends if the disk of a folder is full, warns if fewer megabytes are left than given; needs PATH, MEGABYTES and perhaps
# what must not be done about it.
folders_check_space() {
  folders_free_mb "$1" || return 0
  if ((REPLY < 1)); then
    die 1 "the disk of $1 is full, so the server could not even start: expected some free megabytes, found none;" \
      "free space on the host or enlarge the volume${3:+ ($3)}; nothing was changed"
  elif ((REPLY < $2)); then
    log_warn "the disk of $1 is almost full: $REPLY MB left; free space or enlarge the volume, or the server will stop"
  fi
}
