#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2016,SC2034 # the tests read what is set here, code stands in single quotes
source "$BATS_TEST_DIRNAME/../../entrypoint/test/helper.bash"

# Merges the image, and puts stand-ins for etcd and etcdctl onto PATH. A test begins without variables of either.
etcd_setup() {
  local name
  merge_image entrypoint healthcheck etcd
  for name in "${!ETCD_@}" "${!ETCDCTL_@}"; do unset -v "$name"; done
  export STATE_DIR=$STATE_FOLDERS CALLS=$BATS_TEST_TMPDIR/calls ANSWERS=$BATS_TEST_TMPDIR/answers
  export ETCD_DATA_DIR=$BATS_TEST_TMPDIR/data MEMBER_TLS_FOLDER=$BATS_TEST_TMPDIR/tls CLIENT_PROGRAM=$STUBS/etcdctl
  export COMMAND_SCRIPTS=$SCRIPTS HOSTNAME=here
  mkdir -p "$ETCD_DATA_DIR" "$ANSWERS"
  chmod 777 "$ANSWERS"
  owned_by_user "$ETCD_DATA_DIR"
  : >"$CALLS"
  chmod 666 "$CALLS"
  etcd_stubs
  prelude='for file in "$ENTRYPOINT_SCRIPTS"/init/01-etcd.sh "$ENTRYPOINT_SCRIPTS"/runtime/modes/etcd.sh; do source "$file"; done
ENV_PRESENT=($(compgen -e)); LOG_NAME=t; '
}

# Stand-ins that note in CALLS how they were called. etcdctl notes its variables and what it reads too, and answers as a
# file says: one of the name of its first two words, and .N for the Nth such call, holds a code, then lines.
etcd_stubs() {
  stub etcd <<'S'
[[ $* != --help ]] || exit 0
{ printf 'etcd'; printf ' <%s>' "$@"; echo; env | grep ^ETCD_ | sort; } >>"$CALLS"
trap 'echo "signal TERM" >>"$CALLS"; kill "$!"; exit 0' TERM
trap 'echo "signal HUP" >>"$CALLS"; kill "$!"; exit 0' HUP
sleep 60 >/dev/null 2>&1 3>&- &
echo ready >>"$CALLS"
wait
S
  stub etcdctl <<'S'
{ printf 'etcdctl'; printf ' <%s>' "$@"; echo; env | grep ^ETCDCTL_ | sort; } >>"$CALLS"
case " $* " in *' user add '* | *' user passwd '*) sed 's/^/read: /' >>"$CALLS" ;; esac
words=(); for word; do [[ $word == -* ]] || words+=("$word"); done
name=${words[0]}-${words[1]-}
echo >>"$ANSWERS/$name.count"
file=$ANSWERS/$name.$(wc -l <"$ANSWERS/$name.count")
[[ -e $file ]] || file=$ANSWERS/$name
[[ -e $file ]] || exit 0
{ read -r code; cat; } <"$file"
exit "$code"
S
}

# Lets the stand-in answer; needs a name as above and the code, lines come from stdin.
answer() { { echo "$2" && cat; } >"$ANSWERS/$1"; }

# Writes down how to reach an etcd that runs: address to listen at, for others, certificate, key, authorities.
address() {
  echo running >"$STATE_FOLDERS/phase"
  printf '%s\n' "$1" "${2-}" "${3-}" "${4-}" "${5-}" >"$STATE_FOLDERS/etcd.address"
  owned_by_user "$STATE_FOLDERS"
}

# Runs code with all functions of the fragment at hand.
with_etcd() { with_entrypoint "$prelude$1"; }
