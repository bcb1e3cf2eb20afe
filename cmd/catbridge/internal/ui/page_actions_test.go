package ui

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	_ "github.com/catbridge/catbridge/internal/testenv/bubble"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/leader/control"
)

// actingEnv is the dashboard of a running leader, in virtual time, with a follower that shows what is served.
type actingEnv struct {
	*testing.T
	server   *redistest.VirtualServer
	redis    *redis.Client
	cdn      *fakecdn.CDN
	leader   *leader.Leader
	follower *follower.Client
	observer *observe.Observer
	ui       *UI
	stopLead func()
}

func actingOn(t *testing.T, test func(e *actingEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := &actingEnv{T: t, server: redistest.Virtual(t), cdn: fakecdn.New()}
		e.redis = e.server.Client(t, nil)
		var err error
		e.leader, err = leader.New(leader.Config{
			Redis: e.server.Client(t, nil), Transport: e.cdn, SDKKeys: []leader.SDKKey{{Name: "shop", Key: testKey, BaseURL: "http://cdn.test"}},
			Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		e.stopLead = e.run(e.leader.Run)
		e.follower, err = follower.New(follower.Config{SDKKey: testKey, Redis: e.server.Client(t, nil), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.follower.Close)
		<-e.follower.Ready()
		e.observer, err = observe.New(observe.Config{Redis: e.redis, Leader: e.leader.Stats})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.observer.SetTargets([]observe.Target{{Label: "shop", Key: testKey, Client: e.follower}}); err != nil {
			t.Fatal(err)
		}
		e.run(e.observer.Run)
		t.Cleanup(e.observer.Watching())
		e.ui = testUI(t, e.redis, func(c *Config) { c.Acts, c.Observer, c.Tokens = true, e.observer, allTokens() })
		t.Cleanup(func() { e.ui.Drain(context.Background()) })
		e.publish()
		test(e)
	})
}

func (e *actingEnv) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(e.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-done; err != nil {
				e.Error(err)
			}
		}
	}
	e.Cleanup(stop)
	return stop
}

// publish makes the CDN serve another config, and waits until it is shown.
func (e *actingEnv) publish() {
	e.Helper()
	time.Sleep(2 * time.Second)
	e.cdn.Publish()
	if err := e.leader.RequestRefresh(e.Context(), "shop"); err != nil {
		e.Fatal(err)
	}
	e.settle()
}

func (e *actingEnv) settle() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// serves returns the version that the follower serves.
func (e *actingEnv) serves() int { return e.follower.GetIntValue(fakecdn.VersionFlag, -1, nil) }

func (e *actingEnv) actions(path string) *httptest.ResponseRecorder {
	e.Helper()
	w := get(e.ui, controlToken, "/ui/sdk/shop/actions"+path)
	checkMarkup(e.T, "actions"+path, w)
	return w
}

