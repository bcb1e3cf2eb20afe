package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

const (
	keyA     = "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111"
	keyB     = "configcat-sdk-1/BBBBBBBBBBBBBBBBBBBBBB/secretsecretsecret2222"
	password = "pa55word-of-redis"
)

// given are the sources of a leader's settings.
type given struct {
	flags   []string
	environ []string
	file    string // text of catbridge.yaml
	files   map[string]string
	options Options
}

// load loads the settings from a new folder, and removes the folder from the faults.
func (g given) load(t *testing.T) (*Settings, error) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range g.files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if g.options.Part == 0 {
		g.options = Options{Part: Leader, Variables: Leader, File: true}
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags, g.options)
	args := g.flags
	if g.file != "" {
		path := filepath.Join(folder, "catbridge.yaml")
		if err := os.WriteFile(path, []byte(g.file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(slices.Clone(args), "--config", path)
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	g.options.Flags, g.options.Environ = flags, g.environ
	s, err := Load(g.options)
	if faults, ok := err.(Faults); ok {
		for i := range faults {
			faults[i].Where = strings.ReplaceAll(faults[i].Where, folder+"/", "")
			faults[i].Text = strings.ReplaceAll(faults[i].Text, folder+"/", "")
		}
		return s, faults
	}
	return s, err
}

func (g given) must(t *testing.T) *Settings {
	t.Helper()
	s, err := g.load(t)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// faults checks for exactly these faults, in this order.
func (g given) faults(t *testing.T, want ...string) {
	t.Helper()
	_, err := g.load(t)
	var have []string
	if faults, ok := err.(Faults); ok {
		for _, fault := range faults {
			have = append(have, fault.String())
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
	for _, secret := range []string{"secretsecret", password} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q shows up in %v", secret, err)
		}
	}
}

// TestEverySettingHasAFlagAVariableAndAPlaceInTheFile sets each setting by each of the
// three, and by every pair of them, and checks which one wins.
func TestEverySettingHasAFlagAVariableAndAPlaceInTheFile(t *testing.T) {
	names := map[string]bool{}
	var all Settings
	for _, set := range all.table(&more{}) {
		if set.path == pathKeys {
			continue
		}
		t.Run(set.path, func(t *testing.T) {
			part := Leader
			if set.part&Leader == 0 {
				part = Serve
			}
			flag := fmt.Sprint(part, set.flagName()) // leader and serve have flags of their own
			if names[set.variable()] || names[flag] {
				t.Errorf("duplicate $%s or --%s", set.variable(), set.flagName())
			}
			names[set.variable()], names[flag] = true, true
			texts := [3]string{"one", "two", "three"}
			switch c, isChoice := set.value.(*choices); {
			case isChoice:
				texts = [3]string{c.words[0], c.words[1], c.words[0]}
			case set.value.kind() == "bool":
				texts = [3]string{"true", "false", "true"}
			case set.value.kind() == "duration":
				texts = [3]string{"1s", "2s", "3s"}
			case set.value.kind() == "int", set.value.kind() == "float":
				texts = [3]string{"1", "0", "1"}
			}
			for sources := 1; sources < 8; sources++ {
				src := []*source{}
				want := ""
				if sources&1 != 0 {
					yaml := texts[0]
					if set.value.list() {
						yaml = "[" + yaml + "]"
					}
					for _, name := range slices.Backward(strings.Split(set.path, ".")) {
						yaml = "{" + name + ": " + yaml + "}"
					}
					d := parse("/f.yaml", []byte(yaml))
					src = append(src, fromFile(d, all.table(&more{})))
					want = texts[0]
					if set.value.path() {
						want = "/" + want
					}
				}
				if sources&2 != 0 {
					src = append(src, fromEnvironment([]string{set.variable() + "=" + texts[1]}, part, all.table(&more{})))
					want = texts[1]
				}
				if sources&4 != 0 {
					if set.secret {
						continue
					}
					flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
					AddFlags(flags, Options{Part: part})
					text := texts[2]
					if set.path == pathProfile {
						text = map[string]string{"default": "false", "fast": "true"}[text]
					}
					if err := flags.Parse([]string{"--" + set.flagName() + "=" + text}); err != nil {
						t.Fatal(err)
					}
					src = append(src, fromFlags(flags, all.table(&more{})))
					want = texts[2]
				}
				for _, s := range src {
					if len(s.faults) > 0 {
						t.Fatal(s.faults)
					}
				}
				last := src[len(src)-1]
				if !last.has(set.path) {
					t.Fatalf("%b: it is not there", sources)
				}
				if have := last.values[set.path]; !slices.Equal(have, []string{want}) {
					t.Errorf("%b: %q, want %q", sources, have, want)
				}
			}
		})
	}
}

func TestFlagsWinOverVariablesAndVariablesOverTheFile(t *testing.T) {
	g := given{
		flags:   []string{"--poll-interval", "3s"},
		environ: []string{"CATBRIDGE_POLL_INTERVAL=2s", "CATBRIDGE_LOG_LEVEL=warn", "CATBRIDGE_SDK_KEY=" + keyA, "CATBRIDGE_LISTEN="},
		file:    "{poll_interval: 1s, log: {level: debug, format: json}, listen: ':1', redis: {url: 'redis://file:1/1', password: x}}",
	}
	s := g.must(t)
	if s.SDKKeys[0].PollInterval.String() != "3s" || s.Log != (Log{"warn", "json"}) || s.Listen != ":1" || s.Redis.Password != "x" {
		t.Errorf("%+v", s)
	}
	// A URL counts as all settings in it, and as no others.
	g.environ = append(g.environ, "CATBRIDGE_REDIS_URL=rediss://user:word@env:2")
	s = g.must(t)
	if s.Redis.Addresses[0] != "env:2" || s.Redis.Username != "user" || s.Redis.Password != "word" || s.Redis.DB != 1 || !s.Redis.TLS.Enabled {
		t.Errorf("%+v", s.Redis)
	}
	g.flags = append(g.flags, "--redis", "redis://flag:3", "--redis-tls=false")
	s = g.must(t)
	if s.Redis.Addresses[0] != "flag:3" || s.Redis.Username != "user" || s.Redis.Password != "word" || s.Redis.TLS.Enabled {
		t.Errorf("%+v", s.Redis)
	}
}

// TestExclusiveSettingsOfAHigherSourceReplaceThoseOfALower sets exclusive settings
// in two sources.
func TestExclusiveSettingsOfAHigherSourceReplaceThoseOfALower(t *testing.T) {
	s := given{
		flags:   []string{"--sdk-key", "flag=" + keyB, "--redis", "redis://h"},
		environ: []string{"CATBRIDGE_REDIS_PASSWORD=" + password},
		file:    "{sdk_keys: [{name: a, key_file: absent}], redis: {socket: x, password_file: absent}}",
	}.must(t)
	if len(s.SDKKeys) != 1 || s.SDKKeys[0].Name != "flag" || s.Redis.Socket != "" || s.Redis.PasswordFile != "" || s.Redis.Password != password {
		t.Errorf("%+v", s)
	}
	s = given{
		flags:   []string{"--redis-address", "h1", "--redis-address", "h2:1", "--redis-mode", "cluster"},
		environ: []string{"CATBRIDGE_REDIS_URL=redis://:" + password + "@env:2", "CATBRIDGE_SDK_KEY=one=" + keyA + ", two=" + keyB},
		file:    "{sdk_key_file: absent, redis: {password_env: ABSENT}}",
	}.must(t)
	if len(s.SDKKeys) != 2 || s.Redis.Password != password || !slices.Equal(s.Redis.Addresses, []string{"h1", "h2:1"}) {
		t.Errorf("%+v", s)
	}
	// The password of one source is not used for the Redis of another.
	s = given{
		flags:   []string{"--redis", "redis://user:word@h", "--sdk-key", keyA},
		environ: []string{"CATBRIDGE_REDIS_PASSWORD_FILE=absent"},
	}.must(t)
	if s.Redis.Password != "word" || s.Redis.PasswordFile != "" {
		t.Errorf("%+v", s.Redis)
	}
}

func TestAnSDKKeysOwnSettingsWinOverTheCommonOnes(t *testing.T) {
	s := given{
		environ: []string{"KEY=" + keyB, "MORE=signing-key-four, signing-key-five", "CATBRIDGE_POLL_INTERVAL=9s"},
		files:   map[string]string{"a.key": keyA + "\n", "hook": "# old\nsigning-key-one-1\n\nsigning-key-two-2 # new\n"},
		file: `
sdk_keys:
  - {name: a, key_file: a.key, poll_interval: 2s, webhook_keys: [signing-key-three], webhook_key_files: [hook], webhook_keys_env: MORE, allow_private: false}
  - {name: b, key_env: KEY, data_governance: global, allowed_hosts: [own]}
base_url: http://cdn.test
data_governance: eu
allowed_hosts: [common]
allow_private: true
webhook_keys: [signing-key-six-6]
redis: {url: redis://h}
`}.must(t)
	a, b := s.SDKKeys[0], s.SDKKeys[1]
	if a.Key != keyA || a.PollInterval.String() != "2s" || a.DataGovernance != "eu" || a.AllowPrivate || a.BaseURL != "http://cdn.test" ||
		!slices.Equal(a.AllowedHosts, []string{"common"}) || !slices.Equal(a.WebhookKeys, []string{"signing-key-three", "signing-key-one-1", "signing-key-two-2", "signing-key-four", "signing-key-five"}) {
		t.Errorf("%+v", a)
	}
	if b.Key != keyB || b.PollInterval.String() != "9s" || b.DataGovernance != "global" || !b.AllowPrivate ||
		!slices.Equal(b.AllowedHosts, []string{"own"}) || !slices.Equal(b.WebhookKeys, []string{"signing-key-six-6"}) {
		t.Errorf("%+v", b)
	}
	if len(s.Files) != 3 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "no HTTP server") {
		t.Errorf("files %q, warnings %q", s.Files, s.Warnings)
	}
}

func TestTheFastProfileSetsOnlyDurationsThatAreNotGiven(t *testing.T) {
	g := given{flags: []string{"--fast", "--sdk-key", keyA, "--redis", "redis://h"}, file: "timings: {renew_interval: 2s}"}
	s := g.must(t)
	if !s.Fast() || s.Timings.LeaseDuration.String() != "6s" || s.Timings.RenewInterval.String() != "2s" || s.SDKKeys[0].PollInterval.String() != "5s" {
		t.Errorf("%+v", s.Timings)
	}
	g.flags[0] = "--fast=false"
	g.environ = []string{"CATBRIDGE_TIMINGS_PROFILE=fast"}
	if s := g.must(t); s.Fast() || s.Timings.LeaseDuration.String() != "15s" || s.SDKKeys[0].PollInterval.String() != "55s" {
		t.Errorf("%+v", s.Timings)
	}
}
