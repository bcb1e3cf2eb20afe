package interop

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// ofrepFlag is a flag as OpenFeature returns it: a value, or an error.
type ofrepFlag struct {
	Value       any    `json:"value"`
	VariationID string `json:"variationId"`
	Reason      string `json:"reason"`
	Code        string `json:"code"`
}

// startOFREP starts OpenFeature in Node with a provider for OFREP. It ends with the test.
func startOFREP(t *testing.T, provider, baseURL string, args ...string) *httpSDK {
	t.Helper()
	return nodeSDK(startLines(t, exec.CommandContext(t.Context(), node(t), append([]string{"ofrep.mjs", "--provider", provider, "--base-url", baseURL}, args...)...)))
}

// evaluateOFREP returns the flags for a line of input.
func evaluateOFREP(t *testing.T, sdk *httpSDK, line string) map[string]ofrepFlag {
	t.Helper()
	if err := sdk.write(line); err != nil {
		t.Fatal(err)
	}
	for {
		text, err := sdk.next()
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Changed bool
			Flags   map[string]ofrepFlag
			Errors  []string
		}
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if len(r.Errors) > 0 {
			t.Logf("%q", r.Errors)
		}
		if !r.Changed {
			return r.Flags
		}
	}
}

// ofrepFlags returns what the follower evaluates, as OFREP has it.
func ofrepFlags(client *follower.Client, user follower.User) map[string]ofrepFlag {
	flags := map[string]ofrepFlag{}
	for _, d := range client.GetAllValueDetails(user) {
		f := ofrepFlag{Value: d.Value, VariationID: d.Data.VariationID, Reason: "TARGETING_MATCH"}
		if whole, ok := d.Value.(int); ok {
			f.Value = float64(whole)
		}
		number, _ := d.Value.(float64)
		switch {
		case d.Data.ErrorCode != 0, math.IsInf(number, 0): // JSON has no such number
			f = ofrepFlag{Code: "PARSE_ERROR"}
		case d.Data.MatchedPercentageOption != nil:
			f.Reason = "SPLIT"
		case d.Data.Static:
			f.Reason = "STATIC"
		}
		flags[d.Data.Key] = f
	}
	return flags
}

// context returns the user as an evaluation context.
func (s someone) context() map[string]string {
	c := map[string]string(maps.Clone(s))
	if c == nil {
		c = map[string]string{}
	}
	if id, ok := c["Identifier"]; ok {
		c["targetingKey"] = id
		delete(c, "Identifier")
	}
	return c
}

// TestOpenFeatureAgreesWithTheFollowerThroughOFREP compares the values of every flag of each config of the
// conformance data: with the provider of servers, and with that of pages in Node.
func TestOpenFeatureAgreesWithTheFollowerThroughOFREP(t *testing.T) {
	t.Parallel()
	g := startGateway(t, redistest.Start(t), gateway.MaxHold)
	key := "--header=X-ConfigCat-SdkKey=" + sdkKey
	server, web := startOFREP(t, "server", g.url, key), startOFREP(t, "web", g.url, key)
	flags, missing := 0, 0
	for name, content := range conformanceConfigs(t) {
		g.put(t, name, content)
		for i, user := range append(someUsers(), g.matrixUsers(name)...) {
			want, have := ofrepFlags(g.client, user.user()), evaluateOFREP(t, web, jsonText(user.context()))
			if user["Identifier"] == "" { // its absence is an error where it counts
				for key, f := range have {
					if f.Code == "TARGETING_KEY_MISSING" {
						want[key] = f
						missing++
					}
				}
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Fatalf("%s, %s: follower and OFREP differ (-follower +OFREP):\n%s", name, user.json(), diff)
			}
			flags += len(have)
			if i >= len(someUsers()) {
				continue // a request for each flag of each user of a matrix would take long
			}
			keys := map[string]any{"no such flag": true}
			for key, f := range want {
				keys[key] = f.Value
			}
			want["no such flag"] = ofrepFlag{Code: "FLAG_NOT_FOUND"}
			have = evaluateOFREP(t, server, jsonText(map[string]any{"context": user.context(), "flags": keys}))
			if diff := cmp.Diff(want, have); diff != "" {
				t.Fatalf("%s, %s: the provider of servers differs (-follower +OFREP):\n%s", name, user.json(), diff)
			}
			flags += len(have)
		}
	}
	if flags == 0 || missing == 0 {
		t.Errorf("%d flags, %d without the targeting key that they need", flags, missing)
	}
	t.Logf("%d evaluations are the same, among them %d errors for a missing targeting key", flags, missing)
}

