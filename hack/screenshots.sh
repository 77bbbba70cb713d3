#!/usr/bin/env bash
# Take the pictures of docs/images: the plan, the live view and the report of the
# upgrade of the guestbook in examples/. Needs tmux, chromium and a font with all
# signs: apt-get install tmux chromium fonts-dejavu-core pngquant. What is seen is real, so
# that a picture differs from the last one in its times; look at them before you
# commit them.
#   screenshots.sh PROGRAM-THAT-MAKES-HTML-OF-A-TERMINAL
set -euo pipefail
html=$1
cd "$(dirname "$0")/.."
repo=$PWD images=$PWD/docs/images
for program in tmux chromium pngquant; do
  command -v "$program" > /dev/null || {
    echo "screenshots: $program is missing: apt-get install tmux chromium fonts-dejavu-core pngquant" >&2
    exit 1
  }
done
work=$(mktemp -d)
export XDG_STATE_HOME=$work/state PATH=$repo/bin:$PATH
tm() { tmux -S "$work/tmux" -f /dev/null "$@"; }
leave() {
  tm kill-server 2> "$work/tmux.log" || true # It has ended already.
  [ ! -e "$work/guestbook/site/guestbook-1.4.0" ] || "$work/guestbook/site/guestbook-1.4.0" stop --dir "$work/guestbook/site" || true
  rm -rf "$work"
}
trap leave EXIT
mkdir -p "$images"

# page FILE WIDTH HEIGHT NAME: a picture of an HTML page.
page() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1.5 \
    --window-size="$2,$3" --screenshot="$images/$4.png" "file://$1" 2> "$work/chromium.log" || {
    cat "$work/chromium.log" >&2
    exit 1
  }
  pngquant --force --ext .png 64 "$images/$4.png"
  echo "docs/images/$4.png"
}

# screen NAME COLUMNS: a picture of what a terminal shows, read from standard input.
screen() {
  local name=$1 columns=$2 lines
  cat > "$work/$name.ansi"
  lines=$(wc -l < "$work/$name.ansi")
  {
    cat <<'HTML'
<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #1c1f26; color: #d7dae0; }
pre { margin: 0; padding: 14px 18px; font: 14px/18px "DejaVu Sans Mono", monospace; }
.term-fg1 { font-weight: bold; color: #f4f6fa; } .term-fg2 { color: #828b9b; }
.term-fg31 { color: #f2777a; } .term-fg32 { color: #8fce7a; } .term-fg33 { color: #f0c674; } .term-fg36 { color: #6cc7d6; }
</style><pre>
HTML
    "$html" < "$work/$name.ansi"
    echo '</pre>'
  } > "$work/$name.html"
  page "$work/$name.html" $((columns * 843 / 100 + 36)) $((lines * 18 + 28)) "$name"
}

# shows TEXT: wait until the terminal shows it.
shows() {
  local i
  for i in $(seq 300); do
    if ! tm has-session 2> "$work/tmux.log"; then break; fi
    if tm capture-pane -p | grep -qF -- "$1"; then
      return
    fi
    sleep 0.1
  done
  echo "screenshots: the terminal does not show $1:" >&2
  tm capture-pane -p >&2 || true # It has ended.
  exit 1
}

cd "$work"
"$repo/examples/guestbook/place" guestbook 127.0.0.1:8080 none > "$work/place.log"
cd guestbook
# So many that the migration takes long enough to be seen.
awk 'BEGIN { for (i = 0; i < 250000; i++) printf "Visitor %d\tI was here for the %dth time.\n", i % 3000, i }' > "$work/more.txt"
site/guestbook-1.4.0 import --dir site "$work/more.txt" > "$work/import.log"
site/guestbook-1.4.0 start --dir site > "$work/start.log"
refit plan platform.yaml --to 2.0.0 --save plan.json --color always --width 100 2> "$work/plan.log" | screen plan 100

tm new-session -d -x 104 -y 34 "exec env TERM=xterm-256color refit apply plan.json --yes --run guestbook-1"
shows "a approve"
tm send-keys a
shows "y approve"
tm send-keys y
shows "of 5 (80"
tm capture-pane -p -e | screen live 104
for i in $(seq 300); do
  if ! tm has-session 2> "$work/tmux.log"; then break; fi
  sleep 0.2
done
refit report guestbook-1 --save "$work/report.html" > "$work/report.log"
page "$work/report.html" 1100 1400 report
