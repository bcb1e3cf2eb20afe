package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestDoctorChecksServe(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', token_files: [tokens]}", "tokens": configToken})
	s.ready()
	for _, key := range []string{testKey, "configcat-proxy/shop." + configToken} {
		text := s.doctor(exitOK, "--serve", s.base, "--sdk-key", "shop="+key)
		for _, line := range []string{
			`✓ settings: 1 SDK key\(s\)`, `✓ serve URL: http://127\.0\.0\.1:\d+ has the form of a base URL`, `✓ serve network: 127\.0\.0\.1:\d+ answers without TLS, after .*`,
			`✓ serve ready: ready; shop: ready, live`, `✓ serve config shop: ….{6} receives a config of \d+ bytes with \d+ flag\(s\), confirmed by the CDN \d+ s ago`,
			`✓ serve ETag shop: the answer to an SDK that has the config is 304`, `– serve gzip shop: the config is sent without gzip: it is small, or .*`,
		} {
			if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(text) {
				t.Errorf("there is no line %s in\n%s", line, text)
			}
		}
	}
	if text := s.doctor(exitFailure, "--serve", s.base, "--sdk-key", otherTestKey); !strings.Contains(text, "✗ serve config") || !strings.Contains(text, "it answers 404 Not Found") {
		t.Errorf("for an unknown SDK key it prints\n%s", text)
	}
	s.doctor(exitUsage, "--serve", s.base, "--sdk-key", testKey, "--as", "follower")
	s.doctor(exitUsage, "--serve", "", "--sdk-key", testKey)
}

// doctor runs catbridge doctor in this process, and returns its output without secrets.
func (s *serving) doctor(want int, args ...string) string {
	s.Helper()
	var out, err strings.Builder
	if code := run(s.Context(), append([]string{"doctor"}, args...), strings.NewReader(""), &out, &err); code != want {
		s.Errorf("exit code %d, want %d\n%s%s", code, want, &out, &err)
	}
	if strings.Contains(out.String()+err.String(), "secretsecret") {
		s.Errorf("a secret shows up in\n%s%s", &out, &err)
	}
	return out.String()
}
