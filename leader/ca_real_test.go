package leader

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// The certificate of the test server stands for that of a proxy that inspects TLS.
func TestALeaderTrustsItsCAFileForTheCDN(t *testing.T) {
	cdn := fakecdn.New()
	server := httptest.NewTLSServer(cdn)
	defer server.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path   string
		polled bool
	}{"with the file": {path, true}, "without": {"", false}} {
		t.Run(name, func(t *testing.T) {
			client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
			defer func() { _ = client.Close() }()
			l, err := New(Config{
				Redis: client, CAFile: c.path,
				SDKKeys: []SDKKey{{Name: "main", Key: testKey, BaseURL: server.URL}},
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			defer func() {
				stop()
				<-done
			}()
			eventually(t, "an answer of the CDN", func() bool { return l.Stats().Keys[0].Fetched+l.Stats().Keys[0].PollErrors > 0 })
			if key := l.Stats().Keys[0]; (key.Fetched > 0) != c.polled {
				t.Errorf("%d configs were fetched, the error is %q", key.Fetched, key.PollError)
			}
		})
	}
}
