package followertest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"testing"

	"github.com/catbridge/catbridge/internal/configserver"
)

// CDN is a ConfigCat CDN for tests: an [http.Handler] that serves one config for every SDK key,
// with an ETag. It answers 304 to a request with the current ETag. Pass it to
// httptest.NewServer, and use the server's URL as the base URL of a client, a leader or an
// official SDK. Its methods are safe for concurrent use. Errors in them fail the test.
type CDN struct {
	t testing.TB

	mu       sync.Mutex
	content  []byte
	status   int
	requests int
}

// NewCDN returns a CDN that serves one flag for each key of values, see [ConfigJSON].
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

// SetConfigJSON replaces the config. The CDN serves content as it is, even if it is invalid.
func (c *CDN) SetConfigJSON(content []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.content = append([]byte(nil), content...)
}

// SetStatus makes the CDN answer every request with an HTTP status and no config. If status is
// 0, the CDN serves the config again.
func (c *CDN) SetStatus(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// Requests returns the number of requests for a config so far.
func (c *CDN) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// ServeHTTP implements [http.Handler].
func (c *CDN) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := configserver.SplitPath(r.URL.Path); !ok || r.Method != http.MethodGet {
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
	configserver.Answer(w, r, content, `"`+hex.EncodeToString(sum[:8])+`"`)
}
