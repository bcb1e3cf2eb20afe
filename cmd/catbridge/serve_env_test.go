package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
)

const (
	configToken = "token-of-configs-secretsecret"
	statusToken = "token-of-status-secretsecret"
	nextToken   = "token-number-two-secretsecret"
)

// serving is a serve process with its files, beside a leader process.
type serving struct {
	*testing.T
	folder string
	mini   *miniredis.Miniredis
	redis  string // URL
	cdn    *localcdn.Server
	web    string // its URL
	leader *process
	*process
	base   string // URL
	client *http.Client
	mark   int
}

// startServing starts both with these files, among them serve.yaml.
func startServing(t *testing.T, files map[string]string) *serving {
	t.Helper()
	s := &serving{T: t, folder: t.TempDir(), mini: miniredis.RunT(t), cdn: localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler))}
	s.redis = "redis://" + s.mini.Addr()
	s.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	web := httptest.NewServer(s.cdn)
	t.Cleanup(web.Close)
	s.web = web.URL
	s.leader = startProcess(t, []string{"CATBRIDGE_REDIS_URL=" + s.redis, "CATBRIDGE_BASE_URL=" + web.URL},
		"leader", "--fast", "--sdk-key", "shop="+testKey, "--sdk-key", "api="+otherTestKey)
	s.leader.expect(t, 0, `A new config was published(?s:.*)A new config was published`)
	for name, text := range files {
		s.write(name, text)
	}
	s.run()
	return s
}

// run starts serve, and waits until it listens.
func (s *serving) run(args ...string) {
	s.Helper()
	s.process = startProcess(s.T, []string{"CATBRIDGE_REDIS_URL=" + s.redis, "TMPDIR=" + s.folder},
		append([]string{"serve", "--fast", "--config", filepath.Join(s.folder, "serve.yaml"), "--log-format", "json"}, args...)...)
	s.mark = s.expect(s.T, 0, `"listen":"[^"]+"`)
	s.base = "http://" + regexp.MustCompile(`"listen":"([^"]+)"`).FindStringSubmatch(s.all())[1]
}

func (s *serving) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		s.Fatal(err)
	}
}

// get returns the status, the header and the body of an answer.
func (s *serving) get(path string, headers ...string) (int, http.Header, string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

func (s *serving) want(path string, status int, part string, headers ...string) http.Header {
	s.Helper()
	have, header, body := s.get(path, headers...)
	if have != status || !strings.Contains(body, part) {
		s.Errorf("%s: %d %q, want %d with %q", path, have, body, status, part)
	}
	return header
}

// ready waits until serve is ready.
func (s *serving) ready() {
	s.Helper()
	for {
		if status, _, _ := s.get("/readyz"); status == http.StatusOK {
			return
		}
		select {
		case <-s.Context().Done():
			s.Fatal("it does not become ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func configPath(key string) string { return "/configuration-files/" + key + "/config_v6.json" }

// until asks until the answer contains a text.
func (s *serving) until(path, part string) {
	s.Helper()
	for {
		if _, _, body := s.get(path); strings.Contains(body, part) {
			return
		}
		select {
		case <-s.Context().Done():
			s.Fatalf("%s has no %q", path, part)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
