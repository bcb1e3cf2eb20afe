package ui

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
)

// testFlags has a flag of each kind.
const testFlags = `{"p":{"s":"salt"},"s":[{"n":"Beta","r":[{"a":"Email","c":2,"l":["@configcat.com"]},{"a":"Plan","c":28,"s":"pro"}]},{"n":"Broken","r":[{"a":"Email","c":99,"s":"x"}]}],
	"f":{"plain":{"t":1,"v":{"s":"hello"}},
	"newCheckout":{"t":0,"r":[{"c":[{"s":{"s":0,"c":0}},{"p":{"f":"payments","c":0,"v":{"b":true}}}],"s":{"v":{"b":true},"i":"on"}},
		{"c":[{"u":{"a":"Country","c":0,"l":["DE","AT"]}}],"p":[{"p":20,"v":{"b":true},"i":"p1"},{"p":80,"v":{"b":false},"i":"p2"}]}],"v":{"b":false},"i":"off"},
	"payments":{"t":0,"r":[{"c":[{"u":{"a":"Age","c":15,"d":18}}],"s":{"v":{"b":true}}}],"v":{"b":false}},
	"limit":{"t":2,"a":"Team","p":[{"p":50,"v":{"i":1}},{"p":50,"v":{"i":2}}],"v":{"i":3}},
	"zDamaged":{"t":0,"r":[{"c":[{"s":{"s":1,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`

func testConfig(t testing.TB, text string) *evaluate.Config {
	t.Helper()
	config, err := evaluate.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func testView(t testing.TB, text string) *observe.View {
	t.Helper()
	now := time.Now().UTC()
	return &observe.View{
		Label: "shop", Read: now, Config: testConfig(t, text), Rev: 1767225600000, Complete: true,
		Changed: map[string]observe.Changed{
			"newCheckout": {Rev: 1767225500000, Time: now.Add(-time.Hour), Cause: history.Webhook},
			"plain":       {Rev: 1767225400000, Time: now.Add(-72 * time.Hour), Cause: history.Poll},
			"removed":     {Rev: 1767225500000, Time: now.Add(-time.Hour), Cause: history.Poll},
		},
	}
}

// testUI returns a UI for views. The tokens reader and explainer have one right each.
func testUI(t testing.TB, client redis.UniversalClient, edit func(*Config), views ...*observe.View) *UI {
	t.Helper()
	if client == nil {
		client = away(t)
	}
	c := Config{
		Process: "leader", Observer: fixedViews(views), Redis: client,
		Tokens: []Token{{Secret: readerToken, Name: "reader", Read: true}, {Secret: explainerToken, Name: "explainer", Explain: true}},
	}
	if edit != nil {
		edit(&c)
	}
	u, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// fixedViews is an observer whose views do not change. Its SDK key is testKey.
type fixedViews []*observe.View

const testKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

func (f fixedViews) Labels() (labels []string) {
	for _, view := range f {
		labels = append(labels, view.Label)
	}
	return labels
}

func (f fixedViews) View(label string) *observe.View {
	for _, view := range f {
		if view.Label == label {
			return view
		}
	}
	return nil
}

func (f fixedViews) Changed() <-chan struct{}     { return nil }
func (f fixedViews) Watching() (release func())   { return func() {} }
func (f fixedViews) Secret(string) (string, bool) { return testKey, true }

const (
	readerToken    = "reader-0123456789012345678901234567890123456789"
	explainerToken = "explainer-0123456789012345678901234567890123456"
)

func get(u *UI, token, path string) *httptest.ResponseRecorder {
	return send(u, token, httptest.NewRequest(http.MethodGet, path, nil))
}

func post(u *UI, token string, values url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/ui/sdk/shop/explain", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(u, token, r)
}

func send(u *UI, token string, r *http.Request) *httptest.ResponseRecorder {
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	u.ServeHTTP(w, r)
	return w
}

var tags = regexp.MustCompile(`(?s)<[^>]*>|\s+`)

// text returns the text of a page, without tags, each space once.
func text(w *httptest.ResponseRecorder) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(w.Body.String(), " "))), " ")
}

