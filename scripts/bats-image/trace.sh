# shellcheck shell=bash
# Read by every bash that kcov watches (BASH_ENV). Like kcov's own, which fails under "set -u" where there is no file.
# shellcheck disable=SC2016 # expanded with every line that is traced
PS4='kcov@${BASH_SOURCE-}@${LINENO-}@'
# Of BATS itself only the process that runs the tests is of interest: some of them source our scripts.
case ${0##*/} in
  bats-exec-test) set -x ;;
  bats | bats-*) ;;
  *) set -x ;;
esac
