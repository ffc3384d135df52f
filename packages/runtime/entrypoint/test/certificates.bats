#!/usr/bin/env bats
# shellcheck disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2317 # sourced from a copy; code stands in single quotes
load helper

setup() {
  merge_image entrypoint
  type -P openssl >/dev/null || skip "openssl is not on this machine"
  FOLDER=$BATS_TEST_TMPDIR/tls
  mkdir "$FOLDER"
  make_pair "$FOLDER" tls
}

# Checks a certificate and a key; needs the code to expect, both files, and perhaps the word.
check() { run "$1" with_entrypoint 'certificates_check_pair APP_TLS "$1" "$2" "${3-}"' "${@:2}"; }

@test "certificates_check_file: none, and one that cannot be read" {
  run -2 with_entrypoint 'certificates_check_file NAME /none'
  [[ $output == *"NAME: expected a file, found '/none'"* ]]
  chmod 000 "$FOLDER/tls.key"
  run -3 with_entrypoint 'certificates_check_file NAME "$1"' "$FOLDER/tls.key"
  [[ $output == *"NAME: expected a file that user "*"chmod 0600"* ]]
  run -0 with_entrypoint 'certificates_check_file NAME "$1"' "$FOLDER/tls.crt"
}

@test "certificates_check_pair: belongs together" {
  check -0 "$FOLDER/tls.crt" "$FOLDER/tls.key"
  [ -z "$output" ]
  make_pair "$FOLDER" other
  check -2 "$FOLDER/tls.crt" "$FOLDER/other.key"
  [[ $output == *"APP_TLS_KEY: expected the key of the certificate $FOLDER/tls.crt, found another's"* ]]
}

@test "certificates_check_pair: one without the other, one that is something else" {
  check -2 "$FOLDER/tls.crt" ""
  [[ $output == *'APP_TLS_KEY: expected the key'*'found none'* ]]
  check -2 "" "$FOLDER/tls.key"
  [[ $output == *'APP_TLS_CERT: expected the certificate'*'found none'* ]]
  check -2 "$FOLDER/tls.key" "$FOLDER/tls.key"
  [[ $output == *'APP_TLS_CERT: expected a certificate in PEM format'* ]]
  check -2 "$FOLDER/tls.crt" "$FOLDER/tls.crt"
  [[ $output == *'APP_TLS_KEY: expected a private key in PEM format'* ]]
}

@test "certificates_check_pair: no openssl" {
  run -4 with_entrypoint 'type() { [[ $2 != openssl ]] && builtin type "$@"; }; certificates_check_pair APP_TLS "$1.crt" "$1.key"' \
    "$FOLDER/tls"
  [[ $output == *'openssl is missing'* ]]
}

@test "certificates_check_pair: an expired certificate is a warning" {
  # Not every openssl makes one that is expired: this one says so of every certificate.
  stub openssl <<S
[[ " \$* " != *' -checkend '* ]] || exit 1
exec '$(type -P openssl)' "\$@"
S
  check -0 "$FOLDER/tls.crt" "$FOLDER/tls.key"
  [[ $output == *WARN*"APP_TLS_CERT: the certificate in $FOLDER/tls.crt is expired"* ]]
}

@test "certificates_check_pair: a key with a passphrase is refused, unless the server asks for it" {
  openssl pkey -in "$FOLDER/tls.key" -aes256 -passout pass:hunter2 -out "$FOLDER/locked.key"
  owned_by_user "$FOLDER"
  check -2 "$FOLDER/tls.crt" "$FOLDER/locked.key"
  [[ $output == *'without passphrase'* ]]
  check -0 "$FOLDER/tls.crt" "$FOLDER/locked.key" locked
}