func wantText(t *testing.T, w *httptest.ResponseRecorder, status int, parts ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %.300s", w.Code, status, text(w))
	}
	page := text(w)
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func TestFlagsAreShownInWordsBrokenOnesFirst(t *testing.T) {
	view := testView(t, testFlags)
	view.State.Control = &inspect.Control{Forced: []inspect.Force{{Flag: "limit", Value: 7, Order: inspect.Order{By: "ann", Reason: "too slow", Until: time.Now().Add(time.Hour)}}},
		Pin: &inspect.Pin{Rev: 5, Order: inspect.Order{By: "bob", Reason: "incident"}}}
	u := testUI(t, nil, nil, view)
	w := get(u, readerToken, "/ui/sdk/shop/flags")
	wantText(t, w, 200, "1 to 5 of 5 flags, 1 broken", "rev, the number of that config in the history", "scroll it sideways", "zDamaged broken Boolean", "Comparison operator is invalid.",
		`newCheckout Boolean false serves true to users IN SEGMENT "Beta" AND flag payments EQUALS true`, "otherwise false", "segment Beta flag payments",
		"webhook, rev 1767225500000", `plain String "hello" serves "hello" to all users`, "limit forced Int 3", "Forced to 7 by ann until", "too slow",
		"percentages: 50% 1, 50% 2", "pinned All flags are held as they were at rev 5: bob has pinned that config until")
	page := w.Body.String()
	if strings.Index(page, "zDamaged") > strings.Index(page, ">limit<") || strings.Index(page, ">limit<") > strings.Index(page, ">newCheckout<") {
		t.Error("the flags are in another order")
	}
	for _, path := range []string{"/ui/sdk/shop/flags/newCheckout", "/ui/sdk/shop/segments/Beta", "/ui/sdk/shop/flags/payments"} {
		if !strings.Contains(page, `href="`+path+`"`) {
			t.Errorf("no link to %s", path)
		}
	}
	for query, want := range map[string][]string{
		"":                       {"zDamaged", "limit", "newCheckout", "payments", "plain"},
		"?q=CHECK":               {"newCheckout"},
		"?q=country+checkout":    {"newCheckout"},
		"?q=age+%3E":             {"payments"},
		"?q=nothing":             nil,
		"?show=broken":           {"zDamaged"},
		"?show=changed":          {"newCheckout"},
		"?show=forced":           {"limit"},
		"?type=Boolean":          {"zDamaged", "newCheckout", "payments"},
		"?type=Boolean&q=pay":    {"newCheckout", "payments"},
		"?type=Int&show=changed": nil,
		"?page=99":               {"zDamaged", "limit", "newCheckout", "payments", "plain"},
		"?page=-1&show=odd":      {"zDamaged", "limit", "newCheckout", "payments", "plain"},
	} {
		w := get(u, readerToken, "/ui/sdk/shop/flags"+query)
		var have []string
		for _, m := range regexp.MustCompile(`<bdi>([^<]*)</bdi>`).FindAllStringSubmatch(w.Body.String(), -1) {
			have = append(have, m[1])
		}
		if w.Code != 200 || fmt.Sprint(have) != fmt.Sprint(want) {
			t.Errorf("%s: %d, %v, want %v", query, w.Code, have, want)
		}
		if want == nil && !strings.Contains(text(w), "No flag matches.") {
			t.Errorf("%s: nothing says that no flag matches", query)
		}
	}
}

