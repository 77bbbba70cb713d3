#!/usr/bin/env bash
# What Refit can do today, on a small platform that is really there: a wiki
# installed in a folder. Every command says beforehand which exit code it must
# end with, so the demonstration is a test as well.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/bin/refit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r hack/demo/wiki "$work/wiki"
cp internal/procedure/testdata/broken/ten-mistakes.yaml "$work/wiki/"
cp -r internal/issues/testdata "$work/known"
export XDG_STATE_HOME=$work/state
cd "$work/wiki"
PATH=$(dirname "$program"):$PATH

say() { printf '\n\033[1m── %s\033[0m\n' "$*"; }
if [ ! -t 1 ] || [ -n "${NO_COLOR-}" ]; then
  say() { printf '\n── %s\n' "$*"; }
fi

# ends CODE COMMAND…: print and run a command that must end with CODE.
ends() {
  local want=$1 got=0
  shift
  printf '\n$ %s\n' "$*"
  "$@" 2>&1 || got=$?
  if [ "$got" != "$want" ]; then
    echo "demo-wiki: exit code $got, but $want is right here" >&2
    exit 1
  fi
  [ "$got" = 0 ] || echo "(exit code $got)"
}

# installed VERSION: what somebody does to the wiki behind Refit's back.
installed() {
  echo
  echo "$ cp releases/$1.json site/release.json"
  cp "releases/$1.json" site/release.json
}

say "1. A procedure with ten mistakes: all of them at once, each with its place"
ends 2 refit lint ten-mistakes.yaml

say "2. The procedure of the wiki, and the ways from 1.2.0 to 2.4.1 and to 3.0.0"
ends 0 refit lint platform.yaml procedure.yaml versions.yaml
ends 0 refit procedures paths procedure.yaml --from 1.2.0 --to 2.4.1
ends 2 refit procedures paths procedure.yaml --from 1.2.0 --to 3.0.0

say "2b. What a message means: the known issues of Kubeflow, and of the wiki itself"
ends 0 refit lint issues.yaml ../known/*.yaml
ends 0 refit issues search --procedure ../known/kubeflow.yaml \
  'ERROR Unable to use the drive /data: Drive /data: found backend type fs, expected xl or xl-single'
ends 0 refit issues show storage-secret-left --procedure ../known/pachyderm.yaml
ends 0 refit issues --procedure procedure.yaml

say "3. The plan: observed, frozen, saved; its second stage starts where the first one ends"
ends 0 refit plan platform.yaml --to 2.4.1 --save plan.json

say "4. Nothing has changed: the plan holds"
ends 0 refit check plan.json

say "5. Somebody upgrades the wiki by hand: the plan is refused, and says why"
installed 1.9.0
ends 4 refit check plan.json

say "6. The first stage is done: the second one finds what it expects"
installed 2.0.0
ends 0 refit check plan.json --stage to-2.4.1
installed 1.2.0

say "7. Another path: what would be different"
ends 0 refit plan platform.yaml --to 2.4.1 --via 1.9.0 --diff plan.json

say "8. A plan that was edited by hand is no plan"
sed -i 's/releases\/2.4.1.json/releases\/2.0.0.json/' plan.json
ends 2 refit plan show plan.json

say "9. The plan is carried out; it waits for its approvals before anything is changed"
sed -i 's/    approval: {by: \[owners\], /    approval: {/' procedure.yaml
sed -i '/^windows:/,$d' platform.yaml
sed -i 's|command: \[cp, "../releases/${hop.to}.json", release.json\]|command: [sh, ../power-cut.sh, "../releases/${hop.to}.json"]|' procedure.yaml
cat > power-cut.sh <<'SCRIPT'
# The first time the power fails in the middle of the step: Refit is killed.
if [ ! -e ../cut ]; then
  touch ../cut
  kill -9 "$PPID"
  exit 1
fi
# Somebody has left a lock: the plan has a remedy for that.
if [ -e lock ]; then
  echo "another upgrade holds the lock" >&2
  exit 1
fi
cp "$1" release.json
SCRIPT
touch site/lock
refit plan platform.yaml --to 2.4.1 --save apply.json > /dev/null 2>&1
# digest N: the Nth digest of the plan as people see it: the plan, then its stages.
digest() { refit plan show apply.json | sed -n 's/^  Digest *//p' | sed -n "$1p"; }
ends 5 refit apply apply.json --digest "$(digest 1)"
ends 2 refit approve wiki-prod-1 to-2.0.0 approval --digest "$(digest 3)"
ends 0 refit approve wiki-prod-1 to-2.0.0 approval --digest "$(digest 2)"

say "10. The point of no return is approved by itself, with what hangs on it in view"
ends 0 refit gate wiki-prod-1 to-2.0.0 point-of-no-return
ends 0 refit approve wiki-prod-1 to-2.0.0 point-of-no-return --digest "$(digest 2)"

say "11. kill -9 in the middle of a step"
ends 137 refit drive wiki-prod-1
ends 0 refit status

say "12. The next process looks first, goes on where it was, and mends what it knows"
ends 5 refit drive wiki-prod-1
ends 0 refit done wiki-prod-1 to-2.0.0 tell-authors
ends 5 refit drive wiki-prod-1
ends 0 refit approve wiki-prod-1 --digest "$(digest 3)"
ends 0 refit drive wiki-prod-1

say "13. What has come of it"
ends 0 refit runs
ends 0 refit logs wiki-prod-1 to-2.0.0 install
ends 0 cat site/release.json
