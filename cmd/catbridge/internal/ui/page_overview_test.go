package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/leader"
)

const (
	currentRev = int64(1767225600000)
	someHash   = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
)

func change(flag string, kind evaluate.ChangeKind, lines ...string) observe.Change {
	return observe.Change{Subject: words.Subject{Flag: flag}, Kind: kind, Lines: lines}
}

// wholeView is a view with something of everything.
func wholeView(t testing.TB) *observe.View {
	v := testView(t, testFlags)
	now := time.Now().UTC()
	v.Local = &leader.KeyStats{Name: "shop", State: leader.StateSteady}
	v.State = inspect.Key{
		Name: "shop", OK: true,
		Leader:  &inspect.Leader{ID: "host-1/AAAA", Host: "host-1", Since: now.Add(-3 * time.Hour)},
		Content: &inspect.Content{Rev: currentRev, Hash: someHash, Bytes: 4321, Age: new(3 * 3600.0), Poll: 4 * 3600},
		History: &inspect.History{Rev: currentRev, Hash: someHash, Time: now.Add(-3 * time.Hour)},
		Fleet:   &inspect.Fleet{Following: 12, Current: 9, Behind: 2, Pending: 1, Silent: 3, Versions: map[string]int{"v1.2.0": 10, "v1.1.0": 2}},
	}
	version := func(rev int64, ago time.Duration, cause history.Cause, changes ...observe.Change) observe.Version {
		o := observe.Version{Known: true, Changes: changes}
		o.Rev, o.Hash, o.Time, o.Cause, o.Leader, o.Size, o.ETag = rev, someHash, now.Add(-ago), cause, "host-1/AAAA", 4321, `W/"v7"`
		return o
	}
	v.History = []observe.Version{
		version(currentRev, 5*time.Minute, history.Webhook, change("newCheckout", evaluate.ChangeEdited, `default value: true (was false)`, "rule 1: added")),
		version(currentRev-1000, time.Hour, history.Poll, change("limit", evaluate.ChangeEdited, "default value: 3 (was 2)"), change("old", evaluate.ChangeRemoved, "removed (was Boolean, serves false)")),
		version(currentRev-2000, 2*time.Hour, history.First),
	}
	v.History[2].Known, v.History[2].Why = false, ""
	for i := range 5 {
		v.Spreads = append(v.Spreads, observe.Spread{
			Rev: currentRev - int64(4-i)*1000, Hash: someHash, Time: now.Add(-time.Duration(5-i) * time.Hour), Median: time.Duration(i+1) * 300 * time.Millisecond, Last: time.Duration(i+1) * time.Second, Reported: 9,
		})
	}
	for i := range 300 {
		v.Answers = append(v.Answers, observe.Answer{At: now.Add(time.Duration(i-300) * time.Minute), Age: time.Duration(i%60) * time.Second, Known: i%50 != 7})
	}
	for i, standing := range []observe.Standing{observe.Behind, observe.Behind, observe.Silent, observe.Silent, observe.Silent, observe.Pending, observe.Current} {
		v.Followers = append(v.Followers, observe.Follower{
			Name: fmt.Sprintf("web-%d", i), ID: fmt.Sprintf("web-%d~X", i), Version: "v1.2.0", State: "live", Standing: standing, Rev: currentRev, Lag: time.Second, Reported: now, Interval: time.Minute,
		})
	}
	return v
}

func acting(c *Config) { c.Acts, c.Tokens = true, allTokens() }

