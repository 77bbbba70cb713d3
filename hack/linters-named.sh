#!/usr/bin/env bash
# Every linter of the pinned golangci-lint is named in .golangci.yml: on, or off
# with its reason. So a new linter of a new version is noticed.
# linters-named.sh GOLANGCI_LINT
set -euo pipefail
cd "$(dirname "$0")/.."
missing=0
while read -r name; do
  if ! grep -qw -- "$name" .golangci.yml; then
    echo ".golangci.yml: linter $name is neither on nor off with a reason" >&2
    missing=1
  fi
done < <("$1" linters | sed -nE 's/^([a-z][a-z0-9_]*)( \[deprecated\])?: .*/\1/p')
exit "$missing"
