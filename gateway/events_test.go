package gateway

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/gateway/internal/ofrep"
)

// hints is a stream of OFREP that is being read.
type hints struct {
	t    *testing.T
	body *bufio.Reader
}

// next returns the next event or comment.
func (s *hints) next() string {
	s.t.Helper()
	var lines []string
	for {
		line, err := s.body.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return strings.Join(lines, "|")
		}
		lines = append(lines, line)
	}
}

// openHints starts a stream on a real connection.
func openHints(t *testing.T, base, uri string, headers ...string) *hints {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	s := &hints{t, bufio.NewReader(res.Body)}
	if first := s.next(); first != "retry: 1000" {
		t.Fatalf("the stream starts with %s", first)
	}
	return s
}

func TestEventsFollowChanges(t *testing.T) {
	e := start(t)
	server := httptest.NewServer(e.Gateway)
	t.Cleanup(server.Close)
	event := func() string {
		held, _ := e.flags.Content()
		id := ofrep.VersionOf(held.Rev, held.Hash).String()
		return "id: " + id + "|event: message|data: {\"etag\":\"" + id + "\",\"type\":\"refetchEvaluation\"}"
	}
	uri := e.Gateway.flags(t).stream(t)
	s := openHints(t, server.URL, uri)
	e.flags.Set("version", 2) // the client has the first content, so there was no event before
	second := event()
	if have := s.next(); have != second {
		t.Errorf("received %s\nwant     %s", have, second)
	}
	// It is told what the answer was of; the same URI now has an event at once.
	if have := openHints(t, server.URL, uri).next(); have != second {
		t.Errorf("received %s\nwant     %s", have, second)
	}
	// A client that received an event may have failed to ask for the flags since: it is told again.
	id := strings.TrimPrefix(strings.Split(second, "|")[0], "id: ")
	resumed := openHints(t, server.URL, uri, "Last-Event-ID: "+id)
	ahead := openHints(t, server.URL, uri, "Last-Event-ID: 9999999999999-0123456789abcdef") // of a host that is ahead
	for _, s := range []*hints{resumed, ahead} {
		if have := s.next(); have != second {
			t.Errorf("received %s\nwant     %s", have, second)
		}
	}
	e.flags.Set("version", 3)
	third := event()
	for _, s := range []*hints{s, resumed, ahead} {
		if have := s.next(); have != third {
			t.Errorf("received %s\nwant     %s", have, third)
		}
	}
	if have := openHints(t, server.URL, uri, "Last-Event-ID: garbage").next(); have != third {
		t.Errorf("received %s\nwant     %s", have, third)
	}
}

func TestEventStreamsAreOpenedWithSignedURIs(t *testing.T) {
	e := start(t)
	signer := e.signer.Load()
	grant := ofrep.Grant{Scope: signer.ScopeOf(e.table.Load().served[0].scope), Origin: "https://app.example"}
	another := ofrep.NewSigner([]byte(strings.Repeat("x", 32)))
	now := time.Now()
	for name, c := range map[string]struct {
		token, origin string
		status        int
	}{
		"no token":              {"", "", 401},
		"not a token":           {"garbage", "", 401},
		"of another server":     {another.Sign(ofrep.Grant{Scope: another.ScopeOf("shop")}, now), "", 401},
		"an old one":            {signer.Sign(grant, now.Add(-3*time.Hour)), "https://app.example", 401},
		"of an SDK that is not": {signer.Sign(ofrep.Grant{Scope: signer.ScopeOf("other")}, now), "", 404},
		"of another page":       {signer.Sign(grant, now), "https://evil.example", 403},
		"of a page, from none":  {signer.Sign(ofrep.Grant{Scope: grant.Scope}, now), "https://evil.example", 403},
	} {
		var headers []string
		if c.origin != "" {
			headers = []string{"Origin: " + c.origin}
		}
		res := e.do(request("GET", eventsPath+"?token="+c.token, headers...))
		if text := body(t, res); res.StatusCode != c.status || c.token != "" && strings.Contains(text, c.token) {
			t.Errorf("%s: %d %s", name, res.StatusCode, text)
		}
	}
	server := httptest.NewServer(e.Gateway)
	t.Cleanup(server.Close)
	uri := eventsPath + "?token=" + signer.Sign(grant, now)
	openHints(t, server.URL, uri, "Origin: https://app.example").next()
	openHints(t, server.URL, uri).next() // a page of this server's own origin sends none
	want(t, e.do(post(eventsPath, "{}")), 405)
}

// Processes behind one name share a key: a stream starts at any of them.
func TestProcessesShareEventKeys(t *testing.T) {
	keys := func(names ...string) (all [][]byte) {
		for _, name := range names {
			all = append(all, []byte(strings.Repeat(name, 32)))
		}
		return all
	}
	one, two := start(t, func(cfg *Config) { cfg.EventKeys = keys("a") }), start(t, func(cfg *Config) { cfg.EventKeys = keys("b", "a") })
	server := httptest.NewServer(two.Gateway)
	t.Cleanup(server.Close)
	uri := one.Gateway.flags(t).stream(t)
	openHints(t, server.URL, uri)
	if err := two.SetEventKeys(keys("b")); err != nil {
		t.Fatal(err)
	}
	want(t, two.do(request("GET", uri)), 401)
	if err := two.SetEventKeys([][]byte{[]byte("short")}); err == nil || strings.Contains(err.Error(), "short-") {
		t.Errorf("a short key: %v", err)
	}
	if _, err := New(Config{EventKeys: [][]byte{[]byte("short")}}); err == nil {
		t.Error("a short key is accepted")
	}
	values, err := url.ParseQuery(uri[strings.IndexByte(uri, '?')+1:])
	if err != nil || values.Get("token") == "" || values.Get("after") == "" || strings.Contains(uri, sdkKey) || strings.Contains(uri, "shop") {
		t.Errorf("%s, %v", uri, err)
	}
}

