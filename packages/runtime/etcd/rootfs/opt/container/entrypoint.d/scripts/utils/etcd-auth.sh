#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# Turns authentication on: user root gets ETCD_ROOT_PASSWORD, then nobody gets in without a name. In the background, once
# the cluster answers, on one node for all; every step can be done twice. The password is in no process's arguments.

AUTH_PASSWORD="" # that of root; the environment forgets it before etcd is started
AUTH_SAID=""     # what etcdctl said last
AUTH_STEP=""     # what was tried last
AUTH_PATIENCE=30 # seconds for which nodes may take to find one another before it is said that nobody answers

# Keeps the password on the node that is to turn authentication on.
etcd_auth_prepare() {
  AUTH_PASSWORD=""
  if [[ -n $MEMBER_FIRST ]]; then AUTH_PASSWORD=${ETCD_ROOT_PASSWORD-}; fi
}

# Asks the cluster by etcdctl; needs its arguments. Gives in AUTH_SAID its last line, and 1 if it failed.
etcd_auth_ask() {
  local status=0
  AUTH_SAID=$("$CLIENT_PROGRAM" --command-timeout=5s "$@" 2>&1) || status=1
  AUTH_SAID=${AUTH_SAID##*$'\n'}
  AUTH_SAID=${AUTH_SAID#Error: }
  AUTH_SAID=${AUTH_SAID:0:300}
  return "$status"
}

# Turns authentication on, while it is off. A root user that is there already gets the password: an earlier try may have
# ended halfway.
etcd_auth_enable() {
  AUTH_STEP="making user root"
  if ! etcd_auth_ask user add root --interactive=false <<<"$AUTH_PASSWORD"; then
    [[ $AUTH_SAID == *'already exists'* ]] || return 1
    etcd_auth_ask user passwd root --interactive=false <<<"$AUTH_PASSWORD" || return 1
  fi
  AUTH_STEP="turning authentication on"
  # It gives root the role that it needs.
  etcd_auth_ask auth enable </dev/null || return 1
  log_info "authentication is on: user root has the password in ETCD_ROOT_PASSWORD"
}

# Gives 0 if root has the password, 2 if it has another, 1 if that could not be asked.
etcd_auth_verify() {
  AUTH_STEP="logging in as root"
  ETCDCTL_USER=root ETCDCTL_PASSWORD=$AUTH_PASSWORD etcd_auth_ask user get root </dev/null && return 0
  [[ $AUTH_SAID != *'invalid user ID or password'* ]] || return 2
  return 1
}

# Tries once. Gives 0 if authentication is on, 1 to try again, 2 if root has another password.
etcd_auth_attempt() {
  AUTH_STEP="an answer of the cluster"
  if etcd_auth_ask get strata </dev/null; then
    etcd_auth_enable
    return
  fi
  case $AUTH_SAID in
    *'user name is empty'* | *'permission denied'*) etcd_auth_verify ;;
    *) return 1 ;;
  esac
}

# Gives 0 if something takes connections where etcd is to listen.
etcd_auth_listens() { (exec 3<>"/dev/tcp/${CLIENT_HOST//[\[\]]/}/$CLIENT_PORT") 2>/dev/null; }

# Says what keeps authentication off, unless it was said already, or the nodes still find one another; needs what was said.
etcd_auth_complain() {
  if [[ $AUTH_STEP == an\ answer* ]] && ((EPOCHSECONDS - AUTH_BEGAN < AUTH_PATIENCE)); then return 0; fi
  [[ $1 != "$AUTH_STEP: $AUTH_SAID" ]] || return 0
  log_error "authentication: expected $AUTH_STEP to succeed, found: $AUTH_SAID; until it is on, everybody who reaches the port" \
    "may read and change everything; it is tried again by itself"
}

# Goes on until authentication is on or etcd has ended, in a process of its own; needs etcd's number.
etcd_auth_run() {
  trap - ERR EXIT TERM INT QUIT HUP URG
  set +e
  local LOG_NAME=etcd said="" delay=1 code
  AUTH_BEGAN=$EPOCHSECONDS
  etcd_client_env "$STATE_DIR"
  until etcd_auth_listens; do
    kill -0 "$1" 2>/dev/null || return 0
    startup_pause 0.1
  done
  while kill -0 "$1" 2>/dev/null; do
    etcd_auth_attempt
    code=$?
    case $code in
      0)
        state_write etcd.auth ""
        return 0
        ;;
      2)
        state_write etcd.auth wrong
        log_error "ETCD_ROOT_PASSWORD: expected the password of user root, found another (not shown, it is a secret);" \
          "the cluster keeps the one it has; correct the variable, or change it: etcdctl user passwd root"
        return 0
        ;;
    esac
    phase_get
    if [[ $REPLY == stopping ]]; then return 0; fi
    etcd_auth_complain "$said"
    said="$AUTH_STEP: $AUTH_SAID"
    startup_pause "$delay"
    if [[ $AUTH_STEP != an\ answer* ]] && ((delay < 16)); then delay=$((delay * 2)); fi
  done
}