func TestManyFlagsAreShownInPages(t *testing.T) {
	var b strings.Builder
	const n = 5000
	for i := range n {
		fmt.Fprintf(&b, `,"flag%04d":{"t":0,"v":{"b":true}}`, i)
	}
	u := testUI(t, nil, nil, testView(t, `{"f":{`+b.String()[1:]+`}}`))
	seen, path := 0, "/ui/sdk/shop/flags?q=flag"
	for pages := 1; ; pages++ {
		w := get(u, readerToken, path)
		rows := strings.Count(w.Body.String(), "<tr id=")
		if seen += rows; rows > rowsOnPage || w.Body.Len() > 500_000 {
			t.Fatalf("%s: %d rows, %d bytes", path, rows, w.Body.Len())
		}
		next := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(w.Body.String())
		if next == nil {
			if pages != n/rowsOnPage || seen != n {
				t.Errorf("%d pages, %d flags", pages, seen)
			}
			return
		}
		path = html.UnescapeString(next[1])
		if !strings.Contains(path, "q=flag") {
			t.Fatalf("the next page forgets the search: %s", path)
		}
	}
}

func TestAFlagHasItsRulesAndWhoUsesIt(t *testing.T) {
	u := testUI(t, nil, nil, testView(t, testFlags))
	wantText(t, get(u, readerToken, "/ui/sdk/shop/flags/newCheckout"), 200, "newCheckout", "Type Boolean", "Without a user false", "webhook, rev 1767225500000", "Used by no flag",
		"Rule 1 serves true User IS IN SEGMENT 'Beta' segment Beta and Flag 'payments' EQUALS 'true' flag payments",
		"Rule 2 serves percentages User.Country IS ONE OF ['DE', 'AT'] Percentages, by User.Identifier 20% true (buckets 0 to 19) 80% false (buckets 20 to 99)", "Otherwise false",
		"Your token does not have the right explain")
	wantText(t, get(u, readerToken, "/ui/sdk/shop/flags/payments"), 200, "Used by flag newCheckout", "User.Age >= '18'", "Last change none: it is as it was first")
	wantText(t, get(u, readerToken, "/ui/sdk/shop/flags/zDamaged"), 200, "broken", "Comparison operator is invalid.", "segment Broken")
	wantText(t, get(u, readerToken, "/ui/sdk/shop/segments/Beta"), 200, "Segment Beta", "User.Email CONTAINS ANY OF ['@configcat.com']", "and User.Plan EQUALS 'pro'", "Used by flag newCheckout")
	wantText(t, get(u, readerToken, "/ui/sdk/shop/segments/Broken"), 200, "broken", "Used by flag zDamaged")
	wantText(t, get(u, readerToken, "/ui/sdk/shop/flags/removed"), 200, "does not have this flag any more")
	for _, path := range []string{"/ui/sdk/shop/flags/none", "/ui/sdk/shop/segments/none", "/ui/sdk/other/flags"} {
		if w := get(u, readerToken, path); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	wantText(t, get(u, explainerToken, "/ui/sdk/shop/flags/newCheckout"), 200, "Name 1", "Compare with")
	page := get(u, explainerToken, "/ui/sdk/shop/flags/newCheckout").Body.String()
	for _, name := range []string{"Plan", "Age"} { // of the segment, and of the prerequisite
		if !strings.Contains(page, `name="name" value="`+name+`"`) {
			t.Errorf("the form has no row for %s", name)
		}
	}
}

func TestPagesOfFlagsBeforeThereIsAConfig(t *testing.T) {
	for want, view := range map[string]*observe.View{
		"Reading the state of shop from Redis …":     {Label: "shop"},
		"No config yet: no leader has published one": {Label: "shop", Read: time.Now()},
		"Redis cannot be read: no route to host":     {Label: "shop", Err: "Redis cannot be read: no route to host"},
	} {
		u := testUI(t, nil, nil, view)
		for _, path := range []string{"/ui/sdk/shop/flags", "/ui/sdk/shop/flags/a", "/ui/sdk/shop/segments/a"} {
			wantText(t, get(u, readerToken, path), 200, want)
		}
		wantText(t, post(u, explainerToken, form()), 200, want)
	}
	wantText(t, get(testUI(t, nil, nil, testView(t, `{"f":{}}`)), readerToken, "/ui/sdk/shop/flags"), 200, "The config has no flags yet")
}

// hostile are names and values that must not become markup or change how a page is read.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; alert(1)//`, "a\nb\x00c", "\u202egnp.exe", "javascript:alert(1)", "..", ".", "~", "~x", "a/b?c#d%2Fe", " ", "{{.}}", "</textarea>",
	strings.Repeat("long", 2500), "&lt;b&gt;",
}