func (e *actingEnv) send(kind string, pairs ...string) *httptest.ResponseRecorder {
	e.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequestWithContext(e.Context(), "POST", "/ui/sdk/shop/actions/"+kind, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := send(e.ui, controlToken, r)
	if w.Code != 303 {
		checkMarkup(e.T, kind, w)
	}
	return w
}

var hiddenFields = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// confirm sends the form of a preview.
func (e *actingEnv) confirm(kind string, preview *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	e.Helper()
	var pairs []string
	for _, field := range hiddenFields.FindAllStringSubmatch(preview.Body.String(), -1) {
		pairs = append(pairs, field[1], html.UnescapeString(field[2]))
	}
	return e.send(kind, pairs...)
}

// inForce returns what is in force.
func (e *actingEnv) inForce() *control.Controls {
	e.Helper()
	controls, err := control.Read(e.Context(), e.redis, testKey, "")
	if err != nil {
		e.Fatal(err)
	}
	return controls
}

func (e *actingEnv) wantNothing(what string) {
	e.Helper()
	if c := e.inForce(); c.Pinned != nil || len(c.Forced) > 0 {
		e.Errorf("%s: something is in force: %+v", what, c)
	}
}

// confirmed is confirm, and returns what the next page says.
func (e *actingEnv) confirmed(kind string, preview *httptest.ResponseRecorder) (w *httptest.ResponseRecorder, said string) {
	e.Helper()
	w = e.confirm(kind, preview)
	for _, cookie := range w.Result().Cookies() {
		if data, err := sessionText.DecodeString(cookie.Value); err == nil && strings.Contains(cookie.Name, "flash") && len(data) > flashSign {
			said = string(data[flashSign:])
		}
	}
	return w, said
}

func TestAFlagIsForcedToAValueOfItsType(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		wantText(e.T, e.actions(""), 200, "Choose the value …")
		for flag, test := range map[string]struct{ kind, value, field, shown string }{
			fakecdn.VersionFlag:       {"Whole number", "-77", `<input id="force-value"`, "-77"},
			fakecdn.VersionStringFlag: {"Text", "a \"quoted\"\nline <b>", `<textarea id="force-value"`, `a \"quoted\"\nline <b>`},
			fakecdn.DependentFlag:     {"Boolean", "true", `<option value="false"`, "true"},
			"limit":                   {"Decimal number", "1.5", `<input id="force-value"`, "1.5"},
		} {
			form := e.actions("?flag=" + flag)
			wantText(e.T, form, 200, flag, test.kind)
			if !strings.Contains(form.Body.String(), test.field) {
				e.Errorf("%s has no %s", flag, test.field)
			}
			preview := e.send("force", "flag", flag, "value", strings.ReplaceAll(test.value, "\n", "\r\n"), "for", "30m", "reason", "incident")
			wantText(e.T, preview, 200, "Force "+flag+" of shop to", test.shown, flag+": ")
			if done := e.confirm("force", preview); done.Code != 303 {
				e.Fatalf("%s: %d: %s", flag, done.Code, text(done))
			}
			e.settle()
			wantText(e.T, e.actions(""), 200, flag+" is", test.shown, "incident")
		}
		c := e.inForce()
		if len(c.Forced) != 4 || e.follower.GetStringValue(fakecdn.VersionStringFlag, "", nil) != "a \"quoted\"\nline <b>" || e.serves() != -77 {
			e.Errorf("%+v", c.Forced)
		}
		preview := e.send("unforce", "flag", fakecdn.VersionFlag)
		wantText(e.T, preview, 200, "End the force of version of shop?")
		e.confirm("unforce", preview)
		e.settle()
		if len(e.inForce().Forced) != 3 || e.serves() == -77 {
			e.Error("the force has not ended")
		}
	})
}

func TestBadInputIsExplainedAtItsFieldAndChangesNothing(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		good := map[string]map[string]string{
			"pin":   {"rev": "current", "for": "1h", "reason": "freeze"},
			"force": {"flag": fakecdn.VersionFlag, "value": "1", "for": "1h", "reason": "incident"},
		}
		for _, test := range []struct{ kind, field, value, want string }{
			{"pin", "for", "", "give the time after which it ends"},
			{"pin", "for", "soon", "write a time such as 30m"},
			{"pin", "for", "0s", "above zero and at most 168h"},
			{"pin", "for", "-1h", "above zero and at most 168h"},
			{"pin", "for", "169h", "is more than 168h0m0s (7 days)"},
			{"pin", "for", "1us", "is below 1ms"},
			{"pin", "for", "99999999999999h", "write a time such as 30m"},
			{"pin", "reason", " \t ", "say why, in at most 200 bytes"},
			{"pin", "reason", strings.Repeat("ä", 101), "over the size limit"},
			{"pin", "reason", strings.Repeat("x", 10_000), "at most 4096 bytes"},
			{"pin", "reason", "a\x00b", "a control character"},
			{"pin", "reason", "a\nb", "a control character"},
			{"pin", "reason", "\xff", "invalid UTF-8"},
			{"pin", "rev", "", "choose a config"},
			{"pin", "rev", "yesterday", "choose a config"},
			{"pin", "rev", "<script>alert(1)</script>", "choose a config"},
			{"pin", "rev", "1999999999999", "is not in the history"},
			{"pin", "rev", "-99", "is not in the history"},
			{"pin", "rev", "deadbeef", "is not in the history"},
			{"force", "flag", "", "the current config has no flag with that key"},
			{"force", "flag", "versoin", `did you mean "version"?`}, //nolint:misspell // the suggestion is tested
			{"force", "flag", "<script>alert(1)</script>", "the current config has no flag with that key"},
			{"force", "value", "true", `the flag "version" is a whole number`},
			{"force", "value", "", `the flag "version" is a whole number`},
			{"force", "value", "1.5", `the flag "version" is a whole number`},
			{"force", "value", "99999999999999999999", `the flag "version" is a whole number`},
		} {
			var pairs []string
			for field, value := range good[test.kind] {
				if field != test.field {
					pairs = append(pairs, field, value)
				}
			}
			w := e.send(test.kind, append(pairs, test.field, test.value, "confirm", "1")...)
			wantText(e.T, w, 422, test.want)
			wantHarmless(e.T, test.kind+" "+test.field, w.Body.String())
			id := map[string]string{"pinrev": "pin-rev", "forceflag": "force-flag", "forcevalue": "force-value"}[test.kind+test.field]
			if id == "" {
				id = test.kind + "-" + test.field
			}
			// The form of an unknown flag is the one to choose it, others keep what was written.
			if body := w.Body.String(); !regexp.MustCompile(`id="`+id+`"[^>]*aria-invalid="true"`).MatchString(body) || !strings.Contains(body, `id="`+id+`-note" class="badge bad"`) {
				e.Errorf("%s: the field %s is not marked for %.40q", test.kind, id, test.value)
			}
			e.wantNothing(fmt.Sprintf("%s %s %.40q", test.kind, test.field, test.value))
		}
		wantText(e.T, e.send("unpin", "confirm", "1"), 422, "Nothing was written: pin: not in force")
		wantText(e.T, e.send("unforce", "flag", "never", "confirm", "1"), 422, "Nothing was written:", "not in force")
		wantText(e.T, e.send("unforce", "flag", "<script>alert(1)</script>"), 422, "not in force")
		// Several faults show at once, and what was written stays.
		w := e.send("force", "flag", fakecdn.VersionFlag, "value", "12", "for", "x", "reason", "")
		wantText(e.T, w, 422, "write a time such as 30m", "say why")
		if !strings.Contains(w.Body.String(), `name="value" value="12"`) {
			e.Error("what was written is gone")
		}
	})
}

