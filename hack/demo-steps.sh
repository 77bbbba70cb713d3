# What demonstrations have in common; sourced by them.

say() { printf '\n\033[1m── %s\033[0m\n' "$*"; }
if [ ! -t 1 ] || [ -n "${NO_COLOR-}" ]; then
  say() { printf '\n── %s\n' "$*"; }
fi

# part WHAT: a heading; how long the part before it took.
began=$SECONDS
part() {
  took
  say "$*"
}
took() {
  if [ -n "${in_part-}" ]; then
    printf '\n(%ds)\n' "$((SECONDS - began))"
  fi
  began=$SECONDS
  in_part=yes
}

# typed COMMAND…: the command as one would type it.
typed() {
  local word
  printf '\n$'
  for word in "$@"; do
    case $word in
      *[!-A-Za-z0-9_./:=]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  echo
}

# ends CODE COMMAND…: print and run a command that must end with CODE. It has the
# terminal, if there is one.
ends() {
  local want=$1 got=0
  shift
  typed "$@"
  "$@" 2>&1 || got=$?
  if [ "$got" != "$want" ]; then
    echo "demo: exit code $got, but $want is right here" >&2
    exit 1
  fi
  [ "$got" = 0 ] || echo "(exit code $got)"
}

# digest N: the Nth digest of the plan as people see it: the plan, then its stages.
digest() { refit plan show plan.json | sed -n 's/^  Digest *//p' | sed -n "$1p"; }
