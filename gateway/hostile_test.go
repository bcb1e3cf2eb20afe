package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
)

// Nobody but this machine may use a key that anybody can guess, although it is an SDK key.
func TestKeysOfProxiesAreNames(t *testing.T) {
	flags := followertest.New(t, map[string]any{"version": 1})
	proxyKey := SDK{Key: "configcat-proxy/shop", Client: flags.Client}
	path := "/configuration-files/configcat-proxy/shop/config_v6.json"
	local := func() *http.Request {
		r := from(request("GET", path), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		r.Host = "localhost"
		return r
	}
	named := proxyKey
	named.Name = "shop"
	for _, sdk := range []SDK{proxyKey, named} {
		g := startWith(t, flags.Client, func(cfg *Config) { cfg.SDKs = []SDK{sdk} })
		want(t, g.do(request("GET", path)), 404)
		want(t, g.do(local()), 200)
	}
	_, err := New(Config{SDKs: []SDK{{Name: "shop", Key: sdkKey, Client: flags.Client}, proxyKey}})
	if err == nil || !strings.Contains(err.Error(), `SDKs[1]: the Key selects the Name "shop" of another SDK`) {
		t.Errorf("the key of one SDK that is the name of another: %v", err)
	}
}

func TestHeldRequestsEndWhenTheirKeyIsRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		held := e.held(request("GET", byKey, polling(etag)...))
		time.Sleep(time.Second)
		if err := e.SetSDKs(nil); err != nil {
			t.Fatal(err)
		}
		a := <-held
		want(t, a.Response, 404)
		if a.after != time.Second || e.Stats().Holding != 0 {
			t.Errorf("answered after %v, %d are held", a.after, e.Stats().Holding)
		}
	})
}

func TestHeldRequestsMoveToANewClientOfTheirKey(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		next := followertest.New(t, map[string]any{"version": 7})
		held := e.held(request("GET", byKey, polling(etag)...))
		time.Sleep(time.Second)
		if err := e.SetSDKs([]SDK{{Key: sdkKey, Client: next.Client}}); err != nil {
			t.Fatal(err)
		}
		a := <-held
		want(t, a.Response, 200)
		if a.after != time.Second || !strings.Contains(body(t, a.Response), `"i":7`) {
			t.Errorf("answered after %v", a.after)
		}
	})
}

func TestARevokedTokenReadsNoNewConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		held := e.held(request("GET", "/configuration-files/configcat-proxy/shop."+token+"/config_v6.json", polling(etag)...))
		time.Sleep(time.Second)
		if err := e.SetSDKs([]SDK{{Name: "shop", Key: sdkKey, Client: e.flags.Client}}); err != nil {
			t.Fatal(err)
		}
		e.flags.Set("version", 2)
		want(t, (<-held).Response, 404)
	})
}

// The age that earlier content had in the same second is not that of the new content, which would
// be refused.
func TestTheAgeIsOfTheContent(t *testing.T) {
	e := start(t)
	s, now := e.table.Load().sites[0], time.Now()
	s.age.Store(&age{of: &content{}, at: now.Unix(), known: true, age: time.Hour})
	c, _ := s.current()
	if a := s.confirmedAgo(c, now); !a.known || a.age > time.Minute {
		t.Errorf("age %v, %v", a.age, a.known)
	}
}

func TestOnlyAStarAloneMatchesEverything(t *testing.T) {
	e := start(t)
	for condition, status := range map[string]int{`*`: 304, ` * `: 304, `*, "a"`: 304, `*a`: 200, `"*"`: 200, `W/*`: 200} {
		if res := e.get(byKey, "If-None-Match: "+condition); res.StatusCode != status {
			t.Errorf("%s: status %d, want %d", condition, res.StatusCode, status)
		}
	}
}

func TestContentThatComesBackHasItsETagBack(t *testing.T) {
	e := start(t)
	one := e.get(byKey).Header.Get("ETag")
	e.flags.Set("version", 2)
	two := e.get(byKey).Header.Get("ETag")
	want(t, e.get(byKey, "If-None-Match: "+one), 200)
	e.flags.Set("version", 1)
	want(t, e.get(byKey, "If-None-Match: "+one), 304, "ETag: "+one)
	want(t, e.get(byKey, "If-None-Match: "+two), 200, "ETag: "+one)
}

func TestAClientIsAnAddressOrANetworkOfIPv6(t *testing.T) {
	for remote, client := range map[string]string{
		"192.0.2.1:1":             "192.0.2.1",
		"[::ffff:192.0.2.1]:1":    "192.0.2.1",
		"[2001:db8:1:2:3::4]:1":   "2001:db8:1:2::/64",
		"[2001:db8:1:2:ff::1]:12": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":        "fe80::/64",
		"@":                       "@",
		"":                        "",
	} {
		if have := clientOf(&http.Request{RemoteAddr: remote}); have != client {
			t.Errorf("%s: %s, want %s", remote, have, client)
		}
	}
}

// Requests, changes, replaced SDKs, statistics, clients that leave and the shutdown run at once.
// Nothing remains.
func TestEverythingAtOnce(t *testing.T) {
	e := start(t, holding, func(cfg *Config) { cfg.MaxStreams, cfg.MaxStreamsPerClient = 20, 15 })
	other := followertest.New(t, map[string]any{"version": 9})
	key := func(i int) string {
		return fmt.Sprintf("/configuration-files/configcat-sdk-1/key-%d/config_v6.json", i)
	}
	sdks := func(n int) []SDK {
		all := []SDK{{Name: "shop", Key: sdkKey, Tokens: []string{token}, Client: e.flags.Client}}
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
