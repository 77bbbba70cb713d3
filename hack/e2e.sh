#!/usr/bin/env bash
# The tests on real servers, in two tiers: e2e.sh short|full PROGRAM
# short is for every change. full is everything, for hours, before an issue is
# resolved: when all of it has passed, it is written into test/e2e/RECORD.md.
# What it starts it stops; images are made once and stay in the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
tier=$1 program=$PWD/$2
record=test/e2e/RECORD.md
figures=() failed=()

part() {
  local name=$1 start=$SECONDS
  shift
  printf '━━ %s: %s\n' "$tier" "$name"
  local status=0
  "$@" || status=$?
  local took="$((SECONDS - start)) s"
  figures+=("$name $took")
  if [ "$status" != 0 ]; then
    # The others are of interest all the same.
    failed+=("$name")
    printf '━━ %s: %s FAILED after %s\n' "$tier" "$name" "$took"
    return
  fi
  printf '━━ %s: %s took %s\n' "$tier" "$name" "$took"
}

# whole ends with an error when a part has failed.
whole() {
  if [ "${#failed[@]}" = 0 ]; then return; fi
  printf '%s: FAILED after %d s: %s\n' "$tier" "$((SECONDS - begin))" "${failed[*]}" >&2
  exit 1
}

# servers runs the tests of test/e2e, and those of actions that need a cluster, in one
# that is up before they begin, because their packages run at once.
servers() {
  if [ "$(id -u)" != 0 ]; then
    echo "servers: containers need root: not tested"
    return
  fi
  local status=0 started=1
  if "$program" kubeconfig --name e2e > /dev/null 2>&1; then started=0; fi
  "$program" up --name e2e || return
  export REFIT_TESTBED=$program REFIT_CLUSTER_NAME=e2e REFIT_TIER=$tier REFIT_PROGRAM=$PWD/bin/refit
  # What is left to the longer tier is called TestFull….
  local left=()
  if [ "$tier" != full ]; then
    left=(-skip '^TestFull')
    echo "left to make e2e-full: $(grep -rhoE '^func TestFull[A-Za-z]+' test/e2e | cut -c6- | sort | xargs)"
  fi
  REFIT_CLUSTER=1 go test -C test/e2e ./... "${left[@]}" -count=1 -timeout "$1" || status=$?
  REFIT_TEST_KUBECONFIG=$("$program" kubeconfig --name e2e) \
    go test $(clustered) -run '^TestCluster' -count=1 -parallel 4 -timeout "$1" || status=$?
  if [ "$started" = 1 ]; then "$program" down --name e2e; fi
  return "$status"
}

# clustered lists the packages that have tests in a cluster: those that use kubetest.
clustered() {
  go list -f '{{$p := .ImportPath}}{{range .TestImports}}{{if eq . "github.com/refitproject/refit/internal/kube/kubetest"}}{{println $p}}{{end}}{{end}}{{range .XTestImports}}{{if eq . "github.com/refitproject/refit/internal/kube/kubetest"}}{{println $p}}{{end}}{{end}}' ./internal/... | sort -u
}

age() {
  local last
  last=$(grep -E '^\| [0-9]{4}-' "$record" 2>/dev/null | tail -n 1 || :)
  if [ -z "$last" ]; then
    echo "make e2e-full has never passed: $record has no row"
    return
  fi
  local date commit
  date=$(cut -d'|' -f2 <<< "$last" | xargs)
  commit=$(cut -d'|' -f3 <<< "$last" | xargs)
  echo "make e2e-full last passed $((($(date +%s) - $(date -d "$date" +%s)) / 86400)) days ago, at $commit," \
    "$(git rev-list --count "${commit%% *}..HEAD" 2>/dev/null || echo "an unknown number of") commits before this one"
}

begin=$SECONDS
if [ "$(id -u)" = 0 ]; then hack/image-tools.sh; fi
case $tier in
  short)
    part cluster hack/cluster-accept.sh "$2"
    part servers servers 25m
    part fuzz hack/fuzz.sh 10s
    whole
    ;;
  full)
    if [ "$(id -u)" != 0 ]; then echo "e2e-full: containers need root" >&2; exit 1; fi
    part cluster hack/cluster-accept.sh "$2" -timeout 60m -cycles=10 -kills=20
    part servers servers 60m
    part kills make --no-print-directory crash
    part fuzz hack/fuzz.sh 60s
    whole
    commit=$(git rev-parse --short=12 HEAD)
    if [ -n "$(git status --porcelain)" ]; then commit+=" with changes"; fi
    if [ ! -e "$record" ]; then
      printf '# When everything passed\n\n%s\n\n%s\n%s\n' \
        "\`make e2e-full\` adds a row when all of it has passed; see [the test bed](../../docs/how-to/testbed.md)." \
        '| date | commit | machine | figures | in all |' '|---|---|---|---|---|' > "$record"
    fi
    printf '| %s | %s | %s processors, load %s | %s | %d s |\n' "$(date -u +%Y-%m-%d)" "$commit" "$(nproc)" \
      "$(cut -d' ' -f1 /proc/loadavg)" "$(IFS=,; echo "${figures[*]}" | sed 's/,/, /g')" "$((SECONDS - begin))" >> "$record"
    ;;
  *)
    echo "e2e.sh: tier $tier: one of short, full" >&2
    exit 1
    ;;
esac
printf '%s: %d s in all: %s\n' "$tier" "$((SECONDS - begin))" "$(IFS=,; echo "${figures[*]}" | sed 's/,/, /g')"
age
