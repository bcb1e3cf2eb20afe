package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEventKeysAreReadFromAFile(t *testing.T) {
	one, two := strings.Repeat("1secret!", 4), strings.Repeat("2secret!", 8)
	path := filepath.Join(t.TempDir(), "keys")
	load := func(text string) (*Settings, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(Options{Part: Serve, Variables: Serve, File: true, AnySDKKey: true, Environ: []string{
			"CATBRIDGE_SDK_KEY=shop=configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111", "CATBRIDGE_REDIS_URL=redis://localhost:6379", "CATBRIDGE_SERVE_EVENT_KEY_FILE=" + path,
		}})
	}
	s, err := load(one + " # the new one\n\n" + two + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if keys := s.Serve.EventKeys; len(keys) != 2 || string(keys[0]) != one || string(keys[1]) != two {
		t.Errorf("%q", keys)
	}
	for text, part := range map[string]string{"": "contains no key", "# none\n": "contains no key", one + "\nshort-secret!\n": ":2: a key has 32 or more characters"} {
		_, err := load(text)
		if err == nil || !strings.Contains(err.Error(), "EVENT_KEY_FILE") || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret!") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
