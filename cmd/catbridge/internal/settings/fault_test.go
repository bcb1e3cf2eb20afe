package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAllFaultsAreReportedAtOnce has an error of each kind in each source.
func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	given{
		flags:   []string{"--poll-interval", "-1s", "--redis-db", "x"},
		environ: []string{"CATBRIDGE_LOG_LEVEL=loud", "CATBRIDGE_REDIS_PASSWORD=" + password, "CATBRIDGE_REDIS_PASSWORD_FILE=x"},
		files:   map[string]string{"two": "a\nb\n", "empty": "\n"},
		file: `sdk_keys:
  - name: shop
    key: ` + keyA + `
    poll_interval: 10ms
    base_url: ftp://x
  - name: shop
    key: ` + keyA + `
  - keyfile: x
    key_env: NO_SUCH
  - name: a b
    key: ` + keyB + `x
  - key: a
    key_file: b
  - key_file: absent
  - key_file: two
  - key_file: empty
  - just text
  - name: [a]
redis:
  adresses: [h1]
  url: rediss://u:pw@h:1/x
  username: bb
  tls: {min_version: 1.1, ca_file: absent}
timings:
  renew_interval: 20s
  idle: soon
log: {level: info, level: debug}
listen: "8080"
tracing: {endpoint: "h:1", sample_ratio: 2}
metrics: on
pprof: yes
expected_followers: -3
allowed_hosts: one
webhook_keys: [{a: b}]
proxy_url: x://y
? [complex]
: key
secretsecretsecret1111: 1
`,
	}.faults(t,
		"catbridge.yaml:4: sdk_keys[0].poll_interval: 10ms is not between 1s and 24h0m0s",
		"catbridge.yaml:5: sdk_keys[0].base_url: invalid URL: the scheme must be http or https",
		`catbridge.yaml:6: sdk_keys[1].name: duplicate name "shop", first given at catbridge.yaml:2: give each SDK key its own name`,
		"catbridge.yaml:7: sdk_keys[1].key: duplicate SDK key …et1111, first given at catbridge.yaml:3: remove one of them",
		`catbridge.yaml:8: unknown setting "keyfile"; did you mean key_file?`,
		"catbridge.yaml:9: sdk_keys[2].key_env: $NO_SUCH is not set",
		"catbridge.yaml:10: sdk_keys[3].name: a name consists of at most 128 letters, digits, _, - and ., and does not start with a dot",
		`catbridge.yaml:11: sdk_keys[3].key: the SDK key "…t2222x" does not have the form of an SDK key (22 characters, a slash, 22 characters, with configcat-sdk-1/ before it or not)`,
		"catbridge.yaml:12: sdk_keys[4]: key and key_file are given: give one of them",
		"catbridge.yaml:14: sdk_keys[5].key_file: read absent: no such file or directory",
		"catbridge.yaml:15: sdk_keys[6].key_file: two has more than one line",
		"catbridge.yaml:16: sdk_keys[7].key_file: empty is empty",
		"catbridge.yaml:17: sdk_keys[8]: expected name and key, each as name: value",
		"catbridge.yaml:18: sdk_keys[9].name: expected a single value",
		"catbridge.yaml:18: sdk_keys[9]: the SDK key is missing: give one of key, key_file, key_env",
		`catbridge.yaml:20: unknown setting "redis.adresses"; did you mean redis.addresses?`,
		`catbridge.yaml:21: redis.db: "x" is not a whole number`,
		"catbridge.yaml:22: redis.username is in the URL of catbridge.yaml:21, too: give one of them",
		`catbridge.yaml:23: redis.tls.min_version: "1.1" is not one of 1.2, 1.3`,
		"catbridge.yaml:23: redis.tls.ca_file: read absent: no such file or directory",
		"catbridge.yaml:25: timings.renew_interval: renew_interval must be below renew_deadline, or one late renewal ends the term",
		`catbridge.yaml:26: timings.idle: "soon" is not a duration: write it like 1500ms, 10s or 2m`,
		"catbridge.yaml:27: log.level: duplicate setting, first given on line 27: remove one of them",
		"catbridge.yaml:28: listen: it is not an address to listen on: write host:port or :port",
		`catbridge.yaml:29: tracing.sample_ratio: "2" is not a number between 0 and 1`,
		"catbridge.yaml:29: tracing.endpoint: it is not the URL of a receiver: write http://host:4318",
		"catbridge.yaml:30: metrics: expected settings, each as name: value",
		`catbridge.yaml:31: pprof: "yes" is neither true nor false`,
		"catbridge.yaml:32: expected_followers: -3 is negative",
		"catbridge.yaml:33: allowed_hosts: expected a list",
		"catbridge.yaml:34: webhook_keys: expected a list of strings",
		"catbridge.yaml:35: proxy_url: the scheme must be http, https, socks5 or socks5h",
		"catbridge.yaml:36: unknown setting",
		"catbridge.yaml:38: unknown setting",
		`$CATBRIDGE_LOG_LEVEL: "loud" is not one of debug, info, warn, error, off`,
		"$CATBRIDGE_REDIS_PASSWORD_FILE: $CATBRIDGE_REDIS_PASSWORD is given, too: give one of them",
		"--poll-interval: -1s is not above zero",
		`--redis-db: "x" is not a whole number`,
	)
}

func TestAnInvalidFileIsRejectedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"a: b: c":                              "catbridge.yaml:1: invalid YAML: mapping values are not allowed in this context",
		"log:\n\tlevel: info":                  "catbridge.yaml:2: invalid YAML: found character that cannot start any token",
		"- a":                                  "catbridge.yaml:1: expected settings, each as name: value",
		"text":                                 "catbridge.yaml:1: expected settings, each as name: value",
		"log: {}\n---\nlog: {}":                "catbridge.yaml:2: a second YAML document starts here: write only one",
		"redis: {password: *" + password + "}": "catbridge.yaml:1: invalid YAML: a value starts with *, but is not an alias of an anchor: put it in quotes",
		"log: &a {level: *a}":                  "catbridge.yaml:1: log.level: expected a single value",
		"log: {<<: {level: info}}":             "catbridge.yaml:1: merge keys (<<) are not supported",
		"log: {level: !secret x}":              "catbridge.yaml:1: log.level: expected a single value",
		"log.level: info":                      `catbridge.yaml:1: unknown setting "log.level": write nested settings with indentation, not with dots`,
		"redis: redis://h":                     "catbridge.yaml:1: redis: expected settings, each as name: value",
		"sdk_keys: {name: x}":                  "catbridge.yaml:1: sdk_keys: expected a list of SDK keys, each with name and key",
	} {
		given{flags: []string{"--sdk-key", keyA, "--redis", "redis://h"}, file: text}.faults(t, want)
	}
	given{flags: []string{"--sdk-key", keyA, "--redis", "redis://h"}, file: "redis: {namespace: a b}"}.faults(t,
		`catbridge.yaml:1: redis.namespace: "a b" is not a namespace: write 1 to 32 of A-Z, a-z, 0-9, dot, underscore and hyphen`)
	given{flags: []string{"--sdk-key", keyA, "--redis", "redis://h", "--redis-namespace", "{a}"}}.faults(t,
		`--redis-namespace: "{a}" is not a namespace: write 1 to 32 of A-Z, a-z, 0-9, dot, underscore and hyphen`)
	// An empty value is not an error.
	for _, text := range []string{"# empty", "{}", "---", "log:", "redis: {password: null, tls: }", "~"} {
		given{flags: []string{"--sdk-key", keyA, "--redis", "redis://h"}, file: text}.must(t)
	}
	given{flags: []string{"--sdk-key", keyA, "--redis", "redis://h", "--config", "/absent/file"}}.faults(t,
		"--config: read /absent/file: no such file or directory")
}

func TestMissingSettingsAreReported(t *testing.T) {
	const noKey = "no SDK key: give --sdk-key, $CATBRIDGE_SDK_KEY or --sdk-key-file, or sdk_keys in the file of --config"
	const noRedis = "no Redis: give --redis or $CATBRIDGE_REDIS_URL, such as redis://localhost:6379"
	given{}.faults(t, noKey, noRedis)
	given{flags: []string{"--listen", "x"}}.faults(t, noKey, "--listen: it is not an address to listen on: write host:port or :port", noRedis)
	given{flags: []string{"--sdk-key", keyA}}.faults(t, noRedis)
}

// TestAnAliasHasTheValueOfItsAnchor uses one list for several SDK keys.
func TestAnAliasHasTheValueOfItsAnchor(t *testing.T) {
	s := given{flags: []string{"--redis", "redis://h"}, file: `
sdk_keys:
  - {name: a, key: ` + keyA + `, allowed_hosts: &hosts [one, &two two]}
  - {name: b, key: ` + keyB + `, allowed_hosts: *hosts, base_url: &url http://x}
listen: &listen :1
base_url: *url
`}.must(t)
	if hosts := s.SDKKeys[1].AllowedHosts; len(hosts) != 2 || s.Defaults.BaseURL != "http://x" {
		t.Errorf("%q, %q", hosts, s.Defaults.BaseURL)
	}
}

func TestFilesReadableByAllUsersCauseAWarning(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for text, warned := range map[string]string{
		"sdk_keys: [{key: " + keyA + "}]":                 "catbridge.yaml",
		"sdk_keys: [{key_file: key}]":                     "key",
		"{sdk_key_file: key, redis: {password_file: pw}}": "key pw",
		"{sdk_key_file: key, redis: {password: x}}":       "key catbridge.yaml",

		"{sdk_key_file: key, redis: {url: redis://leader@h, password_file: pw}}": "key pw", // a user name is not a secret
		"{sdk_key_file: key, redis: {url: 'redis://h:1', password_file: pw}}":    "key pw",
		"{sdk_key_file: key, redis: {url: 'redis://leader:x@h'}}":                "key catbridge.yaml",
		"{sdk_key_file: key, redis: {url: 'redis://:x@h'}}":                      "key catbridge.yaml",
		"{sdk_key_file: key, proxy_url: 'http://user@h:1'}":                      "key",
		"{sdk_key_file: key, proxy_url: 'http://user:x@h:1'}":                    "key catbridge.yaml",
		"{sdk_key_file: key, base_url: 'http://user:x@h'}":                       "key catbridge.yaml",
		"{sdk_key_file: key, tracing: {endpoint: 'http://user:x@h:1'}}":          "key catbridge.yaml",
		"sdk_keys: [{key_file: key, base_url: 'http://user:x@h'}]":               "key catbridge.yaml",
		"{sdk_key_file: key, redis: {url: 'redis://h/0?read_timeout=1s'}}":       "key",
	} {
		write("key", keyA)
		write("pw", password)
		s, err := Load(Options{Part: Leader, Variables: Leader, File: true, Environ: []string{
			"CATBRIDGE_CONFIG=" + write("catbridge.yaml", text), "CATBRIDGE_REDIS_URL=redis://h",
		}})
		if err != nil {
			t.Fatal(err)
		}
		for name := range strings.FieldsSeq(warned) {
			if !strings.Contains(strings.Join(s.Warnings, "\n"), filepath.Join(folder, name)+" holds secrets") {
				t.Errorf("%s: %q", text, s.Warnings)
			}
		}
		if len(s.Warnings) != len(strings.Fields(warned)) {
			t.Errorf("%s: %q", text, s.Warnings)
		}
	}
}
