#!/usr/bin/env bash
# Install what is missing of Debian packages: packages.sh PACKAGE...
# For tests that are not skipped in CI, such as those in other shells and in a browser.
set -euo pipefail
missing=()
for package in "$@"; do
  dpkg -s "$package" > /dev/null 2>&1 || missing+=("$package")
done
if [ "${#missing[@]}" = 0 ]; then
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "packages: missing: ${missing[*]}: install them as root" >&2
  exit 1
fi
echo "installing ${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
