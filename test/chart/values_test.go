package chart

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// Values that are wrong are refused, with a message that says what and where.
func TestInvalidValuesAreRefused(t *testing.T) {
	for i, test := range []struct{ values, want string }{
		// By the schema.
		{"{leaders: {}}", "additional properties 'leaders' not allowed"},
		{"{leader: {replica: 2}}", "at '/leader': additional properties 'replica' not allowed"},
		{"{leader: {replicas: two}}", "at '/leader/replicas': got string, want integer"},
		{"{leader: {replicas: -1}}", "at '/leader/replicas': minimum"},
		{"{leader: {service: {port: 70000}}}", "at '/leader/service/port': maximum"},
		{"{leader: {networkPolicy: {egressPorts: ['6379']}}}", "at '/leader/networkPolicy/egressPorts/0': got string, want integer"},
		{"{serve: {kind: StatefulSet}}", "at '/serve/kind': value must be one of 'Deployment', 'DaemonSet'"},
		{"{serve: {service: {internalTrafficPolicy: Node}}}", "at '/serve/service/internalTrafficPolicy'"},
		{"{image: {digest: latest}}", "at '/image/digest': 'latest' does not match pattern"},
		{"{image: {pullPolicy: Sometimes}}", "at '/image/pullPolicy': value must be one of"},
		{"{secrets: {sdkKeys: {value: shop=x}}}", "at '/secrets/sdkKeys': additional properties 'value' not allowed"},
		{"{secrets: {sdkKeys: {key: 'a b'}}}", "at '/secrets/sdkKeys/key': 'a b' does not match pattern"},
		{"{secrets: {redisPassword: secret}}", "at '/secrets/redisPassword': got string, want object"},
		{"{leader: {extraEnv: [{value: x}]}}", "at '/leader/extraEnv/0': missing property 'name'"},
		{"{leader: {httpRoute: {parentRefs: [{namespace: x}]}}}", "at '/leader/httpRoute/parentRefs/0': missing property 'name'"},
		{"{commonLabels: {a: 1}}", "at '/commonLabels/a': got number, want string"},
		{"{fullnameOverride: Catbridge}", "at '/fullnameOverride': 'Catbridge' does not match pattern"},
		{"{serviceMonitor: {interval: 15}}", "at '/serviceMonitor/interval': got number, want string"},
		{"{prometheusRule: {disabledAlerts: CatbridgeNoStandby}}", "at '/prometheusRule/disabledAlerts': got string, want array"},
		{"{config: {pol_interval: 5s}}", "at '/config': additional properties 'pol_interval' not allowed"},
		{"{config: {redis: {urls: x}}}", "at '/config/redis': additional properties 'urls' not allowed"},
		{"{config: {redis: null}}", "at '/config/redis': got null, want object"},
		{"{config: {redis: {db: one}}}", "at '/config/redis/db': got string, want integer"},
		{"{config: {redis: {mode: replicated}}}", "at '/config/redis/mode': value must be one of 'single', 'sentinel', 'cluster'"},
		{"{config: {poll_interval: 30}}", "at '/config/poll_interval': got number, want string"},
		{"{config: {poll_interval: 30 seconds}}", "at '/config/poll_interval': '30 seconds' does not match pattern"},
		{"{config: {sdk_keys: [{nam: shop}]}}", "at '/config/sdk_keys/0': additional properties 'nam' not allowed"},
		{"{config: {allowed_hosts: example.com}}", "at '/config/allowed_hosts': got string, want array"},
		{"{config: {tracing: {sample_ratio: 2}}}", "at '/config/tracing/sample_ratio': maximum"},
		{"{leader: {config: {statuss: false}}}", "at '/leader/config': additional properties 'statuss' not allowed"},
		{"{serve: {config: {serve: {token_file: x}}}}", "at '/serve/config/serve': additional properties 'token_file' not allowed"},

		{"{secrets: null}", "missing property 'secrets'"},
		{"{serve: {service: null}}", "at '/serve': missing property 'service'"},
		{"{fullnameOverride: 9lives}", "at '/fullnameOverride': '9lives' does not match pattern"},

		// Beyond it.
		{"{leader: {enabled: false}}", "- nothing to run: enable leader, serve or both"},
		{"{secrets: {sdkKeys: {existingSecret: ''}}}", "- no SDK keys: create a Secret whose key sdk-keys has lines name=key, and set secrets.sdkKeys.existingSecret to its name"},
		{"{config: {redis: {url: ''}}}", "- no Redis: set config.redis.url, such as redis://redis:6379, or config.redis.addresses"},
		{"{config: {redis: {url: 'rediss://leader@redis:6380'}}, secrets: {redisPassword: {existingSecret: x}}, serve: {enabled: true, config: {redis: {username: serve}}}}",
			"- redis.username is in redis.url, too: give one of them, in config or in serve.config"},
		{"{config: {redis: {url: 'redis://redis:6379/1', db: 2}}}", "- redis.db is in redis.url, too: give one of them, in config or in leader.config"},
		{"{config: {redis: {url: 'redis://redis:6379?addr=redis2&pool_size=9', pool_size: 5}}}", "- redis.pool_size is in redis.url, too: "},
		{"{config: {redis: {url: 'rediss://redis:6380', tls: {enabled: false}}}}", "- redis.tls.enabled is in redis.url, too: "},
		{"{config: {redis: {username: leader}}}", "- Redis has a user, but no password: create a Secret with it, and set secrets.redisPassword.existingSecret to its name"},
		{"{config: {redis: {url: 'redis://leader@redis:6379'}}}", "- Redis has a user, but no password: "},
		{"{config: {redis: {password: secret}}}", "- config has a secret, redis.password: "},
		{"{config: {redis: {sentinel_password: secret}}}", "- config has a secret, redis.sentinel_password: "},
		{"{config: {redis: {url: 'redis://leader:secret@redis:6379'}}}", "- config has a secret, the password in redis.url: "},
		{"{config: {proxy_url: 'http://me:secret@proxy:3128'}}", "- config has a secret, the password in proxy_url: "},
		{"{config: {base_url: 'https://me:secret@cdn.example.com'}}", "- config has a secret, the password in base_url: "},
		{"{config: {tracing: {endpoint: 'http://me:secret@traces:4318'}}}", "- config has a secret, the password in tracing.endpoint: "},
		{"{leader: {config: {webhook_keys: [configcat_whsk_x]}}}", "- config has a secret, webhook_keys: "},
		{"{config: {sdk_keys: [{name: a, key_file: a}, {name: b, key: b}]}}", "- config has a secret, sdk_keys[1].key: "},
		{"{config: {sdk_keys: [{name: a, key_file: a, webhook_keys: [b]}]}}", "- config has a secret, sdk_keys[0].webhook_keys: "},
		{"{config: {sdk_keys: [{name: a, key_file: a, base_url: 'https://me:secret@cdn.example.com'}]}}", "- config has a secret, the password in sdk_keys[0].base_url: "},
		{"{config: {listen: '127.0.0.1:8080'}}", `- config.listen is "127.0.0.1:8080": write :PORT, an address that the Service reaches`},
		{"{config: {listen: null}}", `- config.listen is "": write :PORT`},
		{"{serve: {enabled: true, config: {serve: {listen: 'unix:/run/serve.sock'}}}}", `- config.serve.listen is "unix:/run/serve.sock": write :PORT`},
		{"{secrets: {redisTLS: {existingSecret: x, cert: tls.crt}}}", "- secrets.redisTLS: a client certificate needs both cert and key"},
		{"{secrets: {sentinelPassword: {existingSecret: x}}}", "- secrets.sentinelPassword is for config.redis.mode sentinel"},
		{"{leader: {ingress: {enabled: true}}, secrets: {webhookKeys: {existingSecret: x}}}", "- leader.ingress.hosts is empty: give a host name"},
		{"{leader: {httpRoute: {enabled: true}}, secrets: {webhookKeys: {existingSecret: x}}}", "- leader.httpRoute.parentRefs is empty: give a Gateway"},
		{"{serve: {enabled: true, ingress: {enabled: true}}}", "- serve.ingress.hosts is empty: give a host name"},
		{"{leader: {ingress: {enabled: true, hosts: [x]}}}", "webhooks have no signing key: set secrets.webhookKeys.existingSecret"},
		{"{leader: {podDisruptionBudget: {minAvailable: 2}}}", "- leader.podDisruptionBudget.minAvailable is not below leader.replicas"},
		{"{serve: {enabled: true, hostPort: 8093}}", "- serve.hostPort is for serve.kind DaemonSet"},
		{"{serve: {enabled: true}, serviceMonitor: {enabled: true}}", "- serviceMonitor needs a token for the metrics of serve: set serve.secrets.metricsToken.existingSecret"},
		{"{prometheusRule: {disabledAlerts: [CatbridgeNoStandBy]}}", "- prometheusRule.disabledAlerts: there is no alert CatbridgeNoStandBy"},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			text, err := template(t, required, topologies["single"], test.values)
			if err == nil {
				t.Fatalf("%s is accepted", test.values)
			}
			if !strings.Contains(text, test.want) {
				t.Errorf("%s: the message is\n%s\nwant %s", test.values, text, test.want)
			}
			if strings.Contains(text, "secret@") || strings.Contains(text, "nil pointer") || strings.Contains(text, "panic") {
				t.Errorf("the message shows a secret, or the fault of a template:\n%s", text)
			}
		})
	}
}

