package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
)

// held starts a request in a goroutine, and returns its answer with the time it took.
func (e *environment) held(r *http.Request) <-chan answered {
	done, began := make(chan answered, 1), time.Now()
	go func() {
		res := e.do(r)
		done <- answered{res, time.Since(began)}
	}()
	return done
}

type answered struct {
	*http.Response
	after time.Duration
}

// inBubble runs a test in virtual time with a gateway that holds requests.
func inBubble(t *testing.T, test func(t *testing.T, e *environment, etag string), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, append([]func(*Config){holding}, change...)...)
		test(t, e, e.get(byKey).Header.Get("ETag"))
	})
}

func TestHeldRequestsAreAnsweredAtAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		held := e.held(request("GET", byKey, polling(etag)...))
		time.Sleep(time.Second)
		if n := e.Stats().Holding; n != 1 {
			t.Fatalf("%d requests are held", n)
		}
		e.flags.Set("version", 2)
		a := <-held
		want(t, a.Response, 200)
		if a.after != time.Second || !strings.Contains(body(t, a.Response), `"i":2`) {
			t.Errorf("answered after %v, %v", a.after, a.Header)
		}
		if s := e.Stats(); s.Holding != 0 || s.Held != 1 || s.Released != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestHeldRequestsEndWithoutAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		a := <-e.held(request("GET", byKey, polling(etag)...))
		want(t, a.Response, 304, "ETag: "+etag, "Age: 5")
		if a.after != MaxHold {
			t.Errorf("answered after %v", a.after)
		}
	})
}

// A change that is undone while the request is held leaves the client up to date.
func TestHeldRequestsAreComparedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		held := e.held(request("GET", byKey, "If-None-Match: *", "X-ConfigCat-UserAgent: ConfigCat-Node/a-11.3.1"))
		time.Sleep(time.Second)
		e.flags.Set("version", 2)
		a := <-held
		want(t, a.Response, 304)
		if a.after != time.Second || a.Header.Get("ETag") == etag {
			t.Errorf("answered after %v with ETag %s", a.after, a.Header.Get("ETag"))
		}
	})
}

func TestOnlyPollingSDKsThatAreUpToDateAreHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		condition := "If-None-Match: " + etag
		agent := func(name string) string { return "X-ConfigCat-UserAgent: " + name }
		for name, r := range map[string]*http.Request{
			"first fetch":     request("GET", byKey, agent("ConfigCat-Node/a-11.3.1")),
			"other content":   request("GET", byKey, agent("ConfigCat-Node/a-11.3.1"), `If-None-Match: "other"`),
			"lazy":            request("GET", byKey, agent("ConfigCat-Node/l-11.3.1"), condition),
			"manual":          request("GET", byKey, agent("ConfigCat-Node/m-11.3.1"), condition),
			"PHP":             request("GET", byKey, agent("ConfigCat-PHP/a-9.0.0"), condition),
			"not an SDK":      request("GET", byKey, condition),
			"no mode":         request("GET", byKey, agent("ConfigCat-Node/11.3.1"), condition),
			"User-Agent":      request("GET", byKey, "User-Agent: ConfigCat-Node/a-11.3.1", condition),
			"HEAD":            request("HEAD", byKey, agent("ConfigCat-Node/a-11.3.1"), condition),
			"manual in a URL": request("GET", byKey+"?sdk=ConfigCat-JS%2Fm-9.0.0", condition),
		} {
			if a := <-e.held(r); a.after != 0 {
				t.Errorf("%s: held for %v", name, a.after)
			}
		}
		for name, limit := range map[string]time.Duration{
			"ConfigCat-Rust/a-0.1.0": 0, "ConfigCat-Elixir/a-4.0.0": 3 * time.Second, "ConfigCat-Cpp/a-4.0.0": 3 * time.Second,
			"ConfigCat-Unreal/a-2.0.0": 3 * time.Second, "ConfigCat-Dotnet/a-9.3.0": MaxHold,
		} {
			if a := <-e.held(request("GET", byKey, agent(name), condition)); a.after != limit {
				t.Errorf("%s: held for %v, want %v", name, a.after, limit)
			}
		}
		if a := <-e.held(request("GET", byKey+"?sdk=ConfigCat-JS%2Fa-9.0.0&ccetag="+strings.ReplaceAll(etag, `"`, "%22"))); a.after != MaxHold {
			t.Errorf("the browser SDK: held for %v", a.after)
		}
	})
}

