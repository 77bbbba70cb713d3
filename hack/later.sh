#!/usr/bin/env bash
# A target whose subject does not exist yet says so and succeeds; once the
# folder exists the target must be written, so then it fails.
# later.sh FOLDER MESSAGE
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -e "$1" ]; then
  echo "$1 exists, but the Makefile does not run it: write the target" >&2
  exit 1
fi
echo "$2"
