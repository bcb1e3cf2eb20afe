{{/* Objects that leaders and serve have alike. All templates here take (dict "root" $ "component" "leader"). */}}

{{- define "catbridge.metadata" -}}
metadata:
  name: {{ include "catbridge.objectName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "catbridge.labels" . | nindent 4 }}
{{- end -}}

{{- define "catbridge.configMap" -}}
apiVersion: v1
kind: ConfigMap
{{ include "catbridge.metadata" . }}
data:
  catbridge.yaml: |
    {{- include "catbridge.settings" . | nindent 4 }}
{{- end -}}

{{- define "catbridge.networkPolicy" -}}
{{- $policy := (index .root.Values .component).networkPolicy -}}
# A policy cannot contain host names: restrict the addresses in your own policies if you know them.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "catbridge.metadata" . }}
spec:
  podSelector:
    matchLabels:
      {{- include "catbridge.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: http
      {{- with $policy.from }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  egress:
    - ports: # DNS
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
    {{- with include "catbridge.egressPorts" . | fromYamlArray }}
    - ports:
        {{- range . }}
        - port: {{ int . }}
        {{- end }}
    {{- end }}
    {{- with $policy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The paths that are published: not those for operators. */}}
{{- define "catbridge.published" -}}
{{- if eq .component "leader" -}}
- /hook/
{{- else -}}
- /configuration-files/
- /api/
- /sse/
- /ofrep/
{{- if dig "serve" "webhooks" false (include "catbridge.given" . | fromYaml) }}
- /hook/
{{- end }}
{{- end -}}
{{- end -}}

{{- define "catbridge.ingress" -}}
{{- $own := index .root.Values .component -}}
{{- $context := . -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
{{ include "catbridge.metadata" . }}
  {{- with $own.ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with $own.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with $own.ingress.tlsSecret }}
  tls:
    - secretName: {{ . }}
      hosts:
        {{- toYaml $own.ingress.hosts | nindent 8 }}
  {{- end }}
  rules:
    {{- range $own.ingress.hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          {{- range include "catbridge.published" $context | fromYamlArray }}
          - path: {{ . }}
            pathType: Prefix
            backend:
              service:
                name: {{ include "catbridge.objectName" $context }}
                port:
                  name: http
          {{- end }}
    {{- end }}
{{- end -}}

{{- define "catbridge.httpRoute" -}}
{{- $own := index .root.Values .component -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
{{ include "catbridge.metadata" . }}
  {{- with $own.httpRoute.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  parentRefs:
    {{- toYaml $own.httpRoute.parentRefs | nindent 4 }}
  {{- with $own.httpRoute.hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - matches:
        {{- range include "catbridge.published" . | fromYamlArray }}
        - path:
            type: PathPrefix
            value: {{ . }}
        {{- end }}
      backendRefs:
        - name: {{ include "catbridge.objectName" . }}
          port: {{ int $own.service.port }}
{{- end -}}
