#!/usr/bin/env bash
# A real JupyterHub on a real Kubernetes of this machine is upgraded from 3.0.0 to 5.5.0,
# in two stages, with the procedure that Refit ships: a user works meanwhile, and goes on
# working. Needs root. Every command says beforehand which exit code it must end with, so
# the demonstration is a test as well.
#   KEEP=1   leave the cluster, the hub and the folder as they are
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
# The state of the cluster is where it always is, that of refit in a folder of its own.
beds=${XDG_STATE_HOME:-$HOME/.local/state}
bed() { XDG_STATE_HOME=$beds "$repo/bin/refit-testbed" "$@" --name demo; }
helm=$REFIT_HELM3
if [ "$(id -u)" != 0 ]; then
  echo "demo: a cluster with containers needs root; make demo-service needs none" >&2
  exit 1
fi
# shellcheck source=hack/demo-steps.sh
. hack/demo-steps.sh

work=
started=no
# leave: take down what was brought up, and remove what was made.
leave() {
  local code=$?
  trap - EXIT
  if [ "${KEEP-}" = 1 ] && [ -n "$work" ]; then
    printf '\nKept: cluster demo, and %s\n' "$work"
    echo "To look:   cd $work; export KUBECONFIG=${KUBECONFIG-} XDG_STATE_HOME=$work/state HUB_TOKEN=$HUB_TOKEN PATH=$repo/bin:\$PATH"
    echo "To remove: bin/refit-testbed down --name demo; rm -r $work"
    exit "$code"
  fi
  if [ "$started" = yes ]; then
    bed down > /dev/null || code=1
  fi
  [ -z "$work" ] || rm -rf "$work"
  exit "$code"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

# The service of the hub that Refit is.
HUB_TOKEN=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
export HUB_TOKEN
url=
# hub METHOD PATH: ask the hub.
hub() { curl -sS -X "$1" -H "Authorization: token $HUB_TOKEN" --max-time 30 "$url/hub/api$2"; }
answers() { hub GET / | grep -q '"version"'; }
serves() { hub GET "/users/$1" | grep -q '"ready": true'; }
# began USER: since when the server of a user runs.
began() { hub GET "/users/$1" | grep -o '"started": "[^"]*"'; }
# within WHAT COMMAND…: ask once a second until the answer is yes.
within() {
  local what=$1 i
  shift
  for ((i = 0; i < 300; i++)); do
    if "$@" 2> /dev/null; then return; fi
    sleep 1
  done
  echo "demo: waited five minutes in vain: $what" >&2
  exit 1
}

hack/packages.sh curl
hack/image-tools.sh

part "Building refit, a Kubernetes and the images of JupyterHub; the first time this takes some twenty minutes"
make --no-print-directory build testbed
work=$(mktemp -d)
export XDG_STATE_HOME=$work/state PATH=$repo/bin:$PATH
if ! bed kubeconfig > /dev/null 2>&1; then started=yes; fi
bed up
bed images load busybox configurable-http-proxy \
  jupyterhub-3 jupyter-3 jupyterhub-4 jupyter-4 jupyterhub-5 jupyter-5
KUBECONFIG=$(bed kubeconfig)
export KUBECONFIG
cd "$work"

part "1. A JupyterHub of 2022 is installed by helm: chart 2.0.0 with JupyterHub 3.0.0"
cat > values.yaml << END
hub:
  config:
    JupyterHub: {admin_access: true, authenticator_class: dummy}
    Authenticator: {allow_all: true}
  db: {pvc: {storage: 50Mi}}
  services: {refit: {apiToken: $HUB_TOKEN}}
  loadRoles:
    refit:
      services: [refit]
      scopes: ["admin:users", "list:users", "read:servers", servers, "delete:servers"]
singleuser:
  storage: {capacity: 50Mi}
END
charts=$repo/test/e2e/jupyterhub/chart
ends 0 "$helm" install jhub "$charts/2.0.0" --namespace jhub --create-namespace --values values.yaml --wait --timeout 8m
url=http://$("$helm" status jhub --namespace jhub --show-resources | awk '$1 == "proxy-public" {print $3}')
within "the hub answers" answers

part "2. Ada works: she has a server with a volume, in a pod of her own"
hub POST /users/ada > /dev/null
hub POST /users/ada/server > /dev/null
within "the server of ada" serves ada
before=$(began ada)
echo "the server of ada: $before"

part "3. Refit finds the hub, and says what it could not find out"
ends 0 refit detect
cat > platform.yaml << END
apiVersion: refit.dev/v1alpha1
kind: Platform
metadata: {name: hub}
procedure: jupyterhub
targets:
  cluster: {kind: kubernetes}
inputs:
  release: jhub
  namespace: jhub
  chart: {path: "$charts/{version}"}
  hubImage: "localhost/refit/jupyterhub:{hub}"
  userImage: "localhost/refit/jupyter:{hub}"
  database: {kind: sqlite-pvc}
  url: $url
  token: {env: HUB_TOKEN}
  rehearsed: false
backup: {store: "file://$work/backups"}
allowScratch: true
END
mkdir backups
ends 0 cat platform.yaml

part "4. The plan: what will be done, in which order, what covers what, and how it is taken back"
ends 0 refit plan platform.yaml --to 4.4.0 --save plan.json

part "5. It is carried out; the hub is away for a while, Ada's server is not"
ends 0 refit apply plan.json --run upgrade --digest "$(digest 1)"

part "6. What has come of it: the downtime as it was measured, and Ada's server, which went on"
ends 0 refit status upgrade
ends 0 refit report upgrade --save report.html
ends 0 "$helm" list --namespace jhub
if [ "$(began ada)" != "$before" ]; then
  echo "demo: the server of ada began anew" >&2
  exit 1
fi
echo "the server of ada: $(began ada), as before"
took
printf '\ndemo: done in %ds\n' "$SECONDS"