// The name of a release may be one that no Service can have.
func TestNamesOfReleasesAreChecked(t *testing.T) {
	for _, name := range []string{"9lives", "a.b"} {
		if text, err := template(t, releaseMark+name, required, topologies["single"]); err == nil || !strings.Contains(text, `- "`+name+`-catbridge" cannot be the name of a Service`) {
			t.Errorf("%s: %v %s", name, err, text)
		}
		if text, err := template(t, releaseMark+name, required, topologies["single"], "{fullnameOverride: cat}"); err != nil {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
	long := strings.Repeat("abcdefghi-", 5) + "abc" // the longest that Helm accepts
	text, err := template(t, releaseMark+long, required, topologies["single"], cases["monitoring"].values)
	if err != nil {
		t.Fatalf("%v %s", err, text)
	}
	for _, name := range decode(t, text).names() {
		if _, name, _ := strings.Cut(name, "/"); len(name) > 63 || strings.Contains(name, "--") {
			t.Errorf("the name %s", name)
		}
	}
}

// Null removes a value that has a default. What the schema does not require can be missing.
func TestValuesCanBeRemoved(t *testing.T) {
	var schema schemaObject
	if err := json.Unmarshal([]byte(root.Read(t, chartFolder, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	removed := 0
	var without func(o schemaObject) map[string]any
	without = func(o schemaObject) map[string]any {
		values := map[string]any{}
		for name, p := range o.Properties {
			if ref := strings.TrimPrefix(p.Ref, "#/$defs/"); ref != "" {
				p = schema.Defs[ref]
			}
			switch {
			case name == "global": // has no default
			case !slices.Contains(o.Required, name):
				values[name] = nil
				removed++
			case len(p.Properties) > 0:
				values[name] = without(p)
			}
		}
		return values
	}
	values, err := yaml.Marshal(without(schema))
	if err != nil {
		t.Fatal(err)
	}
	// The settings have an address to listen on among their defaults.
	const rest = `
config: {listen: ":8080", redis: {url: "redis://redis:6379"}, serve: {listen: ":8093", insecure: true}}
serve: {enabled: true, kind: DaemonSet}
serviceMonitor: {enabled: true}
prometheusRule: {enabled: true}
dashboard: {enabled: true}
`
	if o := render(t, required, string(values), rest); len(workloads(o)) != 2 || removed < 40 {
		t.Errorf("%d values are removed: %q", removed, o.names())
	}
}

// schemaObject is what a test reads of a JSON schema.
type schemaObject struct {
	Ref        string `json:"$ref"`
	Required   []string
	Properties map[string]schemaObject
	Defs       map[string]schemaObject `json:"$defs"`
}

// One message has all faults, each once.
func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	text, err := template(t, "{serve: {enabled: true, ingress: {enabled: true}}, config: {listen: 'localhost:1'}}")
	if err == nil || strings.Count(text, "\n  - ") != 4 || strings.Count(text, "no Redis") != 1 || strings.Count(text, "no SDK keys") != 1 {
		t.Errorf("%v: %s", err, text)
	}
}

// Redis and SDK keys may also come from variables.
func TestVariablesCanReplaceValues(t *testing.T) {
	for _, values := range []string{
		"{leader: {extraEnv: [{name: CATBRIDGE_REDIS_URL, value: 'redis://redis:6379'}, {name: CATBRIDGE_SDK_KEY, valueFrom: {secretKeyRef: {name: a, key: b}}}]}}",
		"{leader: {extraEnvFrom: [{secretRef: {name: catbridge}}]}}",
	} {
		if o := render(t, values); len(workloads(o)) != 1 || len(sources(workloads(o)[0].pod.Spec)) > 0 {
			t.Errorf("%s: %q", values, o.names())
		}
	}
}
