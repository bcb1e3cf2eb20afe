//go:build unix

package settings

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/oddfile"
)

// TestIrregularFilesAreRejected_ByEachSetting sets each setting to the path of an
// irregular file. If a setting accepts a pipe, a pipe without a writer is an empty file.
func TestIrregularFilesAreRejected_ByEachSetting(t *testing.T) {
	const emptyPipe = true
	good := []string{"CATBRIDGE_SDK_KEY=" + keyA, "CATBRIDGE_REDIS_URL=rediss://h"}
	for setting, c := range map[string]struct {
		variable string
		environ  []string
		pipe     bool
		empty    string // the error for an empty file
	}{
		"configuration file":     {"CATBRIDGE_CONFIG", good, emptyPipe, ""},
		"file of SDK keys":       {"CATBRIDGE_SDK_KEY_FILE", good[1:], emptyPipe, "contains no SDK key"},
		"file of signing keys":   {"CATBRIDGE_WEBHOOK_KEY_FILES", good, emptyPipe, "contains no key"},
		"password file":          {"CATBRIDGE_REDIS_PASSWORD_FILE", good, false, ""},
		"CDN's CA file":          {"CATBRIDGE_CDN_CA_FILE", good, false, ""},
		"CA file":                {"CATBRIDGE_REDIS_TLS_CA_FILE", good, false, ""},
		"certificate":            {"CATBRIDGE_REDIS_TLS_CERT_FILE", good, false, ""},
		"key of the certificate": {"CATBRIDGE_REDIS_TLS_KEY_FILE", good, false, ""},
		"Sentinels' password file": {"CATBRIDGE_REDIS_SENTINEL_PASSWORD_FILE",
			[]string{good[0], "CATBRIDGE_REDIS_ADDRESSES=h", "CATBRIDGE_REDIS_MODE=sentinel", "CATBRIDGE_REDIS_MASTER_NAME=m"}, emptyPipe, "is empty"},
	} {
		for _, odd := range oddfile.All(t) {
			t.Run(setting+"/"+odd.Name, func(t *testing.T) {
				environ := append([]string{c.variable + "=" + odd.Path}, c.environ...)
				switch c.variable { // certificate and key are read together
				case "CATBRIDGE_REDIS_TLS_CERT_FILE":
					environ = append(environ, "CATBRIDGE_REDIS_TLS_KEY_FILE="+odd.Path)
				case "CATBRIDGE_REDIS_TLS_KEY_FILE":
					environ = append(environ, "CATBRIDGE_REDIS_TLS_CERT_FILE=settings.go")
				}
				s, err := Load(Options{Part: Leader, Variables: Leader, File: true, Environ: environ})
				want := odd.Says
				if c.pipe && strings.Contains(odd.Name, "pipe") {
					if want = c.empty; len(s.Pipes) != 1 {
						t.Errorf("pipes %q", s.Pipes)
					}
				}
				if want == "" && err == nil {
					return
				}
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), odd.Path) {
					t.Errorf("%v, want %q of %s", err, want, odd.Path)
				}
			})
		}
	}
}
