#!/usr/bin/env bash
# The figures of the cluster: bench-cluster.sh PROGRAM CYCLES [COLD]
# With COLD it is also built from empty caches, in a folder that is removed.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/$1 cycles=$2 cold=${3:-}
echo "load at the beginning: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
if [ -n "$cold" ]; then
  dir=$(mktemp -d)
  trap 'chmod -R u+w "$dir" && rm -rf "$dir"' EXIT
  begin=$SECONDS
  GOCACHE=$dir/build GOMODCACHE=$dir/modules XDG_CACHE_HOME=$dir/cache "$program" build
  echo "build from empty caches: $((SECONDS - begin)) s, goal 900 s"
  echo "disk of all caches together: $(du -sm "$dir" | cut -f1) MiB, goal 12288 MiB"
fi
"$program" build 2>/dev/null
REFIT_CLUSTER=1 REFIT_TESTBED=$program go test -C test/cluster ./accept -count=1 -timeout 60m -v \
  -run '^TestCycles$' -cycles="$cycles" -goals
