package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/wire"
)

// TestWatchPrintsStatesValuesAndChanges runs a leader and two watches in this process.
func TestWatchPrintsStatesValuesAndChanges(t *testing.T) {
	defer goleak.VerifyNone(t)
	mini := miniredis.NewMiniRedis()
	mini.ClockTTL(true)
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer mini.Close()
	content := func(greeting string) *localcdn.Content {
		t.Helper()
		c, err := localcdn.NewContent([]byte(`{"f":{
			"on":{"t":0,"v":{"b":true}},
			"greeting":{"t":1,"r":[{"c":[{"u":{"a":"Country","c":28,"s":"Germany"}}],"s":{"v":{"s":"` + greeting + `"}}}],"v":{"s":"Hi"}}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	cdn := localcdn.New(content("Hallo"), slog.New(slog.DiscardHandler))
	web := httptest.NewServer(cdn)
	defer web.Close()
	t.Setenv("CATBRIDGE_REDIS_URL", "redis://"+mini.Addr())
	t.Setenv("CATBRIDGE_SDK_KEY", testKey)

	german := startSession(t, "watch", "--fast", "--user", `{"Country": "Germany"}`)
	other := startSession(t, "watch", "--fast", "--flag", "greeting", "--log-level", "off")
	for _, s := range []*session{german, other} {
		s.out.expect(t, `^\S+ state connecting\n\S+ state no_leader\n`)
	}
	german.err.expect(t, `catbridge watch: no config yet: no leader: check with catbridge status that a leader runs for this SDK key\n`)
	leader := startSession(t, "leader", "--fast", "--base-url", web.URL)
	german.out.expect(t, `Z state live\n`)
	german.out.expect(t, `Z config rev=\d{13} hash=[0-9a-f]{12}\n\S+Z value on = true\n\S+Z value greeting = "Hallo"\n`)
	other.out.expect(t, `Z config .*\n\S+Z value greeting = "Hi"\n`)

	cdn.Publish(content("Servus"))
	refresh := startSession(t, "refresh")
	refresh.end(t, exitOK)
	german.out.expect(t, `Z change rev=\d{13} hash=[0-9a-f]{12}\n\S+Z value greeting: "Hallo" → "Servus"\n`)
	other.out.expect(t, `Z change rev=\d{13} hash=[0-9a-f]{12}: the same values\n`)

	mini.Close()
	german.out.expect(t, `Z state disconnected\n`)
	for _, s := range []*session{german, other, leader} {
		s.cancel()
		s.end(t, exitOK)
	}
	for _, s := range []*session{german, other, leader, refresh} {
		if text := s.out.String() + s.err.String(); strings.Contains(text, "secretsecret") {
			t.Errorf("an SDK key shows up: %s", text)
		}
	}
	if strings.Contains(other.out.String(), "value on") {
		t.Error("a flag is printed that was not asked for")
	}
}

// TestWatchAndServeShowThatContentIsControlled uses a Redis in which no leader changes anything.
func TestWatchAndServeShowThatContentIsControlled(t *testing.T) {
	c := newControlled(t)
	seq := time.Now().UnixMilli()
	text := strconv.FormatInt(seq, 10)
	c.publish(controlConfig("two", 2), seq)
	out, _ := c.run(exitOK, "watch", "--once", "--flag", "text", "--log-level", "off")
	if !regexp.MustCompile(`Z control in force seq=` + text + `\n\S+Z config rev=.*\n\S+Z value text = "two"\n$`).MatchString(out) {
		t.Errorf("watch prints %s", out)
	}
	out, _ = c.run(exitOK, "watch", "--once", "--json", "--log-level", "off")
	if !strings.Contains(out, `"event":"control","control":`+text+`}`) {
		t.Errorf("watch prints %s", out)
	}

	watch := startSession(t, "watch", "--log-level", "off")
	serve := startSession(t, "serve", "--listen", "127.0.0.1:0", "--log-level", "info")
	watch.out.expect(t, `Z control in force seq=`+text+`\n`)
	serve.err.expect(t, `"listen":"[^"]+"`)
	address := regexp.MustCompile(`"listen":"([^"]+)"`).FindStringSubmatch(serve.err.String())[1]
	status := func() string {
		res, err := http.Get("http://" + address + "/status")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for !strings.Contains(status(), `"ready": true`) {
		time.Sleep(10 * time.Millisecond)
	}
	if have := status(); !strings.Contains(have, `"control": `+text) {
		t.Errorf("the status is %s", have)
	}
	m := wire.Message{Type: wire.Heartbeat, Rev: c.rev, Hash: wire.ContentHash(controlConfig("two", 2)), Epoch: c.rev}
	c.client.Publish(t.Context(), c.keys.Events, m.Append(nil))
	watch.out.expect(t, `Z control ended\n`)
	for strings.Contains(status(), `"control"`) {
		time.Sleep(10 * time.Millisecond)
	}
	for _, s := range []*session{watch, serve} {
		s.cancel()
		s.end(t, exitOK)
	}
}

func TestAReportAsJSON(t *testing.T) {
	var out strings.Builder
	r := newReport(terminal.NewOutput(&out), true)
	r.now = func() time.Time { return time.Date(2026, 1, 2, 4, 4, 5, 6e6, time.FixedZone("", 3600)) }
	stats := follower.Stats{Rev: 1767322800000, Hash: "abc", ETag: `"e"`, Source: follower.SourceBlob}
	err := errors.Join(
		r.state(follower.StateLive),
		r.control(1767322800007),
		r.control(0),
		r.config(stats, []string{"a", "b"}, answers.Set{"a": true, "b": nil}),
		r.change(stats, []answers.Change{
			{Key: "a", From: true, To: nil}, {Key: "c", To: "x", Added: true}, {Key: "b", From: 1, Removed: true},
		}),
		r.change(stats, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-01-02T03:04:05.006Z","event":"state","state":"live"}
{"time":"2026-01-02T03:04:05.006Z","event":"control","control":1767322800007}
{"time":"2026-01-02T03:04:05.006Z","event":"control","control":0}
{"time":"2026-01-02T03:04:05.006Z","event":"config","rev":1767322800000,"hash":"abc","etag":"\"e\"","source":"blob","values":{"a":true,"b":null}}
{"time":"2026-01-02T03:04:05.006Z","event":"change","rev":1767322800000,"hash":"abc","etag":"\"e\"","source":"blob","changes":[{"key":"a","from":true,"to":null},{"key":"c","to":"x"},{"key":"b","from":1}]}
{"time":"2026-01-02T03:04:05.006Z","event":"change","rev":1767322800000,"hash":"abc","etag":"\"e\"","source":"blob","changes":[]}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

// TestAWatchThatCannotPrintEnds checks that watch ends when its output is a closed pipe.
func TestAWatchThatCannotPrintEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	var errs strings.Builder
	code := run(t.Context(), []string{"watch", "--sdk-key", testKey, "--redis", "redis://127.0.0.1:1"}, strings.NewReader(""), failing{}, &errs)
	if code != exitFailure || !strings.Contains(errs.String(), "catbridge watch: no space left") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestParseUser(t *testing.T) {
	for text, want := range map[string]any{
		"":   nil,
		"{}": map[string]any{},
		`{"Identifier":"1","Age":30,"Tags":["a","b"]}`: map[string]any{"Identifier": "1", "Age": 30.0, "Tags": []any{"a", "b"}},
	} {
		if have, err := parseUser(text); err != nil || !cmp.Equal(have, want) {
			t.Errorf("%s: %v, %v, want %v", text, have, err, want)
		}
	}
	for _, text := range []string{"x", "null", "1", `"x"`, "[]", "{} {}", `{"a":`, `{"Custom":{}}`} {
		if have, err := parseUser(text); err == nil {
			t.Errorf("%s: no error, but %v", text, have)
		}
	}
}

func FuzzParseUser(f *testing.F) {
	f.Add(`{"Identifier":"1","Age":30,"Tags":["a","b"]}`)
	f.Add(`{"a":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		user, err := parseUser(text)
		if err != nil || user == nil {
			return
		}
		if _, err := json.Marshal(user); err != nil {
			t.Error(err)
		}
	})
}
