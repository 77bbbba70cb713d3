{{- define "jupyterhub.labels" -}}
app: jupyterhub
chart: {{ .Chart.Name }}-{{ .Chart.Version }}
release: {{ .Release.Name }}
heritage: {{ .Release.Service }}
{{- end }}

{{- define "jupyterhub.selector" -}}
app: jupyterhub
release: {{ .Release.Name }}
{{- end }}

{{- /* What the Secret hub holds under a key now, "" when it is not there. lookup finds
nothing without a cluster, so that helm template prints made up values. */ -}}
{{- define "jupyterhub.kept" -}}
{{- $secret := lookup "v1" "Secret" .root.Release.Namespace "hub" -}}
{{- if and $secret (hasKey ($secret.data | default dict) .key) -}}
{{- index $secret.data .key | b64dec -}}
{{- end -}}
{{- end }}

{{- define "jupyterhub.proxyToken" -}}
{{- .Values.proxy.secretToken | default (include "jupyterhub.kept" (dict "root" . "key" "hub.config.ConfigurableHTTPProxy.auth_token")) | default (randAlphaNum 64) -}}
{{- end }}

{{- define "jupyterhub.cookieSecret" -}}
{{- $config := dig "JupyterHub" "cookie_secret" "" .Values.hub.config -}}
{{- .Values.hub.cookieSecret | default $config | default (include "jupyterhub.kept" (dict "root" . "key" "hub.config.JupyterHub.cookie_secret")) | default (randAlphaNum 32 | sha256sum) -}}
{{- end }}

{{- define "jupyterhub.cryptKeys" -}}
{{- $config := dig "CryptKeeper" "keys" list .Values.hub.config | join ";" -}}
{{- $config | default (include "jupyterhub.kept" (dict "root" . "key" "hub.config.CryptKeeper.keys")) | default (randAlphaNum 32 | sha256sum) -}}
{{- end }}
