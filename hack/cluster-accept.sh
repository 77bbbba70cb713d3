#!/usr/bin/env bash
# The tests of a real cluster: build it, bring it up, test it, take it down.
# cluster-accept.sh PROGRAM [GO TEST FLAGS]
# Without root only what needs none is tested: kwok.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/$1
shift
"$program" build
REFIT_CLUSTER=1 REFIT_TESTBED=$program go test -C test/cluster ./accept -count=1 -timeout 30m "$@"