// TestOpenFeatureReceivesDatesListsAndObjects evaluates attributes that are not strings.
func TestOpenFeatureReceivesDatesListsAndObjects(t *testing.T) {
	t.Parallel()
	g := startGateway(t, redistest.Start(t), gateway.MaxHold)
	g.put(t, "kinds", []byte(`{"f":{"kind":{"t":1,"v":{"s":"none"},"r":[
		{"c":[{"u":{"a":"since","c":19,"d":1777629600}}],"s":{"v":{"s":"date"}}},
		{"c":[{"u":{"a":"tags","c":34,"l":["b"]}}],"s":{"v":{"s":"list"}}},
		{"c":[{"u":{"a":"address","c":28,"s":"{\"city\":\"Wien\",\"zip\":[1010]}"}}],"s":{"v":{"s":"object"}}},
		{"c":[{"u":{"a":"age","c":14,"d":18}}],"s":{"v":{"s":"number"}}},
		{"c":[{"u":{"a":"admin","c":28,"s":"true"}}],"s":{"v":{"s":"bool"}}},
		{"c":[{"u":{"a":"Email","c":2,"l":["@example.com"]}}],"s":{"v":{"s":"email"}}}]}}}`))
	key := "--header=X-ConfigCat-SdkKey=" + sdkKey
	server, web := startOFREP(t, "server", g.url, key), startOFREP(t, "web", g.url, key)
	for context, want := range map[string]string{
		`{}`: "none",
		`{"since":{"$date":"2026-05-01T10:00:00.001Z"}}`: "date",
		`{"since":{"$date":"2026-05-01T09:59:59.999Z"}}`: "none",
		`{"tags":["a","b"]}`:                             "list",
		`{"address":{"city":"Wien","zip":[1010]}}`:       "object",
		`{"age":18.5}`:                 "number",
		`{"admin":true}`:               "bool",
		`{"email":"jane@example.com"}`: "email",
	} {
		if f := evaluateOFREP(t, server, `{"context":`+context+`,"flags":{"kind":""}}`)["kind"]; f.Value != want {
			t.Errorf("server, %s: %+v, want %s", context, f, want)
		}
		// The provider of pages does not notice a new context as such: the ETag has to differ.
		if f := evaluateOFREP(t, web, context)["kind"]; f.Value != want {
			t.Errorf("web, %s: %+v, want %s", context, f, want)
		}
	}
}

// TestPagesWithOpenFeatureShowChangesWithoutPolling runs the provider of pages in Node and in
// Chromium, against processes of catbridge serve that share a key for events.
func TestPagesWithOpenFeatureShowChangesWithoutPolling(t *testing.T) {
	t.Parallel()
	chromium := startBrowser(t)
	server, cdn := redistest.Start(t), fakecdn.New()
	_, refresh := startLeader(t, server.Client(t, nil), cdn)
	const token = "token-of-this-test-0"
	dir := t.TempDir()
	tokens, keys := filepath.Join(dir, "tokens"), filepath.Join(dir, "keys")
	for file, text := range map[string]string{
		tokens: token + " sdks=interop rights=evaluate,stream origins=" + chromium.site,
		keys:   strings.Repeat("0123456789abcdef", 2),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serve := startServe(t, server, "--token-file", tokens, "--event-key-file", keys)
	secure := startSecureServe(t, server, "--token-file", tokens) // with HTTP/2
	for _, s := range []*serveProcess{serve, secure} {
		for !strings.Contains(string(s.get(t, "/readyz")), "interop: ready") {
		}
	}

	var sdks group
	sdks.add("Node", startOFREP(t, "web", serve.url(), "--header=X-API-Key="+token))
	sdks.add("Chromium", chromium.open(t, page{baseURL: serve.url(), fetcher: "ofrep", token: token, context: `{"targetingKey":"42"}`, visitor: "one"}))
	encrypted := chromium.open(t, page{baseURL: secure.url(), fetcher: "ofrep", token: token})
	encrypted.name = "Chromium, TLS"
	publish := func() {
		t.Helper()
		version := cdn.Publish()
		refresh()
		append(sdks, encrypted).receive(t, version)
	}
	append(sdks, encrypted).receive(t, 1)
	serve.streaming(t, len(sdks))
	secure.streaming(t, 1)
	publish()
	publish()

	// Another page of the visitor starts with what the browser keeps.
	sdks.add("the second page", chromium.open(t, page{baseURL: serve.url(), fetcher: "ofrep", token: token, context: `{"targetingKey":"42"}`, visitor: "one"}))
	sdks[2].receive(t, cdn.Version(), time.Now())
	serve.streaming(t, len(sdks))
	publish()

	// The streams end with the process, and start again with the same URIs.
	serve.end(t, os.Interrupt)
	cdn.Publish()
	refresh()
	serve.start(t)
	sdks.receive(t, cdn.Version())
	serve.streaming(t, len(sdks))
	publish()

	other := strings.Replace(chromium.site, "127.0.0.1", "localhost", 1)
	refused := chromium.open(t, page{site: other, baseURL: serve.url(), fetcher: "ofrep", token: token})
	if r := refused.read(t); len(r.Flags) > 0 || len(r.Errors) == 0 {
		t.Errorf("a page of an origin that is not allowed has %+v", r)
	}
}
