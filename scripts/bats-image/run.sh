#!/usr/bin/env bash
# Runs the BATS tests of one package inside the image, with line coverage where kcov is there.
# Needs the package's folder. Leaves /out/report.tap and, from kcov, /out/cov.xml.
set -Eeuo pipefail

PACKAGES=${PACKAGES:-/packages}
OUT=${OUT:-/out}
BATS=${BATS:-/opt/bats/bin/bats}
TOOLS=${BASH_SOURCE[0]%/*}

# Runs the tests. Their report goes to a file: kcov lets lines of its trace through to stdout.
run_bats() {
  "$BATS" --timing --report-formatter tap --output "$OUT" test
}

# Runs the tests under kcov. Every script below PACKAGES counts, also one that no test runs.
run_kcov() {
  kcov --cobertura-only --output-interval=0 --bash-dont-parse-binary-dir --bash-parse-files-in-dir="$PACKAGES" \
    --include-pattern=/rootfs/,/bats-run- --exclude-pattern=.bats,.bash,/stubs/ "$OUT" "$TOOLS/run.sh" "$1"
}

main() {
  cd "$PACKAGES/$1"
  # kcov calls this script again, and says by this variable that it does.
  if [[ -n ${KCOV_BASH_XTRACEFD-} ]]; then
    BASH_ENV=$TOOLS/trace.sh run_bats
  elif type -P kcov >/dev/null; then
    run_kcov "$1"
  else
    run_bats
  fi
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
