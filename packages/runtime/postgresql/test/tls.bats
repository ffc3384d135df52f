#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  postgresql_setup
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  export PGCONFIG=$BATS_TEST_TMPDIR/config
  FOLDER=$PGCONFIG/tls
  mkdir -p "$FOLDER"
  make_pair "$FOLDER" tls
}

@test "tls_find: the usual files, what the variables name instead, nothing" {
  run -0 with_postgresql 'tls_find; echo "$TLS_CERT|$TLS_KEY|$TLS_CA"'
  [ "$output" = "$FOLDER/tls.crt|$FOLDER/tls.key|" ]
  cp "$FOLDER/tls.crt" "$FOLDER/ca.crt"
  POSTGRES_TLS_CERT=/x POSTGRES_TLS_KEY=/y run -0 with_postgresql 'tls_find; echo "$TLS_CERT|$TLS_KEY|$TLS_CA"'
  [ "$output" = "/x|/y|$FOLDER/ca.crt" ]
  POSTGRES_TLS_CERT=/x POSTGRES_TLS_CA=/z run -0 with_postgresql 'tls_find; echo "$TLS_CERT|$TLS_KEY|$TLS_CA"'
  [ "$output" = "/x||/z" ]
  PGCONFIG=/none run -1 with_postgresql 'tls_find'
}

@test "tls_check_pair: belongs together" {
  run -0 with_postgresql 'tls_find; tls_check_pair'
  [ -z "$output" ]
  make_pair "$FOLDER" other
  POSTGRES_TLS_CERT=$FOLDER/tls.crt POSTGRES_TLS_KEY=$FOLDER/other.key run -2 with_postgresql 'tls_find; tls_check_pair'
  [[ $output == *"POSTGRES_TLS_KEY: expected the key of the certificate $FOLDER/tls.crt, found another's"* ]]
  POSTGRES_TLS_KEY=$FOLDER/tls.key run -2 with_postgresql 'tls_find; tls_check_pair'
  [[ $output == *'POSTGRES_TLS_CERT: expected the certificate'*'found none'* ]]
}

@test "tls_check_pair: a key with a passphrase is the server's to open, if it is told how" {
  openssl pkey -in "$FOLDER/tls.key" -aes256 -passout pass:hunter2 -out "$FOLDER/locked.key"
  owned_by_user "$FOLDER"
  export POSTGRES_TLS_CERT=$FOLDER/tls.crt POSTGRES_TLS_KEY=$FOLDER/locked.key
  run -2 with_postgresql 'tls_find; tls_check_pair'
  [[ $output == *'without passphrase'* ]]
  POSTGRESQL_SSL_PASSPHRASE_COMMAND='echo hunter2' run -0 with_postgresql 'tls_find; tls_check_pair'
}

@test "tls_key_is_private: as the server judges it" {
  run -0 with_postgresql "tls_key_is_private '$FOLDER/tls.key'"
  chmod 640 "$FOLDER/tls.key"
  run -1 with_postgresql "tls_key_is_private '$FOLDER/tls.key'"
  stub stat <<<'echo "$STAT"'
  STAT='0 640' run -0 with_postgresql 'tls_key_is_private /x'
  STAT='0 644' run -1 with_postgresql 'tls_key_is_private /x'
  STAT='4242 600' run -1 with_postgresql 'tls_key_is_private /x'
}

@test "tls_copy_key: a private copy; none without need; a failure ends nothing" {
  run -0 with_postgresql 'tls_copy_key; TLS_KEY='"'$FOLDER/tls.key'"' TLS_COPY=$STATE_DIR/server.key; tls_copy_key; cmp "$TLS_KEY" "$TLS_COPY"'
  [ "$(stat -c %a "$STATE_FOLDERS/server.key")" = 600 ]
  run -0 with_postgresql 'TLS_KEY='"'$FOLDER/tls.key'"' TLS_COPY=/proc/none/x; tls_copy_key 2>&1; echo after'
  [[ $output == *'cannot copy '*after ]]
}

@test "tls_config: switched on by the files alone" {
  run -0 with_postgresql 'CONFIG_TEXT=; tls_config; echo "$CONFIG_TEXT$HANGUP_HOOK"'
  [ "$output" = "ssl = 'on'"$'\n'"ssl_cert_file = '$FOLDER/tls.crt'"$'\n'"ssl_key_file = '$FOLDER/tls.key'"$'\n:' ]
}

@test "tls_config: a key that others can read is copied, anew at every hang-up" {
  chmod 644 "$FOLDER/tls.key"
  run -0 with_postgresql 'CONFIG_TEXT=; tls_config; rm "$STATE_DIR/server.key"; "$HANGUP_HOOK"; echo "$CONFIG_TEXT"'
  [[ $output == *WARN*"ssl_key_file = '$STATE_FOLDERS/server.key'" ]]
  cmp "$FOLDER/tls.key" "$STATE_FOLDERS/server.key"
}

@test "tls_config: an authority alone, a missing one, nothing" {
  mv "$FOLDER/tls.crt" "$FOLDER/ca.crt"
  rm "$FOLDER/tls.key"
  run -0 with_postgresql 'CONFIG_TEXT=; tls_config; echo "$CONFIG_TEXT"'
  [ "$output" = "ssl_ca_file = '$FOLDER/ca.crt'" ]
  POSTGRES_TLS_CA=/none run -2 with_postgresql 'CONFIG_TEXT=; tls_config'
  rm "$FOLDER/ca.crt"
  run -0 with_postgresql 'CONFIG_TEXT=; tls_config; echo "<$CONFIG_TEXT>"'
  [ "$output" = '<>' ]
}
