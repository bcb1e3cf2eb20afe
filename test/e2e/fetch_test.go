package e2e

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/test/harness"
)

// fetching starts a client without Redis, which asks the CDN only in Refresh.
func fetching(t *testing.T, cfg follower.Config) *follower.Client {
	t.Helper()
	cfg.SDKKey, cfg.PollingMode, cfg.Online = followertest.SDKKey, follower.Manual, true
	client, err := follower.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestAFollowerFetchesThroughItsProxy_S7(t *testing.T) {
	harness.Real(t)
	cdn := followertest.NewCDN(t, map[string]any{"on": true})
	asked := make(chan *http.Request, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		cdn.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	client := fetching(t, follower.Config{
		BaseURL:  "http://cdn.example", // only the proxy can look it up
		ProxyURL: "http://user:secret@" + proxy.Listener.Addr().String(),
	})
	if err := client.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := <-asked
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:secret")); r.Header.Get("Proxy-Authorization") != want || r.URL.Host != "cdn.example" {
		t.Errorf("the proxy was asked for %v by %q", r.URL, r.Header.Get("Proxy-Authorization"))
	}
	if !client.GetBoolValue("on", false, nil) {
		t.Error("the config was not taken")
	}
}

// The other timeout of each case is longer than the test may take.
func TestAFollowersTimeoutsEndAFetch_S8(t *testing.T) {
	harness.Real(t)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hangs.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections, and never completes a handshake
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, cfg := range map[string]follower.Config{
		"HTTPTimeout":    {BaseURL: hangs.URL, HTTPTimeout: 100 * time.Millisecond, ConnectTimeout: time.Hour},
		"ConnectTimeout": {BaseURL: "https://" + silent.Addr().String(), HTTPTimeout: time.Hour, ConnectTimeout: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			// Less than the defaults, which would end the fetch, too.
			ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
			defer cancel()
			err := fetching(t, cfg).Refresh(ctx)
			if failure, ok := errors.AsType[*follower.FetchError](err); !ok || failure.Code != 1102 && failure.Code != 1103 {
				t.Errorf("the refresh ended with %v", err)
			}
		})
	}
}
