#!/usr/bin/env bash
# Run every fuzz target for a while: fuzz.sh DURATION
# A crasher is kept by Go under testdata/fuzz of its package: commit it with the
# fix, it is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
count=0
for dir in $(hack/packages-with.sh '^func Fuzz[A-Z]'); do
  for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | cut -c6- | sort -u); do
    echo "fuzz: $dir $target for $1"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$dir"
    count=$((count + 1))
  done
done
echo "fuzz: $count targets ran for $1 each without a finding"
