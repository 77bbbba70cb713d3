#!/usr/bin/env bash
# Upgrades a JupyterHub by refit and by the script of what people type, in turn, and prints
# medians of downtime and wall time: bench-jupyterhub.sh PROGRAM PAIRS
# Needs root. The cluster is brought up for it, and taken down, unless it was up.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/$1 pairs=$2
if [ "$(id -u)" != 0 ]; then echo "bench-jupyterhub: containers need root" >&2; exit 1; fi
hack/image-tools.sh
command -v kubectl > /dev/null || hack/packages.sh kubernetes-client
prober=$(mktemp -d)
started=0
end() {
  rm -rf "$prober"
  if [ "$started" = 1 ]; then "$program" down --name e2e; fi
}
trap end EXIT
go build -C test/e2e -o "$prober/prober" ./prober
if ! "$program" kubeconfig --name e2e > /dev/null 2>&1; then started=1; fi
"$program" up --name e2e
export REFIT_CLUSTER=1 REFIT_TESTBED=$program REFIT_CLUSTER_NAME=e2e REFIT_PROGRAM=$PWD/bin/refit \
  REFIT_PROBER=$prober/prober
go test -C test/e2e ./jupyterhub -run '^TestBaseline$' -count=1 -v -timeout 3h -pairs "$pairs" |
  grep -vE '^(=== |    --- PASS|        --- PASS|PASS|ok )'
