#!/usr/bin/env bash
# shellcheck disable=SC2034 # the files share their variables, each is described where it is set first
# TLS by mounting a certificate and its key. Both are checked, together, before the server starts.

TLS_CERT="" TLS_KEY="" TLS_CA="" # the files, or nothing
TLS_COPY=""                      # the key's copy, where the server would not take the file as it is mounted

# Gives in TLS_CERT, TLS_KEY and TLS_CA what the variables name, else the usual files of the configuration folder.
tls_find() {
  local folder=${PGCONFIG-}/tls
  TLS_CERT=${POSTGRES_TLS_CERT-} TLS_KEY=${POSTGRES_TLS_KEY-} TLS_CA=${POSTGRES_TLS_CA-}
  if [[ -z $TLS_CERT$TLS_KEY ]]; then
    if [[ -e $folder/tls.crt ]]; then TLS_CERT=$folder/tls.crt; fi
    if [[ -e $folder/tls.key ]]; then TLS_KEY=$folder/tls.key; fi
  fi
  if [[ -z $TLS_CA && -e $folder/ca.crt ]]; then TLS_CA=$folder/ca.crt; fi
  [[ -n $TLS_CERT$TLS_KEY$TLS_CA ]]
}

# Ends unless certificate and key belong together.
tls_check_pair() {
  local locked=""
  # A key with a passphrase is the server's to open, by a command that the user names.
  if [[ -n ${POSTGRESQL_SSL_PASSPHRASE_COMMAND-} ]]; then locked=locked; fi
  certificates_check_pair POSTGRES_TLS "$TLS_CERT" "$TLS_KEY" "$locked"
}

# Gives 0 if the server takes the key as it is: ours with 0600 at most, or root's with 0640 at most.
tls_key_is_private() {
  local owner mode
  read -r owner mode < <(stat -L -c '%u %a' -- "$1")
  ((owner == EUID && (8#$mode & 8#077) == 0)) || ((owner == 0 && (8#$mode & 8#037) == 0))
}

# Puts a copy of the key where only its owner reads it; also when the server is to read its files again.
tls_copy_key() {
  [[ -n $TLS_COPY ]] || return 0
  security_private_file "$TLS_COPY" "$(<"$TLS_KEY")"$'\n' || log_error "cannot copy $TLS_KEY to $TLS_COPY; free space there"
}

# Adds what the server has to know; called while its configuration is built.
tls_config() {
  local key
  tls_find || return 0
  if [[ -n $TLS_CERT$TLS_KEY ]]; then
    tls_check_pair
    key=$TLS_KEY
    if ! tls_key_is_private "$TLS_KEY"; then
      log_warn "the key $TLS_KEY can be read by others than its owner, which the server refuses: it gets a copy of its own;" \
        "chown it to $EUID and chmod 0600 it to be without this line"
      TLS_COPY=$STATE_DIR/server.key
      tls_copy_key
      HANGUP_HOOK=tls_copy_key
      key=$TLS_COPY
    fi
    config_add ssl on
    config_add ssl_cert_file "$TLS_CERT"
    config_add ssl_key_file "$key"
  fi
  if [[ -n $TLS_CA ]]; then
    certificates_check_file POSTGRES_TLS_CA "$TLS_CA"
    config_add ssl_ca_file "$TLS_CA"
  fi
}
