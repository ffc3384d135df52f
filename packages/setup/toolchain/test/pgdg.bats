#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a test has a shell of its own; status and output come from run
load ../../base/test/helper

setup() {
  prepare_stubs
  PGDG=$BATS_TEST_DIRNAME/../rootfs/mnt/setup/setup-toolchain/pgdg/pgdg.sh
  export APT_ROOT=$BATS_TEST_TMPDIR/root APT_SECRETS=$BATS_TEST_TMPDIR/secrets KEY=$BATS_TEST_TMPDIR/key.gpg
  mkdir -p "$APT_ROOT/etc/apt/sources.list.d" "$APT_SECRETS" "$BATS_TEST_TMPDIR/copy"
  LIST=$APT_ROOT/etc/apt/sources.list.d/pgdg.list
}

# Runs functions of pgdg.sh in a shell of their own.
with_pgdg() {
  run "$1" bash -c 'set -Eeuo pipefail; source "$1"; refuse() { echo "$*"; exit 2; }; '"$2" bash "$PGDG"
}

# Makes a file that begins like a key, with a first packet of five bytes and another after it.
make_key() { printf '\x99\x00\x05hello\xb4\x02xx' >"$KEY"; }

# The fingerprint of it.
key_sum() { printf '\x99\x00\x05hello' | sha1sum | cut -c1-40 | tr a-f A-F; }

@test "sourcing pgdg.sh does nothing but define functions" {
  with_pgdg -0 'type -t pgdg_fingerprint pgdg_check_key pgdg_line pgdg_enable pgdg_keep | sort -u'
  [ "$output" = function ]
}

@test "pgdg_fingerprint sums the key's first packet alone" {
  make_key
  with_pgdg -0 'pgdg_fingerprint "$KEY"; echo "$REPLY"'
  [ "$output" = "$(key_sum)" ]
}

@test "pgdg_fingerprint agrees with GnuPG" {
  command -v gpg >/dev/null || skip 'needs GnuPG'
  export GNUPGHOME=$BATS_TEST_TMPDIR/gnupg
  mkdir -m 700 "$GNUPGHOME"
  gpg --batch --quiet --passphrase '' --quick-generate-key test@example.org rsa2048 sign never 2>/dev/null
  gpg --batch --export >"$KEY"
  expected=$(gpg --batch --with-colons --fingerprint | awk -F: '$1 == "fpr" { print $10; exit }')
  gpgconf --kill all
  with_pgdg -0 'pgdg_fingerprint "$KEY"; echo "$REPLY"'
  [ "$output" = "$expected" ]
}

@test "pgdg_fingerprint gives nothing for what is no public key" {
  echo '-----BEGIN PGP PUBLIC KEY BLOCK-----' >"$KEY"
  with_pgdg -0 'pgdg_fingerprint "$KEY"; echo "<$REPLY>"'
  [ "$output" = '<>' ]
}

@test "pgdg_check_key takes the key with the published fingerprint, and no other" {
  make_key
  SUM=$(key_sum) with_pgdg -0 'PGDG_FINGERPRINT=$SUM; pgdg_check_key "$KEY"'
  SUM=$(key_sum) with_pgdg -2 'pgdg_check_key "$KEY"'
  [ "$output" = "$KEY: expected the key B97B0AFCAA1A47F044F244A07FCC7D46ACCC4CF8, found $(key_sum)" ]
}

@test "pgdg_check_key says that there is no key, or none that it can read" {
  with_pgdg -2 'pgdg_check_key "$KEY"'
  [[ $output == "expected the key of the PostgreSQL project at $KEY, found none: "* ]]
  echo text >"$KEY"
  with_pgdg -2 'pgdg_check_key "$KEY"'
  [[ $output == *'found no public key' ]]
}

@test "pgdg_line names key, address and suite" {
  with_pgdg -0 'pgdg_line bookworm https://mirror.invalid/apt/; echo "$REPLY"'
  [ "$output" = 'deb [signed-by=/usr/share/postgresql-common/pgdg/apt.postgresql.org.gpg] https://mirror.invalid/apt bookworm-pgdg main' ]
}

@test "pgdg_enable adds the line to a copy of the site's sources, which APT reads alone" {
  printf 'deb http://site x main' >"$APT_SECRETS/apt-sources"
  echo proxy >"$APT_SECRETS/apt-conf"
  with_pgdg -0 'pgdg_enable trixie https://m.invalid "$BATS_TEST_TMPDIR/copy"; cat "$APT_SECRETS/apt-sources" "$APT_SECRETS/apt-conf"'
  [ "${lines[0]}" = 'deb http://site x main' ]
  [[ ${lines[1]} == *' https://m.invalid trixie-pgdg main' ]]
  [ "${lines[2]}" = proxy ]
  [ "$(cat "$APT_SECRETS/apt-sources")" = 'deb http://site x main' ]
  [ ! -e "$LIST" ]
}

@test "pgdg_enable adds a list of its own where the site gave no sources" {
  with_pgdg -0 'pgdg_enable trixie https://m.invalid "$BATS_TEST_TMPDIR/copy"; echo "$APT_SECRETS"'
  [ "$output" = "$APT_SECRETS" ]
  grep -q ' https://m.invalid trixie-pgdg main$' "$LIST"
}

@test "pgdg_keep leaves the project's own server, whatever the build used" {
  with_pgdg -0 'pgdg_enable trixie https://m.invalid "$BATS_TEST_TMPDIR/copy"; pgdg_keep trixie'
  run -0 cat "$LIST"
  [[ ${#lines[@]} -eq 1 && $output == *' https://apt.postgresql.org/pub/repos/apt trixie-pgdg main' ]]
}
