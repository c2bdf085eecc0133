#!/usr/bin/env bash
# Sees to it that there is a browser with a driver, and a reader of QR codes (zbarimg), for the
# tests of the pages: installs
# them by the system's package manager where that is possible. Says so and goes on where it is not;
# whether tests may go without is the tests' to judge: not where CI or BAHI_BROWSER=required is set.
set -euo pipefail

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

if [ "${BAHI_BROWSER:-}" = none ]; then
    exit 0
fi
if command -v chromedriver >/dev/null && browser >/dev/null && command -v zbarimg >/dev/null; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo 'No chromium with a chromedriver and zbarimg, and no apt-get to install them.' >&2
    exit 0
fi

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
echo 'Installing chromium, chromium-driver and zbar-tools, for the tests of the pages'
{
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends chromium chromium-driver zbar-tools >/dev/null
} || echo 'They could not be installed.' >&2
