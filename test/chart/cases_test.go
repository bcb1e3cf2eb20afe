package chart

import (
	"slices"
	"strings"
	"testing"
)

// topologies are the settings of each kind of Redis. The ports show where they arrive.
var topologies = map[string]string{
	"single":   "{config: {redis: {url: 'redis://127.0.0.1:7001/0'}}}",
	"sentinel": "{config: {redis: {mode: sentinel, master_name: main, addresses: ['127.0.0.1:7002', '127.0.0.1:7003']}}}",
	"cluster":  "{config: {redis: {mode: cluster, url: 'redis://127.0.0.1:7004?addr=127.0.0.1:7005'}}}",
}

// required are the values that every installation needs, besides Redis.
const required = "{secrets: {sdkKeys: {existingSecret: keys}}}"

// cases are values with the objects that they add to those of an installation without them, or take from it
// if the name starts with a hyphen.
var cases = map[string]struct {
	values string
	adds   []string
	redis  []string // empty: all
}{
	"default": {values: "{}"},
	"names": {values: "{fullnameOverride: bridge, commonLabels: {team: flags}}", adds: []string{
		"-ConfigMap/flags-catbridge", "-Deployment/flags-catbridge", "-NetworkPolicy/flags-catbridge", "-Pod/flags-catbridge-doctor",
		"-PodDisruptionBudget/flags-catbridge", "-Service/flags-catbridge", "-ServiceAccount/flags-catbridge",
		"ConfigMap/bridge", "Deployment/bridge", "NetworkPolicy/bridge", "Pod/bridge-doctor",
		"PodDisruptionBudget/bridge", "Service/bridge", "ServiceAccount/bridge",
	}},
	"least": {values: `{leader: {replicas: 1, networkPolicy: {enabled: false}}, serviceAccount: {create: false}}`, adds: []string{
		"-PodDisruptionBudget/flags-catbridge", "-NetworkPolicy/flags-catbridge", "-ServiceAccount/flags-catbridge",
	}},
	"serve as a Deployment": {values: "{serve: {enabled: true}}", adds: append(slices.Clone(serving),
		"Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve",
	)},
	"serve as a DaemonSet": {values: "{serve: {enabled: true, kind: DaemonSet}}", adds: append(slices.Clone(serving), "DaemonSet/flags-catbridge-serve")},
	"serve on a port of the nodes": {values: "{serve: {enabled: true, kind: DaemonSet, hostPort: 8093, snapshots: false}}",
		adds: append(slices.Clone(serving), "DaemonSet/flags-catbridge-serve")},
	"serve alone": {values: "{serve: {enabled: true, kind: DaemonSet}, leader: {enabled: false}}", adds: append(slices.Clone(serving),
		"DaemonSet/flags-catbridge-serve",
		"-ConfigMap/flags-catbridge", "-Deployment/flags-catbridge", "-NetworkPolicy/flags-catbridge", "-Pod/flags-catbridge-doctor",
		"-PodDisruptionBudget/flags-catbridge", "-Service/flags-catbridge",
	)},
	"Ingress": {values: `
secrets: {webhookKeys: {existingSecret: hooks}}
config: {serve: {webhooks: true}}
leader: {ingress: {enabled: true, className: nginx, hosts: [hooks.example.com], tlsSecret: hooks-tls, annotations: {a.example.com/b: "1"}}}
serve: {enabled: true, replicas: 3, ingress: {enabled: true, hosts: [flags.example.com, www.example.com]}}
`, adds: append(slices.Clone(serving), "Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve",
		"Ingress/flags-catbridge", "Ingress/flags-catbridge-serve")},
	"HTTPRoute": {values: `
secrets: {webhookKeys: {existingSecret: hooks, key: signing}}
leader: {httpRoute: {enabled: true, parentRefs: [{name: public, namespace: gateways}], hostnames: [hooks.example.com]}}
serve: {enabled: true, service: {port: 80}, httpRoute: {enabled: true, parentRefs: [{name: public, sectionName: https}], annotations: {a: b}}}
`, adds: append(slices.Clone(serving), "Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve",
		"HTTPRoute/flags-catbridge", "HTTPRoute/flags-catbridge-serve")},
	"monitoring": {values: `
serviceMonitor: {enabled: true, labels: {release: prometheus}, scrapeTimeout: 10s, serveTLSConfig: {serverName: flags.example.com}}
prometheusRule: {enabled: true, labels: {release: prometheus}, alertLabels: {team: flags}}
dashboard: {enabled: true, annotations: {grafana_folder: Flags}}
serve: {enabled: true, secrets: {tokens: {existingSecret: tokens}, metricsToken: {existingSecret: metrics}, tls: {existingSecret: serve-tls}}}
`, adds: append(slices.Clone(serving), "Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve",
		"ServiceMonitor/flags-catbridge", "ServiceMonitor/flags-catbridge-serve", "PrometheusRule/flags-catbridge", "ConfigMap/flags-catbridge-dashboard")},
	"metrics that are off": {values: "{serviceMonitor: {enabled: true}, config: {metrics: {enabled: false}}}"},
	"all secrets": {values: `
secrets:
  webhookKeys: {existingSecret: all}
  redisPassword: {existingSecret: all}
  sentinelPassword: {existingSecret: all}
  redisTLS: {existingSecret: redis-tls, cert: tls.crt, key: tls.key}
leader: {config: {redis: {username: leader}}, secrets: {redisPassword: {existingSecret: of-leaders, key: password}}}
serve:
  enabled: true
  config: {redis: {username: serve}, serve: {webhooks: true, fleet_report: 30s}}
  secrets:
    redisPassword: {existingSecret: of-serve}
    tokens: {existingSecret: all}
    eventKeys: {existingSecret: all}
    tls: {existingSecret: serve-tls, clientCA: ca.crt}
`, adds: append(slices.Clone(serving), "Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve"), redis: []string{"sentinel"}},
	"TLS by a URL": {values: "{config: {redis: {url: 'rediss://127.0.0.1:7008'}}, secrets: {redisPassword: {existingSecret: keys}, redisTLS: {existingSecret: redis-tls}}}", redis: []string{"single"}},
	"TLS":          {values: "{secrets: {redisPassword: {existingSecret: keys}, redisTLS: {existingSecret: redis-tls}}}", redis: []string{"single", "cluster"}},
	"SDK keys with settings": {values: `
config:
  sdk_keys:
    - {name: shop, key_file: /run/secrets/catbridge/shop, poll_interval: 30s, webhook_key_files: [/run/secrets/catbridge/webhook-keys]}
    - {name: api, key_file: /run/secrets/catbridge/api, base_url: "http://127.0.0.1:7006"}
secrets: {webhookKeys: {existingSecret: keys}}
serve: {enabled: true}
`, adds: append(slices.Clone(serving), "Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve")},
	"pods": {values: `
image: {repository: registry.example.com/catbridge, digest: "sha256:` + strings.Repeat("0a", 32) + `", pullPolicy: Always}
imagePullSecrets: [{name: registry}]
serviceAccount: {create: true, name: flags, annotations: {a: b}}
podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}
leader: &pods
  podLabels: {team: flags}
  podAnnotations: {a: b}
  priorityClassName: high
  nodeSelector: {kubernetes.io/arch: arm64}
  tolerations: [{key: dedicated, operator: Exists}]
  affinity: {nodeAffinity: {}}
  topologySpreadConstraints: [{maxSkew: 2, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}]
  terminationGracePeriodSeconds: 60
  extraEnv: [{name: HTTPS_PROXY, value: "http://127.0.0.1:3128"}]
  extraEnvFrom: [{configMapRef: {name: extra, optional: true}}]
  extraVolumes: [{name: extra, emptyDir: {}}]
  extraVolumeMounts: [{name: extra, mountPath: /extra}]
  resources: {limits: {memory: null, cpu: 1}, requests: null}
  networkPolicy: {from: [{podSelector: {}}], egressPorts: [], extraEgress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
  service: {type: NodePort, annotations: {a: b}}
serve:
  <<: *pods
  enabled: true
  kind: DaemonSet
  updateStrategy: {type: OnDelete}
`, adds: append(slices.Clone(serving), "DaemonSet/flags-catbridge-serve", "-ServiceAccount/flags-catbridge", "ServiceAccount/flags")},
	"settings": {values: `
config:
  expected_followers: 100000000
  proxy_url: http://127.0.0.1:3128
  tracing: {endpoint: "http://127.0.0.1:4318", sample_ratio: 0.25}
  timings: {profile: fast}
  status: true
  history: {entries: 100}
  listen: ":9090"
leader: {config: {status: false, history: {entries: 0}}}
serve: {enabled: true, config: {serve: {listen: ":9093", online: true, insecure: true}}}
serviceMonitor: {enabled: true}
`, adds: append(slices.Clone(serving), "Deployment/flags-catbridge-serve", "PodDisruptionBudget/flags-catbridge-serve",
		"ServiceMonitor/flags-catbridge", "ServiceMonitor/flags-catbridge-serve")},
}

