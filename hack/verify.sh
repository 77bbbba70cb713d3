#!/usr/bin/env bash
# Regenerate everything and fail if a file differs from before. It compares
# with the files as they were, not with the last commit, so it also works on a
# tree with changes.
set -euo pipefail
cd "$(dirname "$0")/.."
sums() { git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum 2>/dev/null || true; }
before=$(sums)
make --no-print-directory docs golden >/dev/null
if ! changed=$(diff <(echo "$before") <(sums)); then
  echo "verify: these files were not as their generators write them (they are now):" >&2
  sed -n 's/^> [0-9a-f]*  /  /p' <<<"$changed" >&2
  exit 1
fi
echo "verify: everything generated is as its generator writes it"