// A browser adds If-None-Match by itself if its HTTP cache has an answer to the same URL, perhaps one
// to another page. It makes 200 of 304, so the page receives what the cache has.
func TestAPageDoesNotWaitForWhatTheBrowsersCacheHas(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		const sdk = "?sdk=ConfigCat-UnifiedJS-Browser%2Fa-1.1.0"
		same, other := sdk+"&ccetag="+url.QueryEscape(etag), sdk+"&ccetag=%22other%22"
		for _, c := range []struct {
			name, query string
			headers     []string
			status      int
			after       time.Duration
		}{
			{"new page, empty cache", sdk, nil, 200, 0},
			{"new page", sdk, []string{"If-None-Match: " + etag}, 304, 0},
			{"new page that sets the header", sdk, polling(etag), 304, 0},
			{"another page received the change", other, []string{"If-None-Match: " + etag}, 304, 0},
			{"the cache has other content", same, []string{`If-None-Match: "other"`}, 200, 0},
			{"up to date", same, []string{"If-None-Match: " + etag}, 304, MaxHold},
			{"up to date, empty cache", same, nil, 304, MaxHold},
		} {
			a := <-e.held(request("GET", byKey+c.query, c.headers...))
			if a.StatusCode != c.status || a.after != c.after {
				t.Errorf("%s: %d after %v, want %d after %v", c.name, a.StatusCode, a.after, c.status, c.after)
			}
		}
	})
}

func TestAClientThatIsGoneLeavesItsPlace(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		ctx, cancel := context.WithCancel(t.Context())
		held := e.held(request("GET", byKey, polling(etag)...).WithContext(ctx))
		time.Sleep(time.Second)
		cancel()
		if a := <-held; a.after != time.Second || e.Stats().Holding != 0 {
			t.Errorf("after %v, %d are held", a.after, e.Stats().Holding)
		}
	})
}

func TestBeyondTheLimitsRequestsAreNotHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		from := func(addr string) <-chan answered {
			r := request("GET", byKey, polling(etag)...)
			r.RemoteAddr = addr
			held := e.held(r)
			synctest.Wait()
			return held
		}
		one, two := from("192.0.2.1:1"), from("192.0.2.1:2")
		if a := <-from("192.0.2.1:3"); a.after != 0 || a.StatusCode != 304 {
			t.Errorf("the third of a client: %d after %v", a.StatusCode, a.after)
		}
		three := from("192.0.2.2:1")
		if a := <-from("192.0.2.3:1"); a.after != 0 || a.StatusCode != 304 {
			t.Errorf("the fourth of all: %d after %v", a.StatusCode, a.after)
		}
		for _, held := range []<-chan answered{one, two, three} {
			if a := <-held; a.after != MaxHold {
				t.Errorf("held for %v", a.after)
			}
		}
		if s := e.Stats(); s.Refused != 2 || s.Held != 3 {
			t.Errorf("stats %+v", s)
		}
		if a := <-from("192.0.2.1:3"); a.after != MaxHold {
			t.Errorf("held for %v after the others ended", a.after)
		}
	}, func(cfg *Config) { cfg.MaxStreams, cfg.MaxStreamsPerClient = 3, 2 })
}

func TestDrainingAnswersHeldRequestsOneByOne(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		var all []<-chan answered
		for range 100 {
			all = append(all, e.held(request("GET", byKey, polling(etag)...)))
		}
		synctest.Wait()
		e.Drain(t.Context(), 4*time.Second)
		times := map[time.Duration]int{}
		for _, held := range all {
			a := <-held
			want(t, a.Response, 304, "Connection: close")
			times[a.after]++
		}
		if len(times) != 100 {
			t.Errorf("answered at %d times: %v", len(times), times)
		}
		a := <-e.held(request("GET", byKey, polling(etag)...))
		want(t, a.Response, 304, "Connection: close")
		if a.after != 0 {
			t.Errorf("held for %v while draining", a.after)
		}
		if n := e.Stats().Refused; n != 0 {
			t.Errorf("%d requests count as refused by the limits", n)
		}
	})
}

func TestDrainingEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		held := e.held(request("GET", byKey, polling(etag)...))
		other := e.held(request("GET", byKey, polling(etag)...))
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the test"))
		defer cancel()
		e.Drain(ctx, time.Hour)
		if one, two := <-held, <-other; max(one.after, two.after) != time.Second {
			t.Errorf("answered after %v and %v", one.after, two.after)
		}
	})
}

// A server's read timeout must not end a held request, nor its write timeout cut the answer.
func TestHeldRequestsOutliveTheTimeoutsOfTheServer(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.Hold, cfg.OpenNames = 600*time.Millisecond, true })
	server := httptest.NewUnstartedServer(e.Gateway)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	defer server.Close()
	etag := e.get(byKey).Header.Get("ETag")
	for range 2 { // on one connection
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+byKey, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", etag)
		r.Header.Set("X-ConfigCat-UserAgent", "ConfigCat-Node/a-11.3.1")
		began := time.Now()
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		want(t, res, 304)
		if after := time.Since(began); after < 600*time.Millisecond {
			t.Errorf("answered after %v", after)
		}
	}
	if s := e.Stats(); s.Held != 2 {
		t.Errorf("stats %+v", s)
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

// A request that is held with a token does not wait for the next change when the token is removed, and the others go on.
func TestHeldRequestsEndWhenTheirTokenIsRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment, etag string) {
		revoked := e.held(request("GET", "/configuration-files/configcat-proxy/shop."+token+"/config_v6.json", polling(etag)...))
		byKey := e.held(request("GET", byKey, polling(etag)...))
		time.Sleep(time.Second)
		if err := e.SetSDKs([]SDK{{Name: "shop", Key: sdkKey, Client: e.flags.Client}}); err != nil {
			t.Fatal(err)
		}
		a := <-revoked
		want(t, a.Response, 404)
		if a.after != time.Second || a.Header.Get("Connection") != "" {
			t.Errorf("answered after %v, %v", a.after, a.Header)
		}
		if a := <-byKey; a.after != MaxHold {
			t.Errorf("the request with the SDK key: after %v", a.after)
		}
	})
}

// A request for the content of an event ends when its SDK or its token is removed, with the answer that a new one receives.
func TestRequestsAfterAnEventEndWhenTheyAreNoLongerAllowed(t *testing.T) {
	next := []Token{{Secret: evaluator, Rights: RightStream}}
	for name, change := range map[string]struct {
		sdks   func(*testing.T, *environment) []SDK
		status int
	}{
		"no SDK":               {func(*testing.T, *environment) []SDK { return nil }, 401},
		"the token is removed": {func(_ *testing.T, e *environment) []SDK { return []SDK{{Name: "shop", Client: e.flags.Client}} }, 401},
		"the token without the right": {func(_ *testing.T, e *environment) []SDK {
			return []SDK{{Name: "shop", Client: e.flags.Client, Tokens: next}}
		}, 403},
		"another client": {func(t *testing.T, _ *environment) []SDK {
			return []SDK{{Name: "shop", Client: followertest.New(t, nil).Client, Tokens: []Token{{Secret: evaluator, Rights: RightEvaluate}}}}
		}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *environment, _ string) {
				held, _ := e.flags.Content()
				waiting := e.held(post(flagsPath+"?flagConfigEtag="+strconv.FormatInt(held.Rev+1, 10)+"-"+strings.Repeat("0", 16), "{}", "X-API-Key: "+evaluator))
				time.Sleep(300 * time.Millisecond)
				if err := e.SetSDKs(change.sdks(t, e)); err != nil {
					t.Fatal(err)
				}
				a := <-waiting
				want(t, a.Response, change.status)
				if answer := ofrepOf(t, a.Response); a.after != 300*time.Millisecond || answer.ErrorDetails == "" {
					t.Errorf("after %v: %+v", a.after, answer)
				}
			}, func(cfg *Config) { cfg.SDKs[0].Tokens = []Token{{Secret: evaluator, Rights: RightEvaluate}} })
		})
	}
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
