{{/* What pods have in common. */}}

{{- define "coregit.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{/* (list root variable key): a variable from the Secret of keys. */}}
{{- define "coregit.keyEnv" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "coregit.secretName" (index . 0) }}
      key: {{ index . 2 }}
{{- end -}}

{{/* Settings of the roles that serve. */}}
{{- define "coregit.settings" -}}
{{- $v := .Values -}}
- name: COREGIT_BLOB_STORE
  value: {{ $v.blobStore | quote }}
- name: COREGIT_DATA_DIR
  value: /var/cache/coregit
- name: COREGIT_CACHE_MAX_BYTES
  value: {{ $v.cache.maxBytes | quote }}
- name: COREGIT_LISTEN
  value: 0.0.0.0:8080
- name: COREGIT_LOG_FORMAT
  value: json
- name: COREGIT_LOG_LEVEL
  value: {{ $v.logLevel }}
- name: COREGIT_MAX_PACK_BYTES
  value: {{ $v.maxPackBytes | quote }}
- name: COREGIT_PACK_RETENTION
  value: {{ $v.packRetention | quote }}
{{- with $v.publicUrl }}
- name: COREGIT_PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
{{- with $v.allowedHosts }}
- name: COREGIT_ALLOWED_HOSTS
  value: {{ join "," . | quote }}
{{- end }}
{{- end -}}

{{/* (list root component): where traces go; nothing without an endpoint. */}}
{{- define "coregit.tracing" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.tracing -}}
{{- if .endpoint -}}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ include "coregit.fullname" $root }}-{{ index $ 1 }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name={{ $root.Release.Namespace }},service.version={{ $root.Chart.AppVersion }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .sampleRatio | quote }}
{{- with .existingSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: headers
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* (list root component): the pod's fields that the values of a component decide. */}}
{{- define "coregit.placement" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $v := index $root.Values $component -}}
terminationGracePeriodSeconds: {{ $v.terminationGracePeriodSeconds }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if $v.topologySpreadConstraints }}
  {{- toYaml $v.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "coregit.selector" (list $root $component) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end -}}

{{- define "coregit.podSecurity" -}}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* (list root component): how a container that serves is probed, mounted and confined. */}}
{{- define "coregit.servingContainer" -}}
{{- $root := index . 0 -}}
{{- $v := index $root.Values (index . 1) -}}
ports:
  - name: http
    containerPort: 8080
{{- if eq (index . 1) "api" }}
  - name: metrics
    containerPort: 8081
{{- end }}
startupProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
resources:
  {{- toYaml $v.resources | nindent 2 }}
securityContext:
  {{- toYaml $root.Values.containerSecurityContext | nindent 2 }}
{{- with $root.Values.blobStoreCredentials.existingSecret }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
volumeMounts:
  - name: cache
    mountPath: /var/cache/coregit
  - name: tmp
    mountPath: /tmp
{{- if hasPrefix "file:" $root.Values.blobStore }}
  - name: packs
    mountPath: {{ trimPrefix "file://" $root.Values.blobStore | quote }}
{{- end }}
{{- with $v.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* (list root component) */}}
{{- define "coregit.servingVolumes" -}}
{{- $root := index . 0 -}}
{{- $v := index $root.Values (index . 1) -}}
volumes:
  - name: cache
    emptyDir:
      sizeLimit: {{ $root.Values.cache.sizeLimit }}
  - name: tmp
    emptyDir:
      sizeLimit: 1Gi
{{- if hasPrefix "file:" $root.Values.blobStore }}
  - name: packs
    persistentVolumeClaim:
      claimName: {{ default (printf "%s-packs" (include "coregit.fullname" $root)) $root.Values.blobVolume.existingClaim }}
{{- end }}
{{- with $v.extraVolumes }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The confined container of a job, and what it writes to. */}}
{{- define "coregit.jobContainer" -}}
image: {{ include "coregit.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  {{- toYaml .Values.jobs.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.containerSecurityContext | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: cache
    mountPath: /var/cache/coregit
{{- with .Values.jobs.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "coregit.jobVolumes" -}}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 100Mi
  - name: cache
    emptyDir:
      sizeLimit: 100Mi
{{- with .Values.jobs.extraVolumes }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