func TestTheOverviewHasTheWholeState(t *testing.T) {
	v := wholeView(t)
	w := get(testUI(t, nil, acting, v), controlToken, "/ui/")
	checkMarkup(t, "overview", w)
	wantText(t, w, 200,
		"host-1 since 3 h", "(this process)", "Config in force 1a2b3c4d of 3 h ago , 4.32 kB", "A leader brings the config, which is all flags of an SDK key, from ConfigCat’s CDN.", "3 h old asked every 4 h", "9 of 12 current", "2 behind", "3 silent", "1 pending",
		"webhook config 1a2b3c4d ConfigCat's webhook told the leader to ask the CDN", "default value: true (was false)", "rule 1: added", "Half of the 9 followers that reported had it within 1.5 s of the leader's request to the CDN, and the last within 5.0 s.",
		"Take this back …", "Time until followers had each of the last changes", "Age of the CDN’s answer", "ok")
	for what, part := range map[string]string{
		"plots that are images": `role="img" aria-label="Time until followers of shop had each of the last 5 changes`,
		"the other plot":        `role="img" aria-label="Age of the CDN&#39;s last answer for shop over the last`,
		"a link to those":       `href="/ui/sdk/shop/fleet?show=behind"`,
		"a link to the flag":    `href="/ui/sdk/shop/flags/newCheckout"`,
		"a link to take back":   fmt.Sprintf(`href="/ui/sdk/shop/actions/takeback?rev=%d"`, currentRev),
	} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("the page has not %s", what)
		}
	}
	if reader := get(testUI(t, nil, acting, v), readToken, "/ui/"); strings.Contains(text(reader), "Take this back") {
		t.Error("who may not act is offered to")
	}
}

// The rev of what is in force rises with each answer of the CDN. It is nobody's name for a config.
func TestConfigsInForceAreNamedByTheirHash(t *testing.T) {
	v := wholeView(t)
	u := testUI(t, nil, acting, v)
	pages := []string{"/ui/", "/ui/sdk/shop/fleet"}
	var before []string
	for _, page := range pages {
		before = append(before, text(get(u, readToken, page)))
	}
	confirmed := *v
	content := *v.State.Content
	content.Rev += 60_000
	confirmed.State.Content, confirmed.Rev = &content, content.Rev
	for i := range confirmed.Followers {
		confirmed.Followers[i].Rev = content.Rev
	}
	u = testUI(t, nil, acting, &confirmed)
	for i, page := range pages {
		if after := text(get(u, readToken, page)); strings.Contains(after, "Rev ") || strings.Contains(after, fmt.Sprint(content.Rev)) || !strings.Contains(after, "1a2b3c4d") || !strings.Contains(before[i], "1a2b3c4d") {
			t.Errorf("%s names the config otherwise: %s", page, after)
		}
	}
}

// Silent followers can be behind, too.
func TestTheOverviewCountsSilentFollowersThatAreBehind(t *testing.T) {
	v := wholeView(t)
	v.State.Fleet = &inspect.Fleet{Following: 2, Current: 2, Silent: 2, SilentBehind: 1}
	w := get(testUI(t, nil, acting, v), readToken, "/ui/")
	wantText(t, w, 200, "shop 1 behind (silent)", "2 of 2 current 1 behind (silent) 2 silent")
	if !strings.Contains(w.Body.String(), `<a class="badge warn" href="/ui/sdk/shop/fleet?show=behind">1 behind (silent)</a>`) {
		t.Error("there is no link to it")
	}
	v.State.Fleet = &inspect.Fleet{Following: 3, Current: 2, Behind: 1, Silent: 2, SilentBehind: 1}
	wantText(t, get(testUI(t, nil, acting, v), readToken, "/ui/"), 200, "2 behind (1 of them silent)")
}

func TestTheOverviewSaysWhatThisProcessDoes(t *testing.T) {
	for state, want := range map[leader.State]string{
		leader.StateCandidate: "stands by, to take over if no other leads", leader.StateWarm: "waits for its first answer", leader.StateSteady: "(this process)", leader.StateStopped: "has stopped",
	} {
		v := wholeView(t)
		v.Local.State = state
		w := get(testUI(t, nil, acting, v), readToken, "/ui/")
		wantText(t, w, 200, want)
		if strings.Contains(text(w), string(state)) && state != leader.StateStopped {
			t.Errorf("the page has the word %s", state)
		}
	}
}

