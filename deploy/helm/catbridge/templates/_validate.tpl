{{/*
What is missing or contradictory in the values, beyond their schema. The names in a message are those of
values, and it says what to do.
*/}}

{{/* The secrets that the settings contain, by name, as a list. All settings end up in a ConfigMap. */}}
{{- define "catbridge.secretsIn" -}}
{{- $given := include "catbridge.given" . | fromYaml -}}
{{- $found := list -}}
{{- range list "redis.password" "redis.sentinel_password" "webhook_keys" -}}
{{- $inner := $given -}}
{{- range initial (splitList "." .) -}}{{- $inner = default dict (get $inner .) -}}{{- end -}}
{{- if hasKey $inner (last (splitList "." .)) -}}{{- $found = append $found . -}}{{- end -}}
{{- end -}}
{{- $urls := dict "redis.url" (dig "redis" "url" "" $given) "base_url" $given.base_url "proxy_url" $given.proxy_url "tracing.endpoint" (dig "tracing" "endpoint" "" $given) -}}
{{- range $i, $key := default list $given.sdk_keys -}}
{{- range list "key" "webhook_keys" -}}
{{- if hasKey $key . -}}{{- $found = append $found (printf "sdk_keys[%d].%s" $i .) -}}{{- end -}}
{{- end -}}
{{- $_ := set $urls (printf "sdk_keys[%d].base_url" $i) $key.base_url -}}
{{- end -}}
{{- range $name, $url := $urls -}}
{{- if regexMatch "^[^/]*//[^/@]*:[^/]*@" (default "" $url) -}}{{- $found = append $found (printf "the password in %s" $name) -}}{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* Whether a variable of the component may give one of some settings: true, or nothing. */}}
{{- define "catbridge.hasVariable" -}}
{{- $own := index .root.Values .component -}}
{{- if $own.extraEnvFrom -}}true{{- end -}}
{{- range $own.extraEnv -}}{{- if has .name $.names -}}true{{- end -}}{{- end -}}
{{- end -}}

{{/* The settings of Redis that its URL contains, as a list of names such as username. */}}
{{- define "catbridge.inURL" -}}
{{- $names := list -}}
{{- if hasPrefix "rediss://" . -}}{{- $names = append $names "tls.enabled" -}}{{- end -}}
{{- if regexMatch "^rediss?://[^/?@:]+(:[^@]*)?@" . -}}{{- $names = append $names "username" -}}{{- end -}}
{{- if regexMatch "^rediss?://[^/?]+/+[^/?]" . -}}{{- $names = append $names "db" -}}{{- end -}}
{{- range regexFindAll "[?&][a-z_]+=[^&]" . -1 -}}{{- $names = append $names (regexFind "[a-z_]+" .) -}}{{- end -}}
{{- toYaml $names -}}
{{- end -}}

{{/* The faults of a component, as a list. */}}
{{- define "catbridge.faults" -}}
{{- $component := .component -}}
{{- $own := index .root.Values $component -}}
{{- $given := include "catbridge.given" . | fromYaml -}}
{{- $settings := include "catbridge.settings" . | fromYaml -}}
{{- $faults := list -}}

{{- range include "catbridge.secretsIn" . | fromYamlArray -}}
{{- $faults = append $faults (printf "config has a secret, %s: everybody who may read ConfigMaps would see it. Put it into a Secret, and name that under secrets" .) -}}
{{- end -}}

{{- $redis := default dict $given.redis -}}
{{- if not (or $redis.url $redis.addresses $redis.socket (include "catbridge.hasVariable" (dict "root" .root "component" $component "names" (list "CATBRIDGE_REDIS_URL" "CATBRIDGE_REDIS_ADDRESSES" "CATBRIDGE_REDIS_SOCKET")))) -}}
{{- $faults = append $faults "no Redis: set config.redis.url, such as redis://redis:6379, or config.redis.addresses" -}}
{{- end -}}
{{- range include "catbridge.inURL" (default "" $redis.url) | fromYamlArray -}}
{{- $inner := $redis -}}
{{- range initial (splitList "." .) -}}{{- $inner = default dict (get $inner .) -}}{{- end -}}
{{- if hasKey $inner (last (splitList "." .)) -}}
{{- $faults = append $faults (printf "redis.%s is in redis.url, too: give one of them, in config or in %s.config" . $component) -}}
{{- end -}}
{{- end -}}
{{- $user := or $redis.username (has "username" (include "catbridge.inURL" (default "" $redis.url) | fromYamlArray)) -}}
{{- if and $user (not (dig "redis" "password_file" "" $settings)) (not (include "catbridge.hasVariable" (dict "root" .root "component" $component "names" (list "CATBRIDGE_REDIS_PASSWORD" "CATBRIDGE_REDIS_PASSWORD_FILE" "CATBRIDGE_REDIS_URL")))) -}}
{{- $faults = append $faults "Redis has a user, but no password: create a Secret with it, and set secrets.redisPassword.existingSecret to its name" -}}
{{- end -}}
{{- if not (or $settings.sdk_key_file $settings.sdk_keys (include "catbridge.hasVariable" (dict "root" .root "component" $component "names" (list "CATBRIDGE_SDK_KEY" "CATBRIDGE_SDK_KEY_FILE")))) -}}
{{- $faults = append $faults "no SDK keys: create a Secret whose key sdk-keys has lines name=key, and set secrets.sdkKeys.existingSecret to its name" -}}
{{- end -}}
{{- if and .root.Values.secrets.sentinelPassword.existingSecret (ne (default "" $redis.mode) "sentinel") -}}
{{- $faults = append $faults "secrets.sentinelPassword is for config.redis.mode sentinel" -}}
{{- end -}}
{{- with .root.Values.secrets.redisTLS -}}
{{- if ne (empty .cert) (empty .key) -}}
{{- $faults = append $faults "secrets.redisTLS: a client certificate needs both cert and key" -}}
{{- end -}}
{{- end -}}

