#!/usr/bin/env bash
# Install the hubs that tests talk to, each in a folder of its own: jupyterhub.sh FOLDER
# Only what is missing is installed. Without python3 nothing is, and the tests say so.
set -euo pipefail
dir=$1
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  echo "jupyterhub: no python3 with venv here, tests on real hubs are skipped" >&2
  exit 0
fi

# hub VERSION PACKAGE... What was released later than a hub and no longer fits it is
# named with it. The second one brings what a user works in.
hub() {
  local version=$1 new="$dir/$1.new"
  shift
  [[ -e "$dir/$version/bin/jupyterhub" ]] && return
  echo "installing jupyterhub $version (once)" >&2
  rm -rf "$new"
  python3 -m venv "$new"
  "$new/bin/pip" install --quiet --disable-pip-version-check --no-compile "jupyterhub==$version" "$@"
  # Programs of a virtual environment hold its path in their first line.
  find "$new/bin" -type f -exec sed -i "1s|$new/|$dir/$version/|" {} +
  mv "$new" "$dir/$version"
}

mkdir -p "$dir"
exec 9>"$dir/lock"
if command -v flock >/dev/null; then flock 9; fi
hub 3.0.0 SQLAlchemy==1.4.54 &
first=$!
hub 5.5.4 "jupyter_server<3"
wait "$first"
