package settings

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func loadUI(t *testing.T, part Part, tokens string, more ...string) (*Settings, error) {
	t.Helper()
	environ := append([]string{
		"CATBRIDGE_SDK_KEY=shop=configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111", "CATBRIDGE_REDIS_URL=redis://localhost:6379", "CATBRIDGE_UI=true",
	}, more...)
	if tokens != "" {
		path := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(path, []byte(tokens), 0o600); err != nil {
			t.Fatal(err)
		}
		name := "CATBRIDGE_UI_TOKEN_FILES="
		if part == Serve {
			name = "CATBRIDGE_SERVE_TOKEN_FILES="
		}
		environ = append(environ, name+path)
	}
	return Load(Options{Part: part, Variables: part, File: true, Environ: environ})
}

// One form of file is for both, with the rights to the dashboard besides the others.
func TestTokensOfTheDashboardAreReadFromFiles(t *testing.T) {
	const text = "secret-token-reads-1 rights=read name=Ada@example.com\nsecret-token-orders1 sdks=shop rights=explain,control,status # comment\nsecret-token-configs\n"
	leader, err := loadUI(t, Leader, text, "CATBRIDGE_LISTEN=:8080")
	if err != nil {
		t.Fatal(err)
	}
	serve, err := loadUI(t, Serve, text, "CATBRIDGE_SERVE_LISTEN=:8093")
	if err != nil {
		t.Fatal(err)
	}
	for name, tokens := range map[string][]Token{"leader": leader.UITokens, "serve": serve.Serve.Tokens} {
		if len(tokens) != 3 {
			t.Fatalf("%s: %d tokens", name, len(tokens))
		}
		reads, orders, configs := tokens[0], tokens[1], tokens[2]
		if !reads.Read || reads.Explain || reads.Control || reads.Config || reads.Name != "Ada@example.com" || !reads.Shows() {
			t.Errorf("%s: %+v", name, reads)
		}
		if orders.Read || !orders.Explain || !orders.Control || !orders.Status || !slices.Equal(orders.SDKs, []string{"shop"}) || !orders.Shows() {
			t.Errorf("%s: %+v", name, orders)
		}
		if !configs.Config || configs.Shows() {
			t.Errorf("%s: %+v", name, configs)
		}
	}
	if len(leader.Warnings) > 0 {
		t.Errorf("%q", leader.Warnings)
	}
	if warnings := strings.Join(serve.Warnings, "\n"); !strings.Contains(warnings, "has the right control, which has no effect here") {
		t.Errorf("%q", warnings)
	}
	if !slices.ContainsFunc(leader.Files, func(path string) bool { return strings.HasSuffix(path, "/tokens") }) {
		t.Errorf("the file is not watched: %q", leader.Files)
	}
}

func TestFaultsOfTheDashboardSayWhatToDo(t *testing.T) {
	good := "secret-token-reads-1 rights=read\n"
	for name, c := range map[string]struct {
		part         Part
		tokens, want string
		more         []string
	}{
		"no tokens":         {Leader, "", "no token has the right read, explain or control: give one in ui_token_files", []string{"CATBRIDGE_LISTEN=:8080"}},
		"no tokens at all":  {Leader, "", "give one in ui_token_files", []string{"CATBRIDGE_LISTEN=10.0.0.1:8080"}},
		"loopback":          {Leader, "", "", []string{"CATBRIDGE_LISTEN=127.0.0.1:8080"}},
		"localhost":         {Leader, "", "", []string{"CATBRIDGE_LISTEN=localhost:8080"}},
		"IPv6 loopback":     {Leader, "", "", []string{"CATBRIDGE_LISTEN=[::1]:8080"}},
		"tokens":            {Leader, good, "", []string{"CATBRIDGE_LISTEN=:8080"}},
		"other rights":      {Leader, "secret-token-configs\n", "UI_TOKEN_FILES: no token has the right read, explain or control", []string{"CATBRIDGE_LISTEN=127.0.0.1:8080"}},
		"an unknown right":  {Leader, "secret-token-configs rights=write\n", "tokens:1: \"write\" is not a right: write config,", []string{"CATBRIDGE_LISTEN=:8080"}},
		"an unknown name":   {Leader, "secret-token-configs sdks=x rights=read\n", `tokens:1: no SDK key has the name "x"`, []string{"CATBRIDGE_LISTEN=:8080"}},
		"a long name":       {Leader, "secret-token-configs rights=read name=" + strings.Repeat("x", 65) + "\n", "tokens:1: a name consists of at most 64 bytes", []string{"CATBRIDGE_LISTEN=:8080"}},
		"a name of bytes":   {Leader, "secret-token-configs rights=read name=\xff\n", "tokens:1: a name consists of", []string{"CATBRIDGE_LISTEN=:8080"}},
		"a duplicate":       {Leader, good + good, "tokens:2: duplicate token", []string{"CATBRIDGE_LISTEN=:8080"}},
		"an empty file":     {Leader, "# none\n", "contains no token", []string{"CATBRIDGE_LISTEN=:8080"}},
		"serve":             {Serve, "secret-token-configs\n", "no token has the right read, explain or control: give one in serve.token_files", []string{"CATBRIDGE_SERVE_LISTEN=:8093"}},
		"serve on loopback": {Serve, "", "", nil},
		"serve on a socket": {Serve, "", "", []string{"CATBRIDGE_SERVE_LISTEN=unix:/run/x"}},
		"serve with tokens": {Serve, good, "", []string{"CATBRIDGE_SERVE_LISTEN=:8093"}},
	} {
		_, err := loadUI(t, c.part, c.tokens, c.more...)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret-token")):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s, err := loadUI(t, Leader, "")
	if err != nil || !strings.Contains(strings.Join(s.Warnings, "\n"), "ui is on, but there is no HTTP server: set listen") {
		t.Errorf("%v %q", err, s.Warnings)
	}
	for name, more := range map[string][]string{
		"has no effect":        {"CATBRIDGE_LISTEN=127.0.0.1:8080"},
		"the dashboard is off": {"CATBRIDGE_LISTEN=127.0.0.1:8080", "CATBRIDGE_UI=false"},
	} {
		s, err := loadUI(t, Leader, good, append(more, "CATBRIDGE_UI_OPEN_ACTIONS=true")...)
		if err != nil || !s.UIOpenActions || !slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.HasPrefix(w, "ui_open_actions ") && strings.Contains(w, name) }) {
			t.Errorf("%v %q, want %q", err, s.Warnings, name)
		}
	}
	if s, err = loadUI(t, Leader, "", "CATBRIDGE_LISTEN=127.0.0.1:8080", "CATBRIDGE_UI_OPEN_ACTIONS=true"); err != nil || len(s.Warnings) > 0 {
		t.Errorf("%v %q", err, s.Warnings)
	}
	s, err = loadUI(t, Leader, good, "CATBRIDGE_LISTEN=:8080", "CATBRIDGE_UI=false")
	if err != nil || !strings.Contains(strings.Join(s.Warnings, "\n"), "the dashboard is off: set ui") {
		t.Errorf("%v %q", err, s.Warnings)
	}
}
