#!/usr/bin/env bash
# Build one pinned tool: install-tool.sh MODULE/PATH@VERSION FILE
set -euo pipefail
module=$1 file=$2
echo "building $module (once)" >&2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Outside of the checkout: the tool's own versions count, not ours. Without GOOS
# and GOARCH of a cross build.
(cd "$dir" && env -u GOOS -u GOARCH GOFLAGS= GOBIN="$dir" go install "$module") || {
  echo "cannot build $module: is the Go module proxy reachable (go env GOPROXY)?" >&2
  exit 1
}
mkdir -p "$(dirname "$file")"
name=${module%@*}
mv "$dir/${name##*/}" "$file.new"
mv "$file.new" "$file"
