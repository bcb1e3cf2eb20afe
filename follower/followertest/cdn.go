package followertest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// CDN is a ConfigCat CDN for tests: an [http.Handler] that serves one config for every
// SDK key, with an ETag and 304 to who has it. Give it to httptest.NewServer, and the
// server's URL as base URL to what is tested: a client, a leader, or an official SDK.
// Its methods are safe for concurrent use. What goes wrong in them fails the test.
type CDN struct {
	t testing.TB

	mu       sync.Mutex
	content  []byte
	status   int
	requests int
}

// NewCDN gives a CDN that serves these values, one flag for each key; see [ConfigJSON].
func NewCDN(t testing.TB, values map[string]any) *CDN {
	t.Helper()
	content, err := ConfigJSON(values)
	if err != nil {
		t.Fatal(err)
	}
	return &CDN{t: t, content: content}
}

// SetAll replaces all flags.
func (c *CDN) SetAll(values map[string]any) {
	c.t.Helper()
	content, err := ConfigJSON(values)
	if err != nil {
		c.t.Error(err)
		return
	}
	c.SetConfigJSON(content)
}

// SetConfigJSON serves any text as the config, a broken one too.
func (c *CDN) SetConfigJSON(content []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.content = append([]byte(nil), content...)
}

// SetStatus answers every request from now on with an HTTP status and no config. 0 ends
// that.
func (c *CDN) SetStatus(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// Requests counts the requests for a config so far.
func (c *CDN) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// ServeHTTP implements [http.Handler].
func (c *CDN) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, path, found := strings.Cut(r.URL.Path, "/configuration-files/")
	if sdkKey, ok := strings.CutSuffix(path, "/config_v6.json"); !found || !ok || sdkKey == "" || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	c.mu.Lock()
	c.requests++
	content, status := c.content, c.status
	c.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	sum := sha256.Sum256(content)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(content)
}
