package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrintedSettingsNameTheirSourcesAndHideSecrets(t *testing.T) {
	s := given{
		flags:   []string{"--poll-interval", "3s", "--redis", "rediss://user:" + password + "@h"},
		environ: []string{"CATBRIDGE_LOG_LEVEL=warn", "CATBRIDGE_PROXY_URL=http://u:" + password + "@p:1", "KEY=" + keyB},
		files:   map[string]string{"hook": "secretsecretsecret"},
		file: `sdk_keys:
  - name: a
    key: ` + keyA + `
    webhook_keys: [secretsecretsecret]
    poll_interval: 2s
  - {name: b, key_env: KEY, base_url: http://cdn.test}
webhook_key_files: [hook]
data_governance: eu
listen: :1
`}.must(t)
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	have := strings.ReplaceAll(string(text), s.File, "FILE")
	want := `sdk_keys:
  - name: a # FILE:2
    key: …et1111 # FILE:3
    data_governance: eu # FILE:8
    poll_interval: 2s # FILE:5
    webhook_keys: # FILE:4
      - …secret
  - name: b # FILE:6
    key: …et2222 # FILE:6, key_env
    base_url: http://cdn.test # FILE:6
    data_governance: eu # FILE:8
    poll_interval: 3s # --poll-interval
    webhook_keys: # FILE:7
      - …secret
redis:
  mode: single # default
  addresses: # --redis
    - h
  username: user # --redis
  password: '********' # --redis
  tls:
    enabled: true # --redis
`
	if diff := cmp.Diff(want, have[:min(len(want), len(have))]); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
	for _, want := range []string{"level: warn # $CATBRIDGE_LOG_LEVEL", "proxy_url: http://u:xxxxx@p:1 # $CATBRIDGE_PROXY_URL", "lease_duration: 15s # default"} {
		if !strings.Contains(have, want) {
			t.Errorf("%q is missing in\n%s", want, have)
		}
	}
	if strings.Contains(have, "secretsecret") || strings.Contains(have, password) {
		t.Errorf("a secret is in\n%s", have)
	}
}

// TestPrintedSettingsLoadAsTheSameSettings loads the printed settings, with the secrets
// put back.
func TestPrintedSettingsLoadAsTheSameSettings(t *testing.T) {
	g := given{
		flags:   []string{"--fast", "--sdk-key", "a=" + keyA, "--redis", "redis://user:" + password + "@h:1/2?read_timeout=2s", "--expected-followers", "7"},
		environ: []string{"CATBRIDGE_ALLOWED_HOSTS=x,y", "CATBRIDGE_PPROF=true", "CATBRIDGE_STATUS=false", "CATBRIDGE_LISTEN=:1"},
	}
	first := g.must(t)
	text, err := first.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file := strings.NewReplacer("…et1111", keyA, "'"+masked+"'", password).Replace(string(text))
	second := given{file: file}.must(t)
	if diff := cmp.Diff(first.LeaderConfig(), second.LeaderConfig()); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
	if names := first.Restart(second, Leader); len(names) > 0 {
		t.Errorf("%q differ in\n%s", names, file)
	}
}

func TestRestartNamesOnlySettingsThatNeedOne(t *testing.T) {
	g := given{environ: []string{"CATBRIDGE_SDK_KEY=" + keyA, "CATBRIDGE_REDIS_URL=redis://h"}}
	first := g.must(t)
	g.file = "{log: {level: debug, format: text}, poll_interval: 2s, timings: {renew_interval: 2s}, redis: {pool_size: 3}, listen: ':1', base_url: 'http://x'}"
	if diff := cmp.Diff([]string{"redis.pool_size", "timings.renew_interval", "listen", "log.format"}, first.Restart(g.must(t), Leader)); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

func TestATokenInAURLIsNotPrinted(t *testing.T) {
	text, err := given{flags: []string{
		"--sdk-key", keyA, "--redis", "redis://h", "--tracing-endpoint", "http://u:" + password + "@h/v1?token=" + password,
	}}.must(t).YAML()
	if err != nil || strings.Contains(string(text), password) || !strings.Contains(string(text), "http://u:xxxxx@h/v1?"+masked) {
		t.Errorf("%v\n%s", err, text)
	}
}
