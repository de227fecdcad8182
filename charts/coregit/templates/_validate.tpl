{{/* What the schema of the values cannot say. Each refusal is a sentence with the way out. */}}

{{- define "coregit.validate" -}}
{{- $v := .Values -}}
{{- if and $v.existingSecret (or $v.databaseUrl $v.encryptionKey $v.masterKey) -}}
{{- fail "existingSecret is set, so databaseUrl, encryptionKey and masterKey belong into that Secret and not into the values." -}}
{{- end -}}
{{- if and $v.postgresql.enabled $v.databaseUrl -}}
{{- fail "postgresql.enabled and databaseUrl name two databases: set one of them." -}}
{{- end -}}
{{- $isFile := hasPrefix "file:" $v.blobStore -}}
{{- $hasVolume := or $v.blobVolume.existingClaim $v.blobVolume.size -}}
{{- if and $isFile (not $hasVolume) -}}
{{- fail "blobStore is a folder, which all pods must share: set blobVolume.existingClaim, or blobVolume.size to make a ReadWriteMany claim." -}}
{{- end -}}
{{- if and $hasVolume (not $isFile) -}}
{{- fail "blobVolume is for a blobStore of the form file:///dir." -}}
{{- end -}}
{{- if and $v.blobVolume.existingClaim $v.blobVolume.size -}}
{{- fail "blobVolume.existingClaim is there already: leave blobVolume.size empty." -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
{{- fail "ingress.enabled needs ingress.hosts." -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) -}}
{{- fail "gateway.enabled needs gateway.parentRefs: the Gateways that the route joins." -}}
{{- end -}}
{{- if and (not $v.rbac.enabled) (include "coregit.createsKeys" .) -}}
{{- fail "Without rbac.enabled no job can make keys: set existingSecret, or all of databaseUrl, encryptionKey and masterKey." -}}
{{- end -}}
{{- if and $v.rbac.aggregate.enabled $v.operator.namespaces -}}
{{- fail "rbac.aggregate.enabled makes ClusterRoles, which an installation with operator.namespaces does not have." -}}
{{- end -}}
{{- end -}}

{{/* "true" where a hook job completes the Secret: neither an existing one nor the values have every key. */}}
{{- define "coregit.createsKeys" -}}
{{- $v := .Values -}}
{{- if not (or $v.existingSecret (and $v.databaseUrl $v.encryptionKey $v.masterKey)) -}}true{{- end -}}
{{- end -}}
