#!/usr/bin/env bash
# A small real service, the guestbook of examples/, is upgraded as a local process:
# planned, approved, backed up, drained, migrated, verified, with its downtime
# measured. Then the upgrade fails, and is taken back. Every command says beforehand
# which exit code it must end with, so the demonstration is a test as well.
#   FAIL=migrate|verify|unknown|lease   where the second upgrade fails, default migrate
#   KEEP=1                              leave folders and servers as they are at the end
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
fail=${FAIL-migrate}
case $fail in
  migrate | verify | unknown | lease) ;;
  *)
    echo "demo: FAIL=$fail is none of migrate, verify, unknown, lease" >&2
    exit 2
    ;;
esac

# shellcheck source=hack/demo-steps.sh
. hack/demo-steps.sh

work=
platforms=() # the folders that may be served
# leave: end the servers that were started and remove what was made.
leave() {
  local code=$? dir
  trap - EXIT
  if [ "${KEEP-}" = 1 ] && [ "${#platforms[@]}" -gt 0 ]; then
    printf '\nKept: %s\n' "$work"
    echo "To go on:  export XDG_STATE_HOME=$XDG_STATE_HOME PATH=$repo/bin:\$PATH"
    for dir in "${platforms[@]}"; do
      echo "To stop:   guestbook-1.4.0 stop --dir $dir"
    done
    echo "To remove: rm -r $work"
    exit "$code"
  fi
  if [ "${#platforms[@]}" -gt 0 ]; then
    for dir in "${platforms[@]}"; do
      [ ! -e "$dir" ] || guestbook-1.4.0 stop --dir "$dir" > "$work/stopped" || code=1
    done
  fi
  [ -z "$work" ] || rm -rf "$work"
  exit "$code"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

# free: an address that is free. Whoever is served at port 0 gets one.
free() {
  mkdir "$work/free"
  echo '{"address": "127.0.0.1:0"}' > "$work/free/guestbook.json"
  platforms+=("$work/free")
  guestbook-1.4.0 start --dir "$work/free" | sed 's|.*http://||' > "$work/address"
  guestbook-1.4.0 stop --dir "$work/free" > "$work/stopped"
  rm -r "$work/free"
  unset "platforms[${#platforms[@]}-1]"
}

# platform NAME FAIL: release 1.4.0 of the guestbook with its entries, served at a
# free port; release 2.0.0 lies ready.
platform() {
  free
  cd "$work"
  platforms+=("$work/$1/site")
  ends 0 "$repo/examples/guestbook/place" "$1" "$(cat address)" "$2"
  cd "$1"
  ends 0 site/guestbook-1.4.0 start --dir site
  ends 0 site/guestbook-1.4.0 write --dir site Grace "It is."
  entries=$(site/guestbook-1.4.0 count --dir site)
}

# keeps RELEASE: it serves, and has the entries that there were before the upgrade.
keeps() {
  ends 0 "site/guestbook-$1" status --is running --dir site
  ends 0 "site/guestbook-$1" count --dir site
  if [ "$("site/guestbook-$1" count --dir site)" != "$entries" ]; then
    echo "demo: before the upgrade there were $entries" >&2
    exit 1
  fi
  echo "(the same as before the upgrade)"
}

# apply RUN CODE [FLAG…]: carry the plan out, with its approval, and end with CODE. The
# live view of a terminal would wait for somebody who approves.
apply() {
  local run=$1 code=$2
  shift 2
  ends 5 refit apply plan.json --run "$run" --digest "$(digest 1)" --view lines
  ends 0 refit approve "$run" --digest "$(digest 2)"
  ends "$code" refit drive "$run" "$@"
}

part "Building refit and both releases of the guestbook; the first time this takes about a minute"
make --no-print-directory build guestbook
work=$(mktemp -d)
export XDG_STATE_HOME=$work/state
export PATH=$repo/bin:$PATH

part "1. A guestbook is being served: release 1.4.0, with 20003 entries"
platform good none

part "2. The plan: what will be done, in which order, what covers what, and how it is taken back"
ends 0 refit plan platform.yaml --to 2.0.0 --save plan.json

part "3. It is carried out; before anything is changed it waits for its approval"
apply good 0

part "4. What has come of it: the downtime as it was measured, and all entries"
ends 0 refit status good
keeps 2.0.0
ends 0 site/guestbook-2.0.0 write --dir site Grace "It still is."
ends 0 refit backup list --store file:backups
ends 0 refit report good --save report.html
refit report good -o json > report.json
awk -F '[:,]' '
  /"component": "(web|writing)"/ {gsub(/[ "]/, "", $2); name = $2}
  /"down":/ && name {seen++; if ($2 <= 0 || $2 > 60e9) bad = 1; name = ""}
  END {if (seen != 2 || bad) {print "demo: the downtime was not measured" > "/dev/stderr"; exit 1}}
' report.json

case $fail in
  migrate)
    part "5. The same, but the disk fills up in the middle of the migration"
    platform bad "$fail"
    refit plan platform.yaml --to 2.0.0 --save plan.json > plan.txt 2>&1
    apply bad 7
    part "6. No release serves a half-migrated database"
    ends 2 site/guestbook-1.4.0 start --dir site
    ends 2 site/guestbook-2.0.0 start --dir site
    part "7. So the stage is taken back, and the database restored from its backup"
    ends 0 refit rollback bad --reason "the disk is full"
    ends 0 refit approve bad rollback --digest "$(digest 1)"
    ends 6 refit drive bad
    keeps 1.4.0
    ends 0 site/guestbook-1.4.0 write --dir site Grace "As if nothing had been."
    ;;
  verify)
    part "5. The same, but the migration loses an entry"
    platform bad "$fail"
    refit plan platform.yaml --to 2.0.0 --save plan.json > plan.txt 2>&1
    apply bad 7
    part "6. The way back of the procedure: the old release with the entries from before"
    ends 0 refit abort bad --reason "an entry is missing"
    ends 6 refit drive bad
    keeps 1.4.0
    ends 0 site/guestbook-1.4.0 write --dir site Grace "All of them are there."
    ;;
  unknown)
    part "5. The same, but refit is killed when the announcement is out"
    platform bad "$fail"
    refit plan platform.yaml --to 2.0.0 --save plan.json > plan.txt 2>&1
    apply bad 137 --view lines # Who is killed leaves the terminal as it is.
    part "6. Nobody can see whether it is out but a person, who looks and says so"
    ends 8 refit drive bad --view lines
    ends 0 cat announced.txt
    ends 0 refit settle bad to-2.0.0 announce done --reason "it is on the list"
    ends 0 refit drive bad
    keeps 2.0.0
    ;;
  lease)
    part "5. The same, but somebody else ends the maintenance mode by hand"
    platform bad "$fail"
    refit plan platform.yaml --to 2.0.0 --save plan.json > plan.txt 2>&1
    apply bad 0
    part "6. What is not Refit's any more is left alone, and told"
    ends 0 refit status bad
    ends 0 site/guestbook-2.0.0 maintenance --dir site
    keeps 2.0.0
    ;;
esac
took
printf '\ndemo: done in %ds\n' "$SECONDS"
