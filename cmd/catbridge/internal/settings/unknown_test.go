package settings

import (
	"slices"
	"testing"
)

// TestEveryUnknownVariableCausesAWarning, with a suggestion if a name is similar.
func TestEveryUnknownVariableCausesAWarning(t *testing.T) {
	for entry, want := range map[string]string{
		"CATBRIDGE_FAST=1":               "unknown variable $CATBRIDGE_FAST; did you mean $CATBRIDGE_TIMINGS_PROFILE=fast?",
		"CATBRIDGE_REDIS=redis://x":      "unknown variable $CATBRIDGE_REDIS; did you mean $CATBRIDGE_REDIS_URL?",
		"CATBRIDGE_TIMINGS_LEASE=3s":     "unknown variable $CATBRIDGE_TIMINGS_LEASE; did you mean $CATBRIDGE_TIMINGS_LEASE_DURATION?",
		"CATBRIDGE_ZZZ=1":                "unknown variable $CATBRIDGE_ZZZ: it has no effect",
		"CATBRIDGE_FOO=1":                "unknown variable $CATBRIDGE_FOO: it has no effect",
		"CATBRIDGE_PORT=8080":            "unknown variable $CATBRIDGE_PORT: it has no effect",
		"CATBRIDGE_TIMINGS=1s":           "unknown variable $CATBRIDGE_TIMINGS: it has no effect", // could be several
		"CATBRIDGE_REDIS_PASWORD=secret": "unknown variable $CATBRIDGE_REDIS_PASWORD; did you mean $CATBRIDGE_REDIS_PASSWORD?",
	} {
		if _, warnings := (given{flags: enough, environ: []string{entry}}).warned(t); !slices.Equal(warnings, []string{want}) {
			t.Errorf("%s: warnings %q, want %q", entry, warnings, want)
		}
	}
}

// TestNamedAndUnrelatedVariablesCauseNoWarning: variables that settings name, those of the
// project's tests, and those that Kubernetes sets for a Service.
func TestNamedAndUnrelatedVariablesCauseNoWarning(t *testing.T) {
	g := given{
		environ: []string{
			"CATBRIDGE_SHOP=" + keyA, "CATBRIDGE_SHOP_WEBHOOK=signing-key-one-1", "CATBRIDGE_WEBHOOK=signing-key-two-2",
			"CATBRIDGE_PASSWORD=" + password, "CATBRIDGE_SENTINELS=" + password,
			"CATBRIDGE_REQUIRE_ALL=1", "CATBRIDGE_CONFORMANCE=x", "CATBRIDGE_REDIS_SERVER=x", "CATBRIDGE_VALKEY_SERVER=x", "CATBRIDGE_TEST_MOUNTS=1",
			"CATBRIDGE_SERVICE_HOST=10.0.0.1", "CATBRIDGE_SERVICE_PORT=8080", "CATBRIDGE_SERVICE_PORT_HTTP=8080",
			"CATBRIDGE_PORT=tcp://10.0.0.1:8080", "CATBRIDGE_PORT_8080_TCP=tcp://10.0.0.1:8080", "CATBRIDGE_PORT_8080_TCP_PROTO=tcp",
			"CATBRIDGE_LEADER_PORT_8080_TCP_ADDR=10.0.0.1", "CATBRIDGE_LEADER_SERVICE_HOST=10.0.0.1",
		},
		file: `sdk_keys: [{name: shop, key_env: CATBRIDGE_SHOP, webhook_keys_env: CATBRIDGE_SHOP_WEBHOOK}]
webhook_keys_env: CATBRIDGE_WEBHOOK
listen: :8080
redis: {mode: sentinel, master_name: m, addresses: [h], password_env: CATBRIDGE_PASSWORD, sentinel_password_env: CATBRIDGE_SENTINELS}
`,
	}
	if _, warnings := g.warned(t); len(warnings) > 0 {
		t.Errorf("%q", warnings)
	}
}

// TestAnUnknownSettingGetsOnlyASensibleSuggestion: a part or an abbreviation of one name, or a
// spelling mistake.
func TestAnUnknownSettingGetsOnlyASensibleSuggestion(t *testing.T) {
	for file, want := range map[string]string{
		"foo: 1":                 `"foo": deploy/catbridge.yaml in the repository shows all settings`,
		"lug: {}":                `"lug"; did you mean log?`,
		"timings: {lease: 1s}":   `"timings.lease"; did you mean timings.lease_duration?`,
		"timings: {deadline: 1}": `"timings.deadline"; did you mean timings.renew_deadline?`,
		"redis: {timeout: 1s}":   `"redis.timeout": deploy/catbridge.yaml in the repository shows all settings`,
		"timings: {lock: 1s}":    `"timings.lock"; did you mean timings.lease_duration?`,
		"redis: {addrs: [h]}":    `"redis.addrs"; did you mean redis.addresses?`,
		"lease_duration: 1s":     `"lease_duration"; did you mean timings.lease_duration?`,
	} {
		given{file: file, flags: enough}.faults(t, "catbridge.yaml:1: unknown setting "+want)
	}
}

// TestMissingSettingsHideNoOtherError: without an SDK key and Redis, the other settings are
// checked, too.
func TestMissingSettingsHideNoOtherError(t *testing.T) {
	given{file: "poll_interval: 100ms\nbase_url: ftp://x\nredis: {tls: {enabled: true, ca_file: absent}}\nlisten: x"}.faults(t,
		"catbridge.yaml:1: poll_interval: 100ms is not between 1s and 24h0m0s",
		"catbridge.yaml:2: base_url: invalid URL: the scheme must be http or https",
		"catbridge.yaml:3: redis.tls.ca_file: read absent: no such file or directory",
		"catbridge.yaml:4: listen: it is not an address to listen on: write host:port or :port",
		"no SDK key: give --sdk-key, $CATBRIDGE_SDK_KEY or --sdk-key-file, or sdk_keys in the file of --config",
		"no Redis: give --redis or $CATBRIDGE_REDIS_URL, such as redis://localhost:6379",
	)
}
