#!/usr/bin/env bash
# Install what images of the cluster are made with, where it is missing. What a cluster
# needs itself refit-testbed installs.
set -euo pipefail
cd "$(dirname "$0")/.."
hack/packages.sh debootstrap
# Not by the name of the package: others have it too.
command -v npm > /dev/null || hack/packages.sh npm
