package ui

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/evaluate"
)

func TestExplainShowsValueTreeWarningsAndLog(t *testing.T) {
	u := testUI(t, nil, nil, testView(t, testFlags))
	w := post(u, explainerToken, url.Values{"flag": {"newCheckout"}, "by": {"fields"}, "identifier": {"42"}, "email": {"ann@configcat.com"}, "name": {"Plan", "Age"}, "value": {"pro", "x"}})
	wantText(t, w, 200, "Result for the user below", "rev 1767225600000, in force", "No rule applies, so the default value is served.",
		"Rule 1 serves true ✗ does not apply User IS IN SEGMENT 'Beta' ✓ true segment Beta Segment Beta ✓ the user is in it User.Email CONTAINS ANY OF ['@configcat.com'] ✓ true and User.Plan EQUALS 'pro' ✓ true",
		"and Flag 'payments' EQUALS 'true' ✗ false flag payments Flag payments = false Rule 1 serves true ? cannot be evaluated the User.Age attribute is invalid ('x' is not a valid decimal number)",
		"Otherwise false ✓ served", "Rule 2 serves percentages ? cannot be evaluated the User.Country attribute is missing",
		"warning The user lacks attributes that this flag uses: with them it may serve another value.",
		"Warnings [3004] Cannot evaluate condition (User.Age >= '18')", "[3003]",
		`Evaluation log Evaluating 'newCheckout' for User '{"Identifier":"42","Email":"ann@configcat.com","Age":"x","Plan":"pro"}'`, "Returning 'false'.")
	page := w.Body.String()
	for _, kept := range []string{`value="42"`, `value="ann@configcat.com"`, `name="name" value="Plan"`, `name="value" value="pro"`} {
		if !strings.Contains(page, kept) {
			t.Errorf("the form does not keep %s", kept)
		}
	}
	wantText(t, post(u, explainerToken, url.Values{"flag": {"newCheckout"}, "by": {"json"}, "json": {`{"Identifier":"7","Country":"DE"}`}}), 200,
		"Rule 2 applies, and percentage option", "not selected", "✓ selected", "variation p", "the user's bucket is")
	wantText(t, post(u, explainerToken, url.Values{"flag": {"newCheckout"}, "by": {"none"}}), 200, "Result without a user", "User Object is missing", "Warnings [3001]")
	wantText(t, post(u, explainerToken, url.Values{"flag": {"limit"}, "by": {"fields"}, "name": {"Team"}, "value": {"red"}}), 200, "Percentage option", "is selected by bucket")
	wantText(t, post(u, explainerToken, url.Values{"flag": {"plain"}, "by": {"none"}}), 200, "All users get the same value.")
	wantText(t, post(u, explainerToken, url.Values{"flag": {"zDamaged"}, "by": {"fields"}, "email": {"x"}}), 200, "! failed", "The evaluation failed: Comparison operator is invalid.")
	wantText(t, post(u, explainerToken, url.Values{"flag": {"removed"}, "by": {"none"}}), 200, "This config does not have the flag.")
	wantText(t, post(u, explainerToken, url.Values{"flag": {"none"}, "by": {"none"}}), 404)

	w = post(u, explainerToken, url.Values{"flag": {"limit"}, "by": {"json"}, "json": {"{"}, "identifier": {"kept"}, "name": {"A"}, "value": {"1"}})
	wantText(t, w, http.StatusUnprocessableEntity, "This is not a user: invalid JSON", "In force")
	if page := w.Body.String(); !strings.Contains(page, `>{</textarea>`) || !strings.Contains(page, `value="kept"`) || strings.Contains(page, "Evaluation log") || !strings.Contains(page, `id="explain-json" name="json" rows="4"`) {
		t.Error("the form is not kept, or something was evaluated")
	}
	w = post(u, explainerToken, url.Values{"flag": {"limit"}, "by": {"fields"}, "name": {"A"}, "value": {"1"}, "more": {"1"}})
	if rows := strings.Count(w.Body.String(), `name="name"`); w.Code != 200 || rows != 2+2*spareRows || strings.Contains(w.Body.String(), "Evaluation log") { // A, Team
		t.Errorf("more rows: %d, %d", w.Code, rows)
	}
	// An answer is not replaced by live updates.
	if strings.Contains(w.Body.String(), "data-live") || !strings.Contains(get(u, explainerToken, "/ui/sdk/shop/flags/limit").Body.String(), "data-live") {
		t.Error("the answer to a form is live, or a page is not")
	}
}