{{- $listen := include "catbridge.listen" . -}}
{{- if not (regexMatch "^:[1-9][0-9]{0,4}$" $listen) -}}
{{- $faults = append $faults (printf "%s is %q: write :PORT, an address that the Service reaches" (ternary "config.listen" "config.serve.listen" (eq $component "leader")) $listen) -}}
{{- end -}}

{{- if and $own.ingress.enabled (not $own.ingress.hosts) -}}
{{- $faults = append $faults (printf "%s.ingress.hosts is empty: give a host name" $component) -}}
{{- end -}}
{{- if and $own.httpRoute.enabled (not $own.httpRoute.parentRefs) -}}
{{- $faults = append $faults (printf "%s.httpRoute.parentRefs is empty: give a Gateway, such as [{name: public, namespace: gateways}]" $component) -}}
{{- end -}}

{{- if eq $component "leader" -}}
{{- $hooks := or $settings.webhook_key_files $settings.webhook_keys_env -}}
{{- range default list $settings.sdk_keys -}}{{- $hooks = or $hooks .webhook_key_files .webhook_keys_env -}}{{- end -}}
{{- $hooks = or $hooks (include "catbridge.hasVariable" (dict "root" .root "component" $component "names" (list "CATBRIDGE_WEBHOOK_KEYS" "CATBRIDGE_WEBHOOK_KEY_FILES" "CATBRIDGE_WEBHOOK_KEYS_ENV"))) -}}
{{- if and (or $own.ingress.enabled $own.httpRoute.enabled) (not $hooks) -}}
{{- $faults = append $faults "leader.ingress and leader.httpRoute publish /hook/, but webhooks have no signing key: set secrets.webhookKeys.existingSecret" -}}
{{- end -}}
{{- if and $own.podDisruptionBudget.enabled (gt (int $own.replicas) 1) (ge (int $own.podDisruptionBudget.minAvailable) (int $own.replicas)) -}}
{{- $faults = append $faults "leader.podDisruptionBudget.minAvailable is not below leader.replicas: no node with a leader process could be drained" -}}
{{- end -}}
{{- else -}}
{{- if and (gt (int $own.hostPort) 0) (ne $own.kind "DaemonSet") -}}
{{- $faults = append $faults "serve.hostPort is for serve.kind DaemonSet: two processes of a Deployment on one node would need the same port" -}}
{{- end -}}
{{- $open := dig "serve" "insecure" false $given -}}
{{- if and .root.Values.serviceMonitor.enabled (include "catbridge.metrics" .) (not $own.secrets.metricsToken.existingSecret) (not $open) -}}
{{- $faults = append $faults "serviceMonitor needs a token for the metrics of serve: set serve.secrets.metricsToken.existingSecret to a Secret with one of the tokens that have rights=status" -}}
{{- end -}}
{{- end -}}
{{- toYaml $faults -}}
{{- end -}}

{{/* Fails if the values have faults, and lists all of them. */}}
{{- define "catbridge.validate" -}}
{{- $faults := list -}}
{{- range $component := list "leader" "serve" -}}
{{- if (index $.Values $component).enabled -}}
{{- $faults = concat $faults (include "catbridge.faults" (dict "root" $ "component" $component) | fromYamlArray) -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "catbridge.fullname" .)) -}}
{{- $faults = append $faults (printf "%q cannot be the name of a Service, which starts with a letter and has no dots: set fullnameOverride" (include "catbridge.fullname" .)) -}}
{{- end -}}
{{- if not (or .Values.leader.enabled .Values.serve.enabled) -}}
{{- $faults = append $faults "nothing to run: enable leader, serve or both" -}}
{{- end -}}
{{- $alerts := list -}}
{{- range (.Files.Get "files/alerts.yml" | fromYaml).groups -}}{{- range .rules -}}{{- $alerts = append $alerts .alert -}}{{- end -}}{{- end -}}
{{- range .Values.prometheusRule.disabledAlerts -}}
{{- if not (has . $alerts) -}}
{{- $faults = append $faults (printf "prometheusRule.disabledAlerts: there is no alert %s" .) -}}
{{- end -}}
{{- end -}}
{{- with uniq $faults -}}
{{- fail (printf "\n\nThe values of the chart catbridge have faults:\n\n  - %s\n" (join "\n  - " .)) -}}
{{- end -}}
{{- end -}}