func TestWithoutANameOfTheTokenTheFormAsksForIt(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		e.ui.SetTokens([]Token{{Secret: controlToken, Control: true}})
		if !strings.Contains(e.actions("").Body.String(), `name="by"`) {
			e.Error("the form does not ask who orders it")
		}
		for by, want := range map[string]string{"": "say who you are", " ": "say who you are", strings.Repeat("x", 65): "over the size limit", "a\x07b": "a control character"} {
			wantText(e.T, e.send("pin", "rev", "current", "for", "1h", "reason", "freeze", "by", by), 422, want)
		}
		preview := e.send("pin", "rev", "current", "for", "1h", "reason", "freeze", "by", `<b>"eve"`)
		wantText(e.T, preview, 200, `By <b>"eve"`, "no flag evaluates differently now")
		e.confirm("pin", preview)
		if c := e.inForce(); c.Pinned == nil || c.Pinned.By != `<b>"eve"` {
			e.Errorf("%+v", c.Pinned)
		}
		// A name of a token cannot be replaced.
		e.ui.SetTokens(allTokens())
		wantText(e.T, e.send("pin", "rev", "current", "for", "1h", "reason", "freeze", "by", "eve"), 200, "By ada")
	})
}

func TestWhatHappenedWithoutALeaderIsSaid(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		b := newBrowser(e.T, e.ui)
		b.signIn(controlToken)
		csrf := b.formToken("/ui/sdk/shop/actions")
		preview := bodyOf(e.T, b.post("/ui/sdk/shop/actions/pin", url.Values{"csrf": {csrf}, "rev": {"-1"}, "for": {"1h"}, "reason": {"take it back"}}))
		if !strings.Contains(preview, "Pin rev ") {
			e.Fatal(preview)
		}
		e.stopLead()
		values := url.Values{}
		for _, field := range hiddenFields.FindAllStringSubmatch(preview, -1) {
			values.Set(field[1], html.UnescapeString(field[2]))
		}
		b.want(b.post("/ui/sdk/shop/actions/pin", values), 303)
		page := bodyOf(e.T, b.get("/ui/sdk/shop/actions"))
		if !strings.Contains(page, "written, but there is no leader: the next one acts on it") {
			e.Errorf("%s", page)
		}
		if e.inForce().Pinned == nil {
			e.Error("nothing was written")
		}
	})
}

