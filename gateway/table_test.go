package gateway

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
)

func TestUnknownKeysAndMissingTokensLookAlike(t *testing.T) {
	e := start(t)
	first := e.get("/configuration-files/configcat-proxy/unknown/config_v6.json")
	want(t, first, 404)
	text := body(t, first)
	for _, key := range []string{
		"configcat-proxy/shop", "configcat-proxy/shop.", "configcat-proxy/shop.wrong-token-0123456", "configcat-proxy/other." + token,
		sdkKey + "x", sdkKey[:len(sdkKey)-1], "configcat-proxy/shop." + token[:len(token)-1],
	} {
		res := e.get("/configuration-files/" + key + "/config_v6.json")
		want(t, res, 404)
		if have := body(t, res); have != text || len(res.Header) != len(first.Header) {
			t.Errorf("%s: answer %q %v differs from %q %v", key, have, res.Header, text, first.Header)
		}
	}
}

func TestSDKsAreReplaced(t *testing.T) {
	e := start(t)
	if err := e.SetSDKs([]SDK{{Name: "shop"}}); err == nil {
		t.Error("an SDK without a client is accepted")
	}
	want(t, e.get(byKey), 200)
	if err := e.SetSDKs([]SDK{{Name: "shop", Client: e.flags.Client}}); err != nil {
		t.Fatal(err)
	}
	want(t, e.get(byKey), 404)
}

func TestANameHasTwoSDKKeysDuringARotation(t *testing.T) {
	old := followertest.New(t, map[string]any{"version": 1})
	g := startWith(t, old.Client, func(cfg *Config) {
		cfg.OpenNames = true
		cfg.SDKs = []SDK{{Name: "shop", Key: "new", Client: empty(t)}, {Name: "shop", Key: sdkKey, Client: old.Client}}
	})
	want(t, g.do(request("GET", byName)), 200)
	want(t, g.do(request("GET", byKey)), 200)
	want(t, g.do(request("GET", "/configuration-files/new/config_v6.json")), 503)
}

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
