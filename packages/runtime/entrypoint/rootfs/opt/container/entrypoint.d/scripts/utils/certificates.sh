#!/usr/bin/env bash
# Certificates and keys that were mounted: checked before a server starts, whichever it is.

# Ends if a file cannot be read; needs the variable's name and the file.
certificates_check_file() {
  [[ -f $2 ]] || die 2 "$1: expected a file, found '$2', which is none; mount it or correct the path"
  [[ -r $2 ]] || die 3 "$1: expected a file that user $EUID can read, found '$2', which it cannot; on the host run:" \
    "chown $EUID and chmod 0600 the file, or mount it readable"
}

# Ends unless certificate and key belong together; needs what the names of their variables begin with, both files, and
# "locked" where the key has a passphrase that the server asks for itself.
certificates_check_pair() {
  local name=$1 cert=$2 key=$3 of_cert of_key
  [[ -n $cert ]] || die 2 "${name}_CERT: expected the certificate of the key $key, found none; mount it too"
  [[ -n $key ]] || die 2 "${name}_KEY: expected the key of the certificate $cert, found none; mount it too"
  certificates_check_file "${name}_CERT" "$cert"
  certificates_check_file "${name}_KEY" "$key"
  type -P openssl >/dev/null || die 4 "openssl is missing, expected in the image; it checks the certificate"
  of_cert=$(openssl x509 -in "$cert" -noout -pubkey 2>/dev/null) \
    || die 2 "${name}_CERT: expected a certificate in PEM format, found something else in '$cert'"
  openssl x509 -in "$cert" -noout -checkend 0 >/dev/null 2>&1 \
    || log_warn "${name}_CERT: the certificate in $cert is expired; clients that verify it will refuse; renew it"
  if [[ ${4-} == locked ]]; then return 0; fi
  of_key=$(openssl pkey -in "$key" -passin pass: -pubout 2>/dev/null) \
    || die 2 "${name}_KEY: expected a private key in PEM format without passphrase, found something else in '$key'"
  [[ $of_cert == "$of_key" ]] || die 2 "${name}_KEY: expected the key of the certificate $cert, found another's" \
    "in '$key'; mount the two that belong together"
}