func TestAFailingRedisChangesNothingAndIsExplained(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		preview := e.send("force", "flag", fakecdn.VersionFlag, "value", "5", "for", "1h", "reason", "incident")
		e.server.Mini().Server().SetPreHook(func(peer *server.Peer, command string, _ ...string) bool {
			if command != "EVALSHA" && command != "EVAL" {
				return false
			}
			peer.WriteError("NOPERM this user has no permissions to run the 'evalsha' command")
			return true
		})
		done := e.confirm("force", preview)
		if done.Code != 303 {
			e.Errorf("%d", done.Code)
		}
		e.server.Mini().Server().SetPreHook(nil)
		e.wantNothing("without rights")
		e.ui.config.Redis = away(e.T)
		e.settle()
		w := e.send("force", "flag", fakecdn.VersionFlag, "value", "5", "for", "1h", "reason", "incident")
		wantText(e.T, w, 422, "Nothing was written:", "run catbridge doctor")
	})
}

func TestActionsNeedTheirRightAndALeader(t *testing.T) {
	v := wholeView(t)
	u := testUI(t, away(t), acting, v)
	for _, token := range []string{readToken, explainToken} {
		wantText(t, get(u, token, "/ui/sdk/shop/actions"), 403)
		for _, kind := range []string{"pin", "unpin", "force", "unforce"} {
			r := httptest.NewRequest("POST", "/ui/sdk/shop/actions/"+kind, strings.NewReader("for=1h"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			wantText(t, send(u, token, r), 403)
		}
	}
	w := get(u, controlToken, "/ui/sdk/shop/actions")
	wantText(t, w, 200, "It is not known what is in force", "run catbridge doctor")
	serve := testUI(t, away(t), func(c *Config) { acting(c); c.Process, c.Acts = "serve", false }, v)
	wantText(t, get(serve, controlToken, "/ui/sdk/shop/actions"), 404)
	for _, path := range []string{"/ui/", "/ui/sdk/shop/history", fmt.Sprintf("/ui/sdk/shop/history/%d", currentRev)} {
		if page := get(serve, controlToken, path).Body.String(); strings.Contains(page, "/actions") {
			t.Errorf("%s of serve has a link to Actions", path)
		}
	}
}

func TestManyPagesReadWhatIsInForceOnce(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		reads := &beforeScripts{}
		counted := e.server.Client(e.T, nil)
		counted.AddHook(reads)
		e.ui.config.Redis = counted
		e.settle()
		before := reads.pipelines
		for range 50 {
			wantText(e.T, get(e.ui, controlToken, "/ui/sdk/shop/actions"), 200)
		}
		if n := reads.pipelines - before; n != 1 {
			e.Errorf("50 pages read it %d times", n)
		}
	})
}

func floatValue(f float64) evaluate.Value { return evaluate.FloatValue(f) }

// beforeScripts calls run before the first script, and counts pipelines.
type beforeScripts struct {
	run       func()
	pipelines int
}

func (b *beforeScripts) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *beforeScripts) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		b.before(command)
		return next(ctx, command)
	}
}

func (b *beforeScripts) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		b.pipelines++
		for _, command := range commands {
			b.before(command)
		}
		return next(ctx, commands)
	}
}

func (b *beforeScripts) before(command redis.Cmder) {
	if run := b.run; run != nil && strings.HasPrefix(strings.ToLower(command.Name()), "eval") {
		b.run = nil
		run()
	}
}

func FuzzActionForm(f *testing.F) {
	f.Add("1767225600000", "flag", "true", "1h", "reason", "ada", "seen", "name")
	f.Add("current", "", "\r\n", "1h30m", " ", "", "", "")
	f.Add("-1", "\x00", strings.Repeat("x", maxValue+1), "-1h", "\xff", "\u2028", "1", strings.Repeat("n", 100))
	f.Fuzz(func(t *testing.T, rev, flag, value, lasts, reason, by, seen, name string) {
		sent := map[string]string{"rev": rev, "flag": flag, "value": value, "for": lasts, "reason": reason, "by": by, "seen": seen, "confirm": seen}
		form := readAction(func(field string) string { return sent[field] })
		o, ok := form.order(name)
		for _, text := range []string{form.Reference, form.Flag, form.For, form.Reason, form.By, form.Seen} {
			if len(text) > maxField {
				t.Errorf("%d bytes are kept", len(text))
			}
		}
		if ok != (len(form.Errors) == 0) {
			t.Errorf("ok %v with %v", ok, form.Errors)
		}
		if ok && (o.For < time.Millisecond || o.For > control.MaxDuration || o.Reason == "" || len(o.Reason) > control.MaxReasonBytes || o.By == "" || len(o.By) > control.MaxByBytes) {
			t.Errorf("the order %+v is accepted", o)
		}
		if ok && name != "" && o.By != name {
			t.Errorf("%q orders in the name of %q", name, o.By)
		}
	})
}
