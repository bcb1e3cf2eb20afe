package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

// TestEveryFaultOfAFileNamesLineAndSetting has errors that depend on other settings, or
// on the contents of files.
func TestEveryFaultOfAFileNamesLineAndSetting(t *testing.T) {
	for text, want := range map[string][]string{
		"redis:\n  url: http://u:" + password + "@h": {"2: redis.url: it must start with redis://, rediss:// or unix://"},
		"redis:\n  url: redis://h?foo=1": {"2: redis.url: unknown option foo: the options are addr, master_name, dial_timeout, " +
			"read_timeout, write_timeout, conn_max_idle_time, conn_max_lifetime, pool_size, protocol"},
		"redis:\n  url: redis://h\n  socket: /x":                             {"3: redis.socket: redis.url (catbridge.yaml:2) is given, too: give one of them"},
		"redis:\n  addresses: [h]\n  mode: sentinel":                         {"3: redis.master_name: the name by which the Sentinels know the primary is missing"},
		"redis:\n  url: redis://h\n  tls:\n    ca_file: absent":              {"4: redis.tls.enabled: TLS is configured but not enabled: set redis.tls.enabled to true, or write rediss://", "4: redis.tls.ca_file: read absent: no such file or directory"},
		"redis:\n  url: rediss://h\n  tls:\n    key_file: x\n    ca_file: y": {"4: redis.tls.key_file: a key needs its certificate: set redis.tls.cert_file", "5: redis.tls.ca_file: read y: no such file or directory"},
		"redis:\n  url: redis://h\ntimings:\n  lease_duration: 1s":           {"4: timings.renew_deadline: renew_deadline must be below lease_duration, or two leaders act at once"},
		"redis:\n  url: redis://h\n  password: &" + password:                 {"3: redis.password: the value starts with &, which defines an anchor: put it in quotes"},
		"redis:\n  url: redis://h\n\n  password: *" + password:               {"4: invalid YAML: a value starts with *, but is not an alias of an anchor: put it in quotes"},
		"redis:\n  url: redis://h\n  password: a\x01":                        {"3: invalid YAML: control characters are not allowed"},
		"redis:\n  url: redis://h\nlog: {level: info\nlisten: :1":            {"3: invalid YAML: did not find expected ',' or '}'"},
		"redis:\n  url: redis://h\nsdk_keys:\n- {name: a, key: ''}":          {"4: sdk_keys[0].key: the SDK key is empty"},
	} {
		for i := range want {
			want[i] = "catbridge.yaml:" + want[i]
		}
		g := given{file: text}
		if !strings.Contains(text, "sdk_keys") {
			g.environ = []string{"CATBRIDGE_SDK_KEY=" + keyA}
		}
		g.faults(t, want...)
	}
}

func TestAByteOrderMarkIsNotPartOfASecret(t *testing.T) {
	s := given{
		flags: []string{"--redis", "redis://h"},
		files: map[string]string{"key": "\ufeff" + keyA + "\r\n", "hook": "\ufeffsecretsecretsecret\r\n", "pw": "\ufeff" + password + "\r\n"},
		file:  "sdk_keys: [{name: a, key_file: key, webhook_key_files: [hook]}]\nredis: {sentinel_password_file: pw, mode: sentinel, master_name: x, addresses: [h]}",
	}.must(t)
	if k := s.SDKKeys[0]; k.Key != keyA || k.WebhookKeys[0] != "secretsecretsecret" || s.Redis.SentinelPassword != password {
		t.Errorf("%q %q %q", k.Key, k.WebhookKeys, s.Redis.SentinelPassword)
	}
}

// TestAPipeIsReadOnceAndDoesNotBlock: the end of the process would wait for it.
func TestAPipeIsReadOnceAndDoesNotBlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		missing.Skip(t, "named pipes are missing: let $TMPDIR be on a file system that has them (%v)", err)
	}
	load := func(path string) (*Settings, error) {
		return Load(Options{Part: SDKKeys, Variables: SDKKeys, Environ: []string{"CATBRIDGE_SDK_KEY_FILE=" + path}})
	}
	s, err := load(path) // no writer
	if err == nil || !strings.Contains(err.Error(), "contains no SDK key") || !slices.Equal(s.Pipes, []string{path}) {
		t.Errorf("%v, pipes %q", err, s.Pipes)
	}
	// As a shell does with the output of a command.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fmt.Fprintln(w, keyA)
	w.Close()
	if s, err = load(fmt.Sprintf("/dev/fd/%d", r.Fd())); err != nil || len(s.SDKKeys) != 1 || len(s.Pipes) != 1 {
		t.Errorf("%v, pipes %q", err, s.Pipes)
	}
}

func TestTheNumberOfReportedFaultsIsBounded(t *testing.T) {
	d := parse("f", []byte(strings.Repeat("nonsense: 1\n", 10*maxFaults)))
	if len(d.faults) != maxFaults+1 || d.faults[maxFaults].Text != "and more" {
		t.Errorf("%d faults", len(d.faults))
	}
}
