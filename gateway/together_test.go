package gateway

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
)

// Requests, changes, replaced SDKs, statistics, clients that leave and the shutdown run at once.
// Nothing remains.
func TestEverythingAtOnce(t *testing.T) {
	e := start(t, holding, func(cfg *Config) { cfg.MaxStreams, cfg.MaxStreamsPerClient = 20, 15 })
	other := followertest.New(t, map[string]any{"version": 9})
	key := func(i int) string {
		return fmt.Sprintf("/configuration-files/configcat-sdk-1/key-%d/config_v6.json", i)
	}
	sdks := func(n int) []SDK {
		all := []SDK{{Name: "shop", Key: sdkKey, Tokens: []Token{{Secret: token, Rights: RightConfig}}, Client: e.flags.Client}}
		for i := range n {
			all = append(all, SDK{Name: "other", Key: fmt.Sprintf("configcat-sdk-1/key-%d", i), Client: other.Client})
		}
		return all
	}
	if err := e.SetSDKs(sdks(3)); err != nil {
		t.Fatal(err)
	}
	var clients, others sync.WaitGroup
	stop := make(chan struct{})
	repeat := func(f func(i int)) {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					f(i)
				}
			}
		})
	}
	for c := range 30 {
		clients.Go(func() {
			for i := range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7+1)*time.Millisecond)
				r := request("GET", []string{byKey, key(c % 3), byName}[i%3], polling("*")...).WithContext(ctx)
				r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", c%4)
				w := httptest.NewRecorder()
				e.ServeHTTP(w, r)
				cancel()
				if w.Code != 304 && w.Code != 404 {
					t.Errorf("status %d", w.Code)
				}
			}
		})
	}
	repeat(func(i int) { e.flags.Set("version", i) })
	repeat(func(i int) {
		if err := e.SetSDKs(sdks(i % 4)); err != nil {
			t.Error(err)
		}
	})
	repeat(func(int) { e.Stats() })
	clients.Wait()
	for range 10 { // these are held until the end
		clients.Go(func() { e.do(request("GET", byKey, polling("*")...)) })
	}
	var ends sync.WaitGroup
	ends.Go(func() { e.Drain(t.Context(), 50*time.Millisecond) })
	ends.Go(e.Close)
	ends.Wait()
	clients.Wait()
	close(stop)
	others.Wait()
	e.Close()
	if n := e.Stats().Holding; n != 0 {
		t.Errorf("%d requests are held", n)
	}
}