// typed matches what somebody typed, which a form shows as it is.
var typed = regexp.MustCompile(`(?s) value="[^"]*"|<textarea.*?</textarea>`)

func TestHostileNamesAndValuesAreText(t *testing.T) {
	quote := func(s string) string {
		b, err := evaluateJSON(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, name := range hostile {
		q := quote(name)
		config := `{"s":[{"n":` + q + `,"r":[{"a":` + q + `,"c":28,"s":` + q + `}]}],"f":{` + q + `:{"t":1,"a":` + q + `,"r":[{"c":[{"s":{"s":0,"c":0}},{"u":{"a":` + q + `,"c":0,"l":[` + q + `]}}],"s":{"v":{"s":` + q + `},"i":` + q + `}}],` +
			`"p":[{"p":100,"v":{"s":` + q + `}}],"v":{"s":` + q + `}},"user":{"t":1,"r":[{"c":[{"p":{"f":` + q + `,"c":0,"v":{"s":` + q + `}}}],"s":{"v":{"s":` + q + `}}}],"v":{"s":"x"}}}}`
		view := testView(t, config)
		view.State.Control = &inspect.Control{Forced: []inspect.Force{{Flag: name, Value: name, Order: inspect.Order{By: name, Reason: name}}}, Pin: &inspect.Pin{Order: inspect.Order{By: name, Reason: name}}}
		view.Changed[name] = observe.Changed{Rev: 1, Time: time.Now(), Cause: history.Cause(name)}
		u := testUI(t, nil, nil, view)
		pages := map[string]*httptest.ResponseRecorder{
			"flags":   get(u, readerToken, "/ui/sdk/shop/flags?q="+url.QueryEscape(name)+"&show="+url.QueryEscape(name)),
			"flag":    get(u, explainerToken, pathOf("flags", "shop", name)+"?at="+url.QueryEscape(name)),
			"segment": get(u, readerToken, pathOf("segments", "shop", name)),
			"result": post(u, explainerToken, url.Values{"flag": {name}, "by": {"fields"}, "identifier": {name}, "email": {name[:min(len(name), 100)]}, "country": {name[:min(len(name), 100)]},
				"name": {name[:min(len(name), 100)]}, "value": {name[:min(len(name), 100)]}, "json": {name}}),
			"fault": post(u, explainerToken, url.Values{"flag": {"user"}, "by": {"json"}, "json": {name}, "at": {name}}),
		}
		for what, w := range pages {
			page := w.Body.String()
			if w.Code != 200 && (what != "fault" || w.Code != 422) {
				t.Errorf("%s of %.30q: %d: %.200s", what, name, w.Code, text(w))
			}
			for _, bad := range []string{"<script>alert", "<img src=x", "</textarea></textarea>", "ZgotmplZ"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s of %.30q has %q", what, name, bad)
				}
			}
			if shown := typed.ReplaceAllString(page, ""); strings.ContainsAny(shown, "\x00\u202e") {
				t.Errorf("%s of %.30q shows characters that cannot be seen", what, name)
			}
			for _, m := range regexp.MustCompile(`(?:href|action|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
				if to := html.UnescapeString(m[1]); !strings.HasPrefix(to, "/ui/") && !strings.HasPrefix(to, "#") || strings.Contains(to, "/../") {
					t.Errorf("%s of %.30q has a link to %q", what, name, to)
				}
			}
			if len(page) > 400_000 {
				t.Errorf("%s of %.30q has %d bytes", what, name, len(page))
			}
		}
	}
}

func evaluateJSON(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}