// A large fleet takes longer to read: the page is not stale while it is.
func TestAViewIsStaleOnceItIsOlderThanItsPace(t *testing.T) {
	for what, test := range map[string]struct {
		age, pace time.Duration
		stale     bool
	}{
		"small":                    {0, 4 * time.Second, false},
		"small, not read any more": {16 * time.Second, 4 * time.Second, true},
		"large":                    {time.Minute, time.Minute, false},
		"large, not read any more": {121 * time.Second, time.Minute, true},
	} {
		v := wholeView(t)
		v.Read, v.Pace = time.Now().Add(-test.age), test.pace
		u := testUI(t, nil, acting, v)
		if is := strings.Contains(text(get(u, readToken, "/ui/")), "This is the state of"); is != test.stale {
			t.Errorf("%s: the overview says that it is stale: %t", what, is)
		}
		if is := strings.Contains(text(get(u, readToken, "/ui/sdk/shop/fleet")), "this process has not read it since"); is != test.stale {
			t.Errorf("%s: the page of the fleet says that it is stale: %t", what, is)
		}
	}
}

func TestTheOverviewSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	v := wholeView(t)
	v.State.OK, v.State.Faults, v.State.Remarks = false, []string{"no leader: start a leader, or see its log"}, []string{"unknown: the number of subscribers (NOPERM)"}
	v.State.Leader, v.Advice = nil, []string{"the last poll of the CDN failed (timeout): check DNS"}
	v.State.Content.Age = new(5 * 3600.0)
	v.State.Control = &inspect.Control{Forced: []inspect.Force{{Flag: "limit", Value: int64(3), Order: inspect.Order{By: "ada", Reason: "load test", Until: time.Now()}}}}
	v.Local.Suspended = "the config has no such flag"
	w := get(testUI(t, nil, acting, v), controlToken, "/ui/")
	checkMarkup(t, "overview", w)
	wantText(t, w, 200, "2 faults", "no leader: start a leader", "check DNS", "none, or unknown", "late", "forced limit to 3 until", "by ada: load test",
		"The leader has not acted on this yet.", "suspended the config has no such flag", "Withdraw …", "unknown: the number of subscribers")
}

func TestTheOverviewHasAStateForEachSituation(t *testing.T) {
	unread := &observe.View{Label: "shop"}
	failing := &observe.View{Label: "shop", Err: "Redis cannot be read: refused; run catbridge doctor"}
	old := wholeView(t)
	old.Read, old.Err = time.Now().Add(-time.Minute), "Redis cannot be read: refused"
	empty := &observe.View{Label: "shop", Read: time.Now(), State: inspect.Key{Content: &inspect.Content{}, Fleet: &inspect.Fleet{}, Faults: []string{"no content: no leader has had a usable answer from the CDN yet"}}}
	operator := wholeView(t)
	operator.History[0].Cause = history.Pin
	unknown := wholeView(t)
	unknown.Spreads, unknown.State.Fleet, unknown.HistoryErr, unknown.Answers = nil, nil, "NOPERM; grant +xrevrange", nil
	young := wholeView(t)
	young.Spreads[4].Reported, young.Spreads[4].Median, young.Spreads[4].Last = 0, 0, 0
	for what, test := range map[string]struct {
		view *observe.View
		want []string
	}{
		"before the first look": {unread, []string{"reading …", "Reading …"}},
		"Redis is away":         {failing, []string{"Redis cannot be read: refused; run catbridge doctor"}},
		"stale":                 {old, []string{"Redis cannot be read", "This is the state of", "host-1"}},
		"no config":             {empty, []string{"no config yet", "1 fault", "none reports", "Set FleetReport", "The history has no config yet.", "No follower has reported yet", "Nothing is recorded yet"}},
		"an operator's order":   {operator, []string{"How long it took is not measured for what operators order."}},
		"no rights":             {unknown, []string{"Followers unknown", "The history cannot be read: NOPERM; grant +xrevrange"}},
		"nobody has reported":   {young, []string{"No follower has reported yet how long it took."}},
	} {
		w := get(testUI(t, nil, acting, test.view), controlToken, "/ui/")
		checkMarkup(t, what, w)
		wantText(t, w, 200, test.want...)
	}
	wantText(t, get(testUI(t, nil, acting), controlToken, "/ui/"), 200, "There is no SDK key to show")
}

