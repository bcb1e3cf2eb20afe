{{/*
The settings of a component, leader or serve. All templates here take (dict "root" $ "component" "leader").
*/}}

{{/* The settings that the values give: the common ones, and those of the component, which win. */}}
{{- define "catbridge.given" -}}
{{- $own := index .root.Values .component -}}
{{- toYaml (mustMergeOverwrite (dict) (deepCopy (default dict .root.Values.config)) (deepCopy (default dict $own.config))) -}}
{{- end -}}

{{/*
The files from Secrets, as a list. Each has the name and the key of a Secret, the name of the file in
/run/secrets/catbridge, and the setting that names it. One with the name alone is a whole Secret.
*/}}
{{- define "catbridge.files" -}}
{{- $given := include "catbridge.given" . | fromYaml -}}
{{- $common := .root.Values.secrets -}}
{{- $own := (index .root.Values .component).secrets -}}
{{- $password := ternary $own.redisPassword $common.redisPassword (ne $own.redisPassword.existingSecret "") -}}
{{- $all := list
    (list $password "key" "redis-password" "redis.password_file")
    (list $common.sentinelPassword "key" "sentinel-password" "redis.sentinel_password_file")
    (list $common.redisTLS "ca" "redis-ca.crt" "redis.tls.ca_file")
    (list $common.redisTLS "cert" "redis-client.crt" "redis.tls.cert_file")
    (list $common.redisTLS "key" "redis-client.key" "redis.tls.key_file")
-}}
{{- if or (eq .component "leader") (dig "serve" "webhooks" false $given) -}}
{{- $all = append $all (list $common.webhookKeys "key" "webhook-keys" "webhook_key_files") -}}
{{- end -}}
{{- if eq .component "serve" -}}
{{- $all = concat $all (list
    (list $own.tokens "key" "serve-tokens" "serve.token_files")
    (list $own.eventKeys "key" "event-keys" "serve.event_key_file")
    (list $own.tls "cert" "serve.crt" "serve.tls.cert_file")
    (list $own.tls "key" "serve.key" "serve.tls.key_file")
    (list $own.tls "clientCA" "serve-client-ca.crt" "serve.tls.client_ca_file")
  ) -}}
{{- end -}}
{{- $files := list -}}
{{- if and $common.sdkKeys.existingSecret $given.sdk_keys -}}
{{- $files = append $files (dict "secret" $common.sdkKeys.existingSecret) -}}
{{- else -}}
{{- $all = prepend $all (list $common.sdkKeys "key" "sdk-keys" "sdk_key_file") -}}
{{- end -}}
{{- range $all -}}
{{- $from := index . 0 -}}
{{- $key := get $from (index . 1) -}}
{{- if and $from.existingSecret $key -}}
{{- $files = append $files (dict "secret" $from.existingSecret "key" $key "file" (index . 2) "setting" (index . 3)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{/* Sets a setting, whose name has been split at its dots, in a dict. */}}
{{- define "catbridge.put" -}}
{{- $name := first .path -}}
{{- if rest .path -}}
{{- if not (hasKey .in $name) -}}{{- $_ := set .in $name dict -}}{{- end -}}
{{- include "catbridge.put" (dict "in" (get .in $name) "path" (rest .path) "value" .value) -}}
{{- else -}}
{{- $_ := set .in $name .value -}}
{{- end -}}
{{- end -}}

{{/* All settings, as in the file. Those that the values give win over those of the chart. */}}
{{- define "catbridge.settings" -}}
{{- $settings := dict -}}
{{- range include "catbridge.files" . | fromYamlArray -}}
{{- if .setting -}}
{{- $path := printf "/run/secrets/catbridge/%s" .file -}}
{{- $value := ternary (list $path) $path (hasSuffix "_files" .setting) -}}
{{- include "catbridge.put" (dict "in" $settings "path" (splitList "." .setting) "value" $value) -}}
{{- end -}}
{{- end -}}
{{- $given := include "catbridge.given" . | fromYaml -}}
{{- if and (dig "redis" "tls" false $settings) (not (hasPrefix "rediss://" (dig "redis" "url" "" $given))) -}}
{{- include "catbridge.put" (dict "in" $settings "path" (list "redis" "tls" "enabled") "value" true) -}}
{{- end -}}
{{- if and (eq .component "serve") .root.Values.serve.snapshots -}}
{{- include "catbridge.put" (dict "in" $settings "path" (list "serve" "snapshot_dir") "value" "/var/lib/catbridge") -}}
{{- end -}}
{{- toYaml (mustMergeOverwrite $settings $given) -}}
{{- end -}}

{{/* The address that the component listens on. */}}
{{- define "catbridge.listen" -}}
{{- $given := include "catbridge.given" . | fromYaml -}}
{{- if eq .component "leader" -}}{{- default "" $given.listen -}}{{- else -}}{{- dig "serve" "listen" "" $given -}}{{- end -}}
{{- end -}}

{{- define "catbridge.port" -}}
{{- include "catbridge.listen" . | trimPrefix ":" -}}
{{- end -}}

{{/* The URLs in the settings that the component connects to, and addresses of Redis. */}}
{{- define "catbridge.destinations" -}}
{{- $given := include "catbridge.given" . | fromYaml -}}
{{- $all := concat (list (dig "redis" "url" "" $given)) (dig "redis" "addresses" list $given) -}}
{{- if or (eq .component "leader") (dig "serve" "online" false $given) -}}
{{- $all = append $all (default "https://" $given.base_url) -}}
{{- $all = append $all (default "" $given.proxy_url) -}}
{{- range default list $given.sdk_keys -}}{{- $all = append $all (default "" .base_url) -}}{{- end -}}
{{- end -}}
{{- if eq .component "leader" -}}
{{- $all = append $all (dig "tracing" "endpoint" "" $given) -}}
{{- end -}}
{{- toYaml (without $all "") -}}
{{- end -}}

{{/* The ports that the component may connect to. */}}
{{- define "catbridge.egressPorts" -}}
{{- $ports := list -}}
{{- range (index .root.Values .component).networkPolicy.egressPorts -}}{{- $ports = append $ports (int .) -}}{{- end -}}
{{- range include "catbridge.destinations" . | fromYamlArray -}}
{{- $named := regexFindAll ":[0-9]{1,5}([/?&#]|$)" . -1 -}}
{{- range $named -}}{{- $ports = append $ports (regexFind "[0-9]+" . | int) -}}{{- end -}}
{{- if not $named -}}
{{- if hasPrefix "https://" . -}}{{- $ports = append $ports 443 -}}{{- end -}}
{{- if hasPrefix "http://" . -}}{{- $ports = append $ports 80 -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml (uniq $ports) -}}
{{- end -}}

{{/* Whether the component has metrics: true, or nothing. */}}
{{- define "catbridge.metrics" -}}
{{- if dig "metrics" "enabled" true (include "catbridge.given" . | fromYaml) -}}true{{- end -}}
{{- end -}}
