{{/* The names and labels of every object. One release a namespace: the operator's Lease has one name. */}}

{{- define "coregit.fullname" -}}
{{- default "coregit" .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Names of objects without a namespace carry the release's. */}}
{{- define "coregit.clusterName" -}}
{{- printf "%s-%s" (include "coregit.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "coregit.secretName" -}}
{{- default (include "coregit.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{/* (list root component) */}}
{{- define "coregit.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: coregit
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* (list root component) */}}
{{- define "coregit.labels" -}}
{{- $root := index . 0 -}}
{{ include "coregit.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list root component name [annotations]): metadata of an object in the release's namespace. */}}
{{- define "coregit.metadata" -}}
{{- $root := index . 0 -}}
{{- $annotations := merge (dict) (ternary (index . (sub (len .) 1)) (dict) (gt (len .) 3)) $root.Values.commonAnnotations -}}
name: {{ index . 2 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "coregit.labels" (list $root (index . 1)) | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Annotations of a hook: (list events weight deletePolicy). Its log is shown when it fails. */}}
{{- define "coregit.hook" -}}
helm.sh/hook: {{ index . 0 }}
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: {{ index . 2 }}
helm.sh/hook-output-log-policy: hook-failed
{{- end -}}
