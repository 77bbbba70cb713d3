#!/usr/bin/env bash
# Rewrite what tests compare with: golden files and generated pages. Both are
# written by tests that define the flag -update.
# update.sh [docs]   with docs: only the tests whose names start with TestDocs
set -euo pipefail
cd "$(dirname "$0")/.."
run=()
if [ "${1-}" = docs ]; then
  run=(-run '^TestDocs')
fi
for dir in $(hack/packages-with.sh 'flag\.Bool\("update"'); do
  go test "$dir" "${run[@]}" -count=1 -update
done