// serving are the objects of serve of either kind.
var serving = []string{
	"ConfigMap/flags-catbridge-serve", "NetworkPolicy/flags-catbridge-serve", "Pod/flags-catbridge-serve-doctor", "Service/flags-catbridge-serve",
}

// installed are the objects of an installation with the required values.
var installed = []string{
	"ConfigMap/flags-catbridge", "Deployment/flags-catbridge", "NetworkPolicy/flags-catbridge", "Pod/flags-catbridge-doctor",
	"PodDisruptionBudget/flags-catbridge", "Service/flags-catbridge", "ServiceAccount/flags-catbridge",
}

// forEachCase renders every case with every Redis.
func forEachCase(t *testing.T, test func(t *testing.T, name string, o objects)) {
	for name, c := range cases {
		for redis, values := range topologies {
			if len(c.redis) > 0 && !slices.Contains(c.redis, redis) {
				continue
			}
			t.Run(name+"/"+redis, func(t *testing.T) {
				t.Parallel()
				test(t, name, render(t, required, values, c.values))
			})
		}
	}
}

func TestEveryCaseHasItsObjects(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, o objects) {
		want := slices.Clone(installed)
		for _, change := range cases[name].adds {
			if gone, isGone := strings.CutPrefix(change, "-"); isGone {
				want = slices.DeleteFunc(want, func(s string) bool { return s == gone })
			} else {
				want = append(want, change)
			}
		}
		slices.Sort(want)
		if have := o.names(); !slices.Equal(have, want) {
			t.Errorf("objects %q,\n   want %q", have, want)
		}
	})
}

// Helm's own checks must find nothing, with the values of the chart alone and with complete ones.
func TestHelmLintFindsNothing(t *testing.T) {
	chart, err := copyChart()
	if err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{nil, {"--set", "config.redis.url=redis://redis:6379,secrets.sdkKeys.existingSecret=keys,serve.enabled=true,prometheusRule.enabled=true"}} {
		for _, version := range []string{kubernetes, "1.37.0"} { // of the API that test/go.mod requires
			lint(t, append([]string{"lint", "--strict", chart, "--kube-version", version}, flags...))
		}
	}
}

func lint(t *testing.T, args []string) {
	t.Helper()
	stdout, stderr, err := helm(t, args...)
	if err != nil || strings.Contains(stdout, "[WARNING]") || strings.Contains(stdout, "[ERROR]") || !strings.Contains(stdout, "1 chart(s) linted, 0 chart(s) failed") {
		t.Errorf("helm %q: %v\n%s%s", args, err, stdout, stderr)
	}
}
