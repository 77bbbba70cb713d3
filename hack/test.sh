#!/usr/bin/env bash
# Run go test and say afterwards where the time went: test.sh [FLAG...] PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT
start=$SECONDS
status=0
# Packages without tests are noise here; archtest and review see to it that
# there are not too many.
# Real servers of databases and hubs take minutes on a busy machine.
# Tests in a cluster, TestCluster…, are left to make e2e, which has one.
go test -timeout 10m -skip '^TestCluster' "$@" 2>&1 | tee "$out" | grep --line-buffered -v "\[no test files\]" || status=${PIPESTATUS[0]}
echo
echo "slowest packages:"
awk '$1 == "ok" && $3 ~ /s$/ {sub(/s$/, "", $3); printf "  %8.2fs  %s\n", $3, $2}' "$out" | sort -rn | head -5
ok=$(grep -c '^ok' "$out" || true)
failed=$(grep -c '^FAIL.*github.com' "$out" || true)
cached=$(grep -c '(cached)' "$out" || true)
echo "test: $ok packages ok ($cached from the cache), $failed failed, $((SECONDS - start))s"
exit "$status"
