#!/usr/bin/env bash
# Sees to it that hledger, ledger and beancount are there, for the tests of the journals that we
# write for them: installs them by the system's package manager where that is possible. Says so and
# goes on where it is not; whether tests may go without is the tests' to judge: not where CI or
# BAHI_ACCOUNTING=required is set.
set -euo pipefail

if [ "${BAHI_ACCOUNTING:-}" = none ]; then
    exit 0
fi
missing=()
command -v hledger >/dev/null || missing+=(hledger)
command -v ledger >/dev/null || missing+=(ledger)
{ command -v bean-check && command -v bean-query; } >/dev/null || missing+=(beancount)
if [ "${#missing[@]}" -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "No ${missing[*]}, and no apt-get to install them." >&2
    exit 0
fi

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
echo "Installing ${missing[*]}, for the tests of journals"
{
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends "${missing[@]}" >/dev/null
} || echo 'They could not be installed.' >&2
