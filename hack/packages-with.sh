#!/usr/bin/env bash
# Print the package folders whose tests hold a text: packages-with.sh REGEXP
set -euo pipefail
cd "$(dirname "$0")/.."
grep -rlE --include='*_test.go' --exclude-dir=testdata --exclude-dir=hack --exclude-dir=cluster --exclude-dir=e2e -- "$1" . |
  while read -r file; do dirname "$file"; done | sort -u
