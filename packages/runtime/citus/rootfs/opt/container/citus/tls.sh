#!/usr/bin/env bash
# The certificate of a new cluster, by which the nodes of Citus connect to one another over TLS. Sourced by node.sh.

CITUS_CERTIFICATE_PID="" # the process that makes the certificate of a new cluster

# The ciphers that Citus itself sets with a certificate of its own (CITUS_DEFAULT_SSL_CIPHERS in its utils/enable_ssl.c, 11.3 and 13.2).
CITUS_CIPHERS=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384
CITUS_CIPHERS+=:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384

# Begins to make the certificate, beside initdb.
citus_certificate_begin() {
  startup_spawn citus_make_certificate
  CITUS_CERTIFICATE_PID=$SPAWNED_PID
}

# Puts the certificate beside what initdb made; makes it now if an earlier start, broken off, was the one that ran initdb.
citus_certificate_end() {
  if [[ -z $CITUS_CERTIFICATE_PID ]]; then citus_certificate_begin; fi
  startup_wait "$CITUS_CERTIFICATE_PID" || startup_checkpoint
  if [[ ! -e $STATE_DIR/citus.tls/server.crt ]]; then return 0; fi
  # The certificate last, as Citus does it: broken off before, both are made anew, and it does so itself with one that is not whole.
  mv -- "$STATE_DIR"/citus.tls/server.{key,crt} "$PGDATA/"
  if citus_tls_is_ours; then printf '%s\n' "ssl = 'on'" "ssl_ciphers = '$CITUS_CIPHERS'" >>"$PGDATA/postgresql.auto.conf"; fi
}

# Gives 0 if nobody but us says anything about TLS, nor might do so in another file. Then Citus would turn it on while it makes the
# extension, by ALTER SYSTEM and a reload, which takes longer than the same two lines before the server starts.
citus_tls_is_ours() {
  # Not where Patroni calls: what there is to know was process 1's to gather.
  local text=${CONFIG_TEXT-}
  [[ -n $text ]] || return 1
  text=${text/$'\n'"include_if_exists '"/}
  text="${text/"$CITUS_CONNINFO"/} ${POSTGRES_ARGS[*]} ${POSTGRES_INITDB_ARGS-}"
  if [[ ${text,,} == *ssl* || ${text,,} == *conninfo* || ${text,,} == *$'\ninclude'* ]]; then return 1; fi
  # initdb's own file has comments only, unless an image has another one for it to copy.
  ! grep -Eiq '^[[:space:]]*(ssl|include|citus)' "$PGDATA/postgresql.conf"
}

# Makes the certificate by which nodes connect over TLS, unless the user gave one. Citus would make one itself, but of RSA, which may take
# a quarter of a second. Like Citus' own it proves nothing but that it is the same.
citus_make_certificate() {
  local key=$STATE_DIR/citus.tls/server.key cert=$STATE_DIR/citus.tls/server.crt
  if [[ ${CONFIG_TEXT-} == *$'\nssl = '* || -e $PGDATA/server.crt ]] || ! type -P openssl >/dev/null; then return 0; fi
  umask 077
  mkdir -p -- "${key%/*}"
  openssl req -new -x509 -days 36500 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=citus-auto-ssl \
    -keyout "$key" -out "$cert" 2>/dev/null || rm -f -- "$key" "$cert"
}
