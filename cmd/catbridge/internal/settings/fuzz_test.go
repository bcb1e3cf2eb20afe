package settings

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse loads files of any kind: nothing panics, every fault of a file has its line, and no
// error contains a secret.
func FuzzParse(f *testing.F) {
	sample, err := os.ReadFile(sample)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(sample), "", "~", "[]", "a: b: c", "log: &a [*a]", "a: &a\n  <<: *a", "? {a: b}\n: c", "---\n---\n",
		"redis: {url: 'redis://user:SECRET@h'}", "redis: {password: SECRET, url: x}", "redis: {password: *SECRET}",
		"sdk_keys:\n- {name: a, key: SECRET}\n- {key: SECRET, poll_interval: 1ms}\n- [x]\n- &x {name: *y}\n",
		"webhook_keys: [SECRET, SECRET]\nlisten: :1\n", "redis: {url: 'rediss://SECRET', tls: {ca_file: x}, mode: cluster}",
		"poll_interval: 1e9s\nread_budget: 99999999999999999999\ntracing: {sample_ratio: NaN}\n", "\xff\xfe", "log: !!binary aGk=",
		"timings: {lock_expiry: 20s, retry: 1s, retry_period: 1s}\nsdk_keys: [{timings: {retry: 1s}}]\n",
	} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "f.yaml")
	line := regexp.MustCompile(`^` + regexp.QuoteMeta(path) + `:[1-9]\d*$`)
	f.Fuzz(func(t *testing.T, text string) {
		const secret = "s3cr3ts3cr3ts3cr3t!" // not the form of any setting
		with := strings.ReplaceAll(text, "SECRET", secret)
		if strings.Contains(text, "_file") || strings.Contains(text, "socket") || strings.Contains(strings.ReplaceAll(text, "SECRET", ""), secret) {
			return // not files of this machine
		}
		d := parse(path, []byte(with))
		for _, fault := range d.faults {
			if !line.MatchString(fault.Where) {
				t.Errorf("%q has no line: %v", fault.Where, fault)
			}
		}
		if err := os.WriteFile(path, []byte(with), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Load(Options{
			Part: Leader, Variables: Leader, File: true,
			Environ: []string{"CATBRIDGE_CONFIG=" + path, "HTTPS_PROXY="},
		})
		if err == nil && len(d.faults) > 0 {
			t.Errorf("it is loaded with faults: %v", d.faults)
		}
		if err != nil && secretPlace.MatchString(text) && strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in %v", secret, err)
		}
		if err != nil {
			return
		}
		printed, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if secretPlace.MatchString(text) && strings.Contains(string(printed), secret) {
			t.Errorf("%q is in %s", secret, printed)
		}
		if again := parse("printed", printed); len(again.faults) > 0 && utf8.ValidString(text) {
			t.Errorf("the printed settings are not a valid file: %v\n%s", again.faults, printed)
		}
	})
}

// secretPlace matches text with the secret in a place for secrets.
var secretPlace = regexp.MustCompile(`^(redis: \{(password: |url: 'rediss?://\w*:)SECRET[^S]*|webhook_keys: \[SECRET[^S]*|sdk_keys:\n- \{name: \w*, key: SECRET[^S]*)$`)

// FuzzSDKKeys checks that errors and labels do not contain the SDK keys of flags and files.
func FuzzSDKKeys(f *testing.F) {
	f.Add("s3cr3ts3cr3ts3cr3t", "/", "")
	f.Add("configcat-sdk-1/", "=", "x")
	f.Add("a=", "\n", "#")
	f.Add("x,", ",", "\x00")
	path := filepath.Join(f.TempDir(), "keys")
	f.Fuzz(func(t *testing.T, before, middle, after string) {
		const secret = "s3cr3ts3cr3ts3cr3t"
		text := before + secret + middle + secret + after
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, variable := range []string{"CATBRIDGE_SDK_KEY=" + text, "CATBRIDGE_SDK_KEY_FILE=" + path} {
			s, err := Load(Options{Part: SDKKeys, Variables: SDKKeys, Environ: []string{variable}})
			if err != nil && strings.Contains(err.Error(), secret[:7]) {
				t.Errorf("%q shows too much", err)
			}
			for _, k := range s.SDKKeys {
				if err == nil && k.Name == "" && strings.Contains(k.Label(), secret[:7]) {
					t.Errorf("%q shows too much", k.Label())
				}
			}
		}
	})
}
