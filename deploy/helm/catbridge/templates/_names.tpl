{{/*
Names and labels. Templates of a component, leader or serve, pass (dict "root" $ "component" "leader").
*/}}

{{- define "catbridge.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of the leaders' objects. There is room for the endings of others. */}}
{{- define "catbridge.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "catbridge.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "catbridge.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "catbridge.objectName" -}}
{{- include "catbridge.fullname" .root }}{{ if eq .component "serve" }}-serve{{ end -}}
{{- end -}}

{{- define "catbridge.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "catbridge.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "catbridge.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The labels that select the pods of a component. They never change. */}}
{{- define "catbridge.selector" -}}
app.kubernetes.io/name: {{ include "catbridge.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The labels of all objects. */}}
{{- define "catbridge.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "catbridge.labels" -}}
{{ include "catbridge.selector" . }}
{{ include "catbridge.commonLabels" .root }}
{{- end -}}

{{/* The metadata of an object that belongs to both components. */}}
{{- define "catbridge.sharedLabels" -}}
app.kubernetes.io/name: {{ include "catbridge.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{ include "catbridge.commonLabels" . }}
{{- end -}}