// Rules are for those who may read, and users for those who may explain.
func TestExplainNeedsItsRight(t *testing.T) {
	var serveOnly []Token
	u := testUI(t, nil, func(c *Config) {
		serveOnly = append(c.Tokens, Token{Secret: "nothing-01234567890123456789012345678901234567890", Name: "nothing"}, Token{Secret: "other-0123456789012345678901234567890123456789012", Explain: true, SDKs: []string{"blog"}})
		c.Tokens = serveOnly
	}, testView(t, testFlags))
	values := url.Values{"flag": {"limit"}, "by": {"none"}}
	for token, want := range map[string]int{readerToken: 403, explainerToken: 200, serveOnly[3].Secret: 404} {
		if w := post(u, token, values); w.Code != want {
			t.Errorf("%.8s: %d, want %d", token, w.Code, want)
		}
	}
	for _, token := range []string{serveOnly[2].Secret, "unknown-01234567890123456789012345678901234567890"} {
		for _, path := range []string{"/ui/sdk/shop/flags", "/ui/sdk/shop/flags/newCheckout", "/ui/sdk/shop/segments/Beta"} {
			if w := get(u, token, path); w.Code < 300 || strings.Contains(w.Body.String(), "configcat.com") || strings.Contains(w.Body.String(), "newCheckout<") {
				t.Errorf("%.8s: %s: %d: %s", token, path, w.Code, text(w))
			}
		}
		if w := post(u, token, values); w.Code < 300 || strings.Contains(w.Body.String(), "Evaluation log") {
			t.Errorf("%.8s: %d", token, w.Code)
		}
	}
	// A form of another site has no token of this one.
	r := httptest.NewRequest(http.MethodPost, "/ui/sdk/shop/explain", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if w := send(u, explainerToken, r); w.Code != 403 {
		t.Errorf("a form of another site: %d", w.Code)
	}
}

// The user is on the page and nowhere else.
func TestTheUserOfExplainLeavesNoTrace(t *testing.T) {
	const secret = "ann-secret@example.com"
	var log bytes.Buffer
	u := testUI(t, nil, func(c *Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, testView(t, testFlags))
	for _, values := range []url.Values{
		{"flag": {"newCheckout"}, "by": {"fields"}, "identifier": {secret}, "email": {secret}, "country": {secret}, "name": {secret}, "value": {secret}},
		{"flag": {"newCheckout"}, "by": {"json"}, "json": {`{"Identifier":"` + secret + `"}`}},
		{"flag": {"newCheckout"}, "by": {"json"}, "json": {`{"Identifier":{"$date":"` + secret + `"}}`}},
		{"flag": {"newCheckout"}, "by": {"json"}, "json": {secret}},
		{"flag": {"newCheckout"}, "by": {"fields"}, "identifier": {secret}, "at": {"1767225500000"}}, // Redis is unreachable
		{"flag": {"none"}, "by": {"fields"}, "identifier": {secret}},
		{"flag": {"newCheckout"}, "by": {secret}, "identifier": {secret}},
	} {
		w := post(u, explainerToken, values)
		if w.Code == 500 {
			t.Fatalf("%v: %s", values, text(w))
		}
		for name, header := range w.Header() {
			if strings.Contains(strings.Join(header, " "), "secret") {
				t.Errorf("the header %s has the user: %v", name, header)
			}
		}
		page := w.Body.String()
		if title := regexp.MustCompile(`(?s)<title>.*?</title>`).FindString(page); title == "" || strings.Contains(title, "secret") {
			t.Errorf("title %q", title)
		}
		for _, m := range regexp.MustCompile(`(?:href|action|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "secret") {
				t.Errorf("the user is in the link %s", m[1])
			}
		}
		if !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			t.Error("browsers may keep the page")
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the log has the user:\n%s", log.String())
	}
	if w := get(u, explainerToken, "/ui/sdk/shop/explain?flag=limit&by=none"); w.Code < 400 {
		t.Errorf("GET: %d", w.Code)
	}
}

var drawnTexts = []string{"", "1", "42", "ann@configcat.com", "pro", "DE", "18", "17.5", "<b>", "é\u202e"}

// What the page says is what evaluate.Config says, for any flag and user.
func TestExplainIsTheEvaluation(t *testing.T) {
	config := testConfig(t, testFlags)
	u := testUI(t, nil, nil, testView(t, testFlags))
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) string { return rapid.SampledFrom(drawnTexts).Draw(t, name) }
		key := rapid.SampledFrom(config.Keys()).Draw(t, "flag")
		values := url.Values{"flag": {key}, "by": {"fields"}, "identifier": {draw("identifier")}, "email": {draw("email")}, "country": {draw("country")},
			"name": {"Plan", "Age", "Team"}, "value": {draw("Plan"), draw("Age"), draw("Team")}}
		data := &evaluate.UserData{Identifier: values.Get("identifier"), Email: values.Get("email"), Country: values.Get("country"), Custom: map[string]any{}}
		for i, name := range values["name"] {
			if value := values["value"][i]; value != "" {
				data.Custom[name] = value
			}
		}
		var user any = data
		if rapid.IntRange(0, 5).Draw(t, "without") == 0 {
			values.Set("by", "none")
			user = nil
		}
		want := config.Evaluate(key, user, evaluate.Value{}, nil)
		w := post(u, explainerToken, values)
		page := text(w)
		shown := fmt.Sprintf("in force %s ", visible(answers.Text(want.Any()), maxText))
		if want.Err != nil {
			shown = "! failed"
		}
		if want.VariationID != "" {
			shown += "variation " + want.VariationID
		}
		if w.Code != 200 || !strings.Contains(page, shown) {
			t.Fatalf("%v: %d, the page lacks %q:\n%s", values, w.Code, shown, page)
		}
	})
}

// A chain of prerequisites that is longer than a page can show is cut, and so is its log.
func TestALargeEvaluationIsCut(t *testing.T) {
	var b strings.Builder
	const n = 3000
	for i := range n {
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[{"p":{"f":"f%d","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}},`, i, i+1)
	}
	u := testUI(t, nil, nil, testView(t, `{"f":{`+b.String()+fmt.Sprintf(`"f%d":{"t":0,"v":{"b":true}}}}`, n)))
	w := post(u, explainerToken, url.Values{"flag": {"f0"}, "by": {"none"}})
	wantText(t, w, 200, "Rule 1 applies.", "deeper than this page shows", "larger than this page shows", "The log is longer than this page shows")
	if w.Body.Len() > 100_000 {
		t.Errorf("%d bytes", w.Body.Len())
	}
	many := `{"f":{"many":{"t":1,"r":[` + strings.Repeat(`{"c":[{"u":{"a":"Email","c":28,"s":"`+strings.Repeat("x", 100)+`"}}],"s":{"v":{"s":"1"}}},`, 2200) + `{"s":{"v":{"s":"2"}}}],"v":{"s":""}}}}`
	w = post(testUI(t, nil, nil, testView(t, many)), explainerToken, url.Values{"flag": {"many"}, "by": {"fields"}})
	wantText(t, w, 200, "Rule 2201 applies.", "2150 more", "The log is longer than this page shows")
	if w.Body.Len() > 3_000_000 {
		t.Errorf("%d bytes", w.Body.Len())
	}
}