// A page that has a stream with a URI that expired asks for the flags, and needs another URI even if
// the flags are the same.
func TestTheETagChangesWithTheURI(t *testing.T) {
	e := start(t)
	first := e.do(post(flagsPath, "{}", byHeader)).Header.Get("ETag")
	if err := e.SetEventKeys(nil); err != nil {
		t.Fatal(err)
	}
	res := e.do(post(flagsPath, "{}", byHeader, "If-None-Match: "+first))
	want(t, res, 200)
	if uri := ofrepOf(t, res).stream(t); uri == "" {
		t.Error("no URI")
	}
}

// OpenFeature's provider for pages takes any other answer than a stream as final: it asks for the flags
// again, a second later and again and again, and does not tell the page of a change.
func TestBeyondTheLimitsEventStreamsEndAtOnce(t *testing.T) {
	e := start(t, func(cfg *Config) { cfg.MaxStreams = 1 })
	uri := e.Gateway.flags(t).stream(t)
	s, err := e.streams.Open("somebody")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res := e.get(uri)
	want(t, res, 200, "Content-Type: text/event-stream")
	if text := body(t, res); !regexp.MustCompile(`^retry: 1\d\d\d\d\n\n$`).MatchString(text) {
		t.Errorf("answered %q", text)
	}
	e.flags.Set("version", 2)
	if text := body(t, e.get(uri)); !strings.Contains(text, "refetchEvaluation") {
		t.Errorf("answered %q after a change", text)
	}
	e.Drain(t.Context(), 0)
	if text := body(t, e.get(uri)); !strings.HasPrefix(text, "retry: 1000\n\nid: ") {
		t.Errorf("answered %q while it shuts down", text)
	}
}

// A stream ends when its token is removed, loses the right, or may no longer be used by pages of its origin.
// Streams of others go on, and one with the SDK key needs no token.
func TestEventStreamsEndWithTheirToken(t *testing.T) {
	const page = "Origin: https://app.example"
	for name, change := range map[string]struct {
		token  []Token
		status int
	}{
		"removed": {nil, 404}, "without the right": {[]Token{{Secret: streamer, Rights: RightEvaluate}}, 403},
		"of other origins":    {[]Token{{Secret: streamer, Rights: RightEvaluate | RightStream, Origins: []string{"https://other.example"}}}, 403},
		"with another secret": {[]Token{{Secret: streamer + "2", Rights: RightEvaluate | RightStream}}, 404},
	} {
		t.Run(name, func(t *testing.T) {
			other := Token{Secret: evaluator, Rights: RightEvaluate | RightStream}
			sdks := func(tokens ...Token) []SDK { return []SDK{{Name: "shop", Key: sdkKey, Tokens: append(tokens, other)}} }
			e := start(t, func(cfg *Config) {
				cfg.SDKs[0].Tokens = sdks(Token{Secret: streamer, Rights: RightEvaluate | RightStream, Origins: []string{"https://app.example"}})[0].Tokens
			})
			server := httptest.NewServer(e.Gateway)
			t.Cleanup(server.Close)
			open := func(headers ...string) (string, *hints) {
				uri := ofrepOf(t, e.do(post(flagsPath, "{}", headers...))).stream(t)
				return uri, openHints(t, server.URL, uri, headers[1:]...)
			}
			uri, ends := open("X-API-Key: "+streamer, page)
			_, token := open("X-API-Key: " + evaluator)
			_, key := open(byHeader, page)
			next := sdks(change.token...)
			next[0].Client = e.flags.Client
			if err := e.SetSDKs(next); err != nil {
				t.Fatal(err)
			}
			if have := ends.next(); have != "retry: 1000" {
				t.Errorf("received %s", have)
			}
			if _, err := ends.body.ReadString('\n'); err != io.EOF {
				t.Errorf("after its end: %v", err)
			}
			res := e.get(uri, page)
			if text := body(t, res); res.StatusCode != change.status || strings.Contains(text, streamer) {
				t.Errorf("connects again: %d %s", res.StatusCode, text)
			}
			e.flags.Set("version", 2)
			for _, goesOn := range []*hints{token, key} {
				have := goesOn.next()
				for have == ": " { // a heartbeat
					have = goesOn.next()
				}
				if !strings.Contains(have, "refetchEvaluation") {
					t.Errorf("received %s", have)
				}
			}
		})
	}
}

func TestEventStreamsEndWithTheirSDK(t *testing.T) {
	e := start(t)
	server := httptest.NewServer(e.Gateway)
	t.Cleanup(server.Close)
	s := openHints(t, server.URL, e.Gateway.flags(t).stream(t))
	if err := e.SetSDKs(nil); err != nil {
		t.Fatal(err)
	}
	if have := s.next(); have != "retry: 1000" {
		t.Errorf("received %s", have)
	}
	if _, err := s.body.ReadString('\n'); err != io.EOF {
		t.Errorf("after its end: %v", err)
	}
}
