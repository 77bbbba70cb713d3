#!/usr/bin/env bash
# The upgrade of a JupyterHub as the page of Zero to JupyterHub says it, by hand: what
# refit is measured against. The commands are those of the page; the stop and the backup
# that it asks for without saying how are what somebody careful would type. Images are on
# the node already, nothing sleeps, and every command waits for its end by itself.
#   NAMESPACE  RELEASE  CHART (folder)  VALUES (file)  KIND (postgres or sqlite-pvc)
#   IMAGE      with SQLite: an image with cat, for the pod that reads the volume
#   HELM       helm 3; its kubeconfig is KUBECONFIG, as that of kubectl
set -euo pipefail
: "${NAMESPACE:?}" "${RELEASE:?}" "${CHART:?}" "${VALUES:?}" "${KIND:?}" "${HELM:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
k() { kubectl --namespace "$NAMESPACE" "$@"; }

# Nobody writes to the database from here on.
k scale deployment hub --replicas=0
k wait --for=delete pod --selector component=hub --timeout=5m

# "Always backup your database!"
case $KIND in
  postgres)
    k exec db -- sh -c 'PGPASSWORD=$1 exec pg_dump -h 127.0.0.1 -U hub -Fc hub' sh "${DB_PASSWORD:?}" > "$work/backup"
    ;;
  sqlite-pvc)
    k apply -f - << END
apiVersion: v1
kind: Pod
metadata: {name: dump}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
    - name: dump
      image: ${IMAGE:?}
      imagePullPolicy: IfNotPresent
      command: [sleep, "3600"]
      volumeMounts: [{name: db, mountPath: /data}]
  volumes: [{name: db, persistentVolumeClaim: {claimName: hub-db-dir}}]
END
    k wait --for=condition=Ready pod/dump --timeout=5m
    k exec dump -- cat /data/jupyterhub.sqlite > "$work/backup"
    k delete pod dump --now
    ;;
  *)
    echo "baseline: KIND $KIND: one of postgres, sqlite-pvc" >&2
    exit 2
    ;;
esac
if [ ! -s "$work/backup" ]; then echo "baseline: the backup is empty" >&2; exit 1; fi

# upgrade FILE…: values of each file over those before it.
upgrade() {
  local values=() file
  for file in "$@"; do values+=(-f "$file"); done
  "$HELM" upgrade --cleanup-on-fail "$RELEASE" "$CHART" --namespace "$NAMESPACE" "${values[@]}" --wait --timeout 10m
}
if [ "$KIND" = postgres ]; then
  # "In your config.yaml, add … upgrade: true", then "Remove the lines … and do another".
  printf 'hub: {db: {upgrade: true}}\n' > "$work/upgrade.yaml"
  upgrade "$VALUES" "$work/upgrade.yaml"
fi
upgrade "$VALUES"