func TestManySDKKeysHaveLinksToTheirPlots(t *testing.T) {
	var views []*observe.View
	for i := range 2 * plottedKeys {
		v := wholeView(t)
		v.Label = fmt.Sprintf("key %d", i)
		views = append(views, v)
	}
	u := testUI(t, nil, acting, views...)
	w := get(u, controlToken, "/ui/")
	checkMarkup(t, "overview", w)
	if strings.Contains(w.Body.String(), "<svg") || !strings.Contains(w.Body.String(), `href="/ui/?sdk=key&#43;3"`) {
		t.Error("many SDK keys have plots, or no link to them")
	}
	w = get(u, controlToken, "/ui/?sdk=key+3")
	checkMarkup(t, "overview of one", w)
	if wantText(t, w, 200, "Overview of key 3", "All SDK keys"); strings.Count(w.Body.String(), "<svg") != 2 {
		t.Error("the overview of one SDK key has no plots")
	}
	wantText(t, get(u, controlToken, "/ui/?sdk=none"), 404)
	only := testUI(t, nil, func(c *Config) { c.Tokens = []Token{{Secret: readToken, Read: true, SDKs: []string{"key 3"}}} }, views...)
	if wantText(t, get(only, readToken, "/ui/"), 200, "key 3"); strings.Contains(text(get(only, readToken, "/ui/")), "key 4") {
		t.Error("an SDK key is shown to a token that is not for it")
	}
	wantText(t, get(only, readToken, "/ui/?sdk=key+4"), 404)
}

// hostileStrings are strings that are dangerous where they are not escaped, or cannot be seen.
var hostileStrings = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='x`, "a\u202eb\u2066", "tab\tnul\x00", `{{.Data}}`, `javascript:alert(1)`, "../../..", "?a=b#c", strings.Repeat("long ", 2000)}

// wantHarmless checks that no hostile text became markup.
func wantHarmless(t *testing.T, what string, body string) {
	t.Helper()
	for _, part := range []string{"<script>alert", "<img src=x", `href="javascript:`, "' onmouseover='", "\u202e", "\u2066", "\x00"} {
		if strings.Contains(body, part) {
			t.Errorf("%s: the page contains %q", what, part)
		}
	}
}

// hostileView has a hostile text wherever others write.
func hostileView(t testing.TB, text string) *observe.View {
	v := wholeView(t)
	v.State.Leader.ID, v.Advice = text+"/A", []string{text}
	v.State.Faults, v.State.Remarks = []string{text}, []string{text}
	v.State.Content.ETag = text
	v.State.Fleet.Versions = map[string]int{text: 1}
	order := inspect.Order{By: text, Reason: text, Since: time.Now(), Until: time.Now()}
	v.State.Control = &inspect.Control{Pin: &inspect.Pin{Rev: currentRev, Hash: someHash, Order: order}, Forced: []inspect.Force{{Flag: text, Value: text, Order: order}}}
	v.Local.Suspended = text
	for i := range v.History {
		h := &v.History[i]
		h.Leader, h.ETag, h.Cause, h.Why = text+"/A", text, history.Cause(text), text
		h.Changes = append(h.Changes, change(text, evaluate.ChangeEdited, text, text), observe.Change{Subject: words.Subject{Segment: text}, Lines: []string{text}})
	}
	for i := range v.Followers {
		f := &v.Followers[i]
		f.Name, f.Version, f.State, f.ID = text, text, text, fmt.Sprint(i, text)
	}
	return v
}

// away is a Redis that refuses connections, at once.
func away(t testing.TB) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestHostileTextsAreTextOnAllPages(t *testing.T) {
	for i, hostile := range hostileStrings {
		v := hostileView(t, hostile)
		u := testUI(t, away(t), acting, v)
		for _, path := range []string{
			"/ui/", "/ui/sdk/shop/fleet", "/ui/sdk/shop/history", fmt.Sprintf("/ui/sdk/shop/history/%d", currentRev), fmt.Sprintf("/ui/sdk/shop/history/%d", currentRev-2000), "/ui/sdk/shop/actions",
		} {
			w := get(u, controlToken, path)
			if w.Code != 200 {
				t.Errorf("%s: status %d", path, w.Code)
			}
			what := fmt.Sprintf("%s with text %d", path, i)
			wantHarmless(t, what, w.Body.String())
			if !strings.ContainsAny(hostile, `<>"`) {
				checkMarkup(t, what, w)
			}
		}
	}
}
