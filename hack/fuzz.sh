#!/usr/bin/env bash
# Run every fuzz target for a while: fuzz.sh DURATION
# A crasher is kept by Go under testdata/fuzz of its package: commit it with the
# fix, it is a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."
count=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# fuzz TARGET DURATION FOLDER. On a busy machine Go may report that the time was over
# as a failure. A finding is written to a file, and such an end is not.
fuzz() {
  go test -run '^$' -fuzz "^$1\$" -fuzztime "$2" "$3" 2>&1 | tee "$out" && return
  if grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input written' "$out"; then
    echo "fuzz: $1 found nothing until its time was over"
    return
  fi
  return 1
}

for dir in $(hack/packages-with.sh '^func Fuzz[A-Z]'); do
  for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | cut -c6- | sort -u); do
    echo "fuzz: $dir $target for $1"
    fuzz "$target" "$1" "$dir"
    count=$((count + 1))
  done
done
echo "fuzz: $count targets ran for $1 each without a finding"
