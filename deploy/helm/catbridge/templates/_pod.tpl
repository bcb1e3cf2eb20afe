{{/* The volumes of a component's pods. */}}
{{- define "catbridge.volumes" -}}
- name: config
  configMap:
    name: {{ include "catbridge.objectName" . }}
{{- with include "catbridge.files" . | fromYamlArray }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range . }}
      - secret:
          name: {{ .secret }}
          {{- if .key }}
          items:
            - key: {{ .key | quote }}
              path: {{ .file }}
          {{- end }}
      {{- end }}
{{- end }}
{{- if and (eq .component "serve") .root.Values.serve.snapshots }}
- name: snapshots
  emptyDir: {}
{{- end }}
{{- with (index .root.Values .component).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "catbridge.volumeMounts" -}}
- name: config
  mountPath: /etc/catbridge
  readOnly: true
{{- if include "catbridge.files" . | fromYamlArray }}
- name: secrets
  mountPath: /run/secrets/catbridge
  readOnly: true
{{- end }}
{{- if and (eq .component "serve") .root.Values.serve.snapshots }}
- name: snapshots
  mountPath: /var/lib/catbridge
{{- end }}
{{- with (index .root.Values .component).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The variables of a component's container. */}}
{{- define "catbridge.environment" -}}
{{- $own := index .root.Values .component -}}
{{- with $own.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What the pods of components and of tests have in common. */}}
{{- define "catbridge.podCommon" -}}
serviceAccountName: {{ include "catbridge.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- $own := index .root.Values .component }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
The pod template of a component. The settings in a checksum restart the pods, one after the other, after a
change of them. Changes of Secrets need no restart: the processes read the files again.
*/}}
{{- define "catbridge.podTemplate" -}}
{{- $own := index .root.Values .component -}}
{{- $port := include "catbridge.port" . -}}
{{- $spread := or (eq .component "leader") (eq .root.Values.serve.kind "Deployment") -}}
metadata:
  labels:
    {{- include "catbridge.labels" . | nindent 4 }}
    {{- with $own.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "catbridge.settings" . | sha256sum }}
    {{- if and (eq .component "leader") (include "catbridge.metrics" .) (not .root.Values.serviceMonitor.enabled) }}
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ $port | quote }}
    {{- end }}
    {{- with $own.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "catbridge.podCommon" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ int $own.terminationGracePeriodSeconds }}
  {{- if $own.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml $own.topologySpreadConstraints | nindent 4 }}
  {{- else if $spread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "catbridge.selector" . | nindent 10 }}
  {{- end }}
  {{- if $own.affinity }}
  affinity:
    {{- toYaml $own.affinity | nindent 4 }}
  {{- else if $spread }}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "catbridge.selector" . | nindent 16 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "catbridge.image" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .component }}, --config=/etc/catbridge/catbridge.yaml]
      {{- with include "catbridge.environment" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      ports:
        - name: http
          containerPort: {{ $port }}
          {{- if and (eq .component "serve") (gt (int .root.Values.serve.hostPort) 0) }}
          hostPort: {{ int .root.Values.serve.hostPort }}
          {{- end }}
      securityContext:
        {{- toYaml .root.Values.securityContext | nindent 8 }}
      # With --address the probes read no settings, so invalid ones, which the process rejects, do not
      # end it. It lives without Redis.
      livenessProbe:
        exec:
          command: [/catbridge, health, "--address=127.0.0.1:{{ $port }}"]
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        exec:
          command: [/catbridge, ready, "--address=127.0.0.1:{{ $port }}"]
        periodSeconds: 5
        timeoutSeconds: 5
      {{- with $own.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- include "catbridge.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "catbridge.volumes" . | nindent 4 }}
{{- end -}}
