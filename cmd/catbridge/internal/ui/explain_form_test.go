package ui

import (
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/evalcase"
)

func form(pairs ...string) url.Values {
	values := url.Values{"flag": {"flag"}, "by": {"fields"}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "by" {
			values.Del("by")
		}
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// The fields make the same user as catbridge eval --user makes of JSON.
func TestFieldsAreTheUserOfEval(t *testing.T) {
	for want, values := range map[string]url.Values{
		`{"Identifier":"42","Email":"a@b.c","Country":"DE","Custom":{"Plan":"pro","Age":"5"}}`: form("identifier", "42", "email", "a@b.c", "country", "DE", "name", "Plan", "value", "pro", "name", "Age", "value", "5"),
		`{"Identifier":""}`:                          form(),
		`{"Identifier":"1","Custom":{"A b":" x "}}`:  form("identifier", "1", "name", "A b", "value", " x ", "name", "", "value", "", "name", "Plan", "value", ""),
		`{"Identifier":"2","Custom":{"Custom":"x"}}`: form("identifier", "2", "name", "Custom", "value", "x"),
	} {
		f := readExplainForm(values)
		user, ok := f.user()
		whole, err := evalcase.ParseUser([]byte(want))
		if !ok || err != nil || !reflect.DeepEqual(user, whole) {
			t.Errorf("%v: %v, %v; want %v, %v", values, user, f.Faults, whole, err)
		}
		if user, ok := readExplainForm(form("by", "json", "json", want)).user(); !ok || !reflect.DeepEqual(user, whole) {
			t.Errorf("as JSON: %v, want %v", user, whole)
		}
	}
	for _, values := range []url.Values{form("by", "none"), form("by", "none", "identifier", "42", "json", "no JSON")} {
		if user, ok := readExplainForm(values).user(); !ok || user != nil {
			t.Errorf("without a user: %v", user)
		}
	}
}

// A bad user has a message at its field, and what was typed stays.
func TestBadUsersAreExplainedAtTheirFields(t *testing.T) {
	deep := strings.Repeat(`[`, 12_000)
	for name, test := range map[string]struct {
		values      url.Values
		field, want string
	}{
		"no choice":          {form("by", ""), "by", "Choose where"},
		"another choice":     {form("by", "file"), "by", "Choose where"},
		"JSON in no use":     {form("json", `{"Identifier":"42"}`), "by", "from JSON"},
		"no JSON":            {form("by", "json", "json", " "), "json", "Write the user"},
		"not JSON":           {form("by", "json", "json", "Identifier: 42"), "json", "invalid JSON at byte 1"},
		"cut JSON":           {form("by", "json", "json", `{"Identifier":`), "json", "unexpected end"},
		"two values":         {form("by", "json", "json", `{} {}`), "json", "more than one value"},
		"null":               {form("by", "json", "json", `null`), "json", "without a user"},
		"a list":             {form("by", "json", "json", `["42"]`), "json", "an object is expected"},
		"a number":           {form("by", "json", "json", `42`), "json", "an object is expected"},
		"an object":          {form("by", "json", "json", `{"Custom":{"Plan":{"a":1}}}`), "json", ".Custom.Plan: an object must be one of"},
		"a list of lists":    {form("by", "json", "json", `{"Custom":{"Plan":[["a"]]}}`), "json", ".Custom.Plan[0]: a string is expected"},
		"no time":            {form("by", "json", "json", `{"Custom":{"Since":{"$date":"today"}}}`), "json", `"today" is not a time`},
		"too deep":           {form("by", "json", "json", `{"Custom":{"Plan":`+deep), "json", "exceeded max depth"},
		"too much JSON":      {form("by", "json", "json", `{"Identifier":"`+strings.Repeat("x", maxUserBytes)+`"}`), "json", "at most 16384 are possible"},
		"JSON not UTF-8":     {form("by", "json", "json", "{\"Identifier\":\"\xff\"}"), "json", "UTF-8"},
		"too much":           {form("identifier", strings.Repeat("x", maxUserBytes+1)), "by", "at most 16384 are possible"},
		"an own field":       {form("name", "Email", "value", "a@b.c"), "rows", "not valid"},
		"twice":              {form("name", "A", "value", "1", "name", "A", "value", "2"), "rows", "not valid"},
		"no name":            {form("name", "", "value", "1"), "rows", "not valid"},
		"Email not UTF-8":    {form("email", "\xff"), "email", "UTF-8"},
		"custom not UTF-8":   {form("name", "A", "value", "\xff"), "rows", "not valid"},
		"too many":           {form(strings.Split(strings.Repeat("name\nA\nvalue\n1\n", maxRows+1)+"name\nA", "\n")...), "rows", ""},
		"hostile characters": {form("by", "json", "json", `{"Custom":{"\u202e\n<b>":{}}}`), "json", `\u202e\n<b>`},
	} {
		f := readExplainForm(test.values)
		_, ok := f.user()
		if ok || !strings.Contains(f.Fault(test.field), test.want) || len(f.Faults) != 1 {
			t.Errorf("%s: %v, %q, want %q at %s", name, ok, f.Faults, test.want, test.field)
		}
		if f.JSON != test.values.Get("json") || f.Identifier != test.values.Get("identifier") || f.Email != test.values.Get("email") || f.By != test.values.Get("by") {
			t.Errorf("%s: what was typed is gone: %+v", name, f)
		}
		if given := test.values["value"]; len(given) > 0 && name != "too many" && f.Rows[0].Value != given[0] {
			t.Errorf("%s: the attributes are gone: %+v", name, f.Rows)
		}
	}
	f := readExplainForm(form("name", "A", "value", "1", "name", "A", "value", "2"))
	f.user()
	if f.Rows[0].Fault != "" || f.Rows[1].Fault != "Another row has the same name." {
		t.Errorf("%+v", f.Rows)
	}
}

func TestTheFormHasRowsForTheAttributesOfTheFlag(t *testing.T) {
	f := readExplainForm(form("name", "Plan", "value", "pro", "name", "", "value", ""))
	f.suggest([]string{"Age", "Plan", "Since"})
	var rows []string
	for _, row := range f.Rows {
		rows = append(rows, row.Name+"="+row.Value)
	}
	if got := strings.Join(rows, " "); got != "Age= Plan=pro Since= = =" || f.Rows[2].Number != 3 || f.Rows[4].Number != 2 {
		t.Errorf("%s, %+v", got, f.Rows)
	}
}

// Whatever a form sends, it is read without a panic, and a user without faults can be evaluated.
func FuzzExplainForm(f *testing.F) {
	for _, values := range []url.Values{
		form("identifier", "42", "name", "Plan", "value", "pro"), form("by", "json", "json", `{"Custom":{"A":{"$int":"5","type":"uint8"},"B":["x"],"C":[1,null]}}`),
		form("by", "none", "at", "-1", "versus", "1767225600000"), form("value", "x", "name", ""),
	} {
		f.Add(values.Encode())
	}
	config, err := evaluate.Parse([]byte(testFlags))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		values, err := url.ParseQuery(encoded)
		if err != nil {
			return
		}
		form := readExplainForm(values)
		user, ok := form.user()
		if ok != (len(form.Faults) == 0) || len(form.Rows) > maxRows+spareRows {
			t.Fatalf("%v with faults %v and %d rows", ok, form.Faults, len(form.Rows))
		}
		form.suggest([]string{"Plan"})
		if !ok {
			return
		}
		for _, key := range config.Keys() {
			got, want := explained("shop", config, "rev 1", key, user), config.Evaluate(key, user, evaluate.Value{}, nil)
			if got.value != want.Value || got.Failed != (want.Err != nil) {
				t.Fatalf("%s: %v, want %v, %v", key, got, want.Value, want.Err)
			}
		}
	})
}

// The common case needs no optional part: the identifier and what the flag uses come first, with the button.
func TestTheFormBeginsWithWhatTheFlagUses(t *testing.T) {
	u := testUI(t, nil, nil, testView(t, testFlags))
	page := get(u, explainerToken, "/ui/sdk/shop/flags/newCheckout").Body.String()
	first, rest, found := strings.Cut(page[strings.Index(page, `class="form explain"`):], `<button class="button primary" type="submit">Explain</button>`)
	if !found {
		t.Fatal("there is no button before the optional parts")
	}
	visible := regexp.MustCompile(`<input id="([^"]+)" name="([^"]+)"`).FindAllStringSubmatch(first, -1)
	if len(visible) != 1+mainFields || visible[0][2] != "identifier" || visible[1][2] != "email" || visible[2][2] != "value" || !strings.Contains(first, `name="name" value="Plan"`) {
		t.Errorf("the form begins with %v", visible)
	}
	if strings.Contains(first, "<details") || strings.Count(rest, "<details>") != 3 {
		t.Error("the optional parts are not closed, or come first")
	}
	// Parts that contain something are open, so that nothing that counts is hidden.
	for want, values := range map[string]url.Values{
		"More about the user":                    {"country": {"DE"}},
		"A user as JSON, or no user":             {"by": {"none"}},
		"With an earlier config, or compare two": {"at": {"yesterday"}},
	} {
		sent := url.Values{"flag": {"newCheckout"}, "by": {"fields"}, "identifier": {"42"}}
		maps.Copy(sent, values)
		page := post(u, explainerToken, sent).Body.String()
		if strings.Count(page, "<details open>") != 1 || !strings.Contains(page, "<details open><summary>"+want) {
			t.Errorf("%s is not open alone", want)
		}
	}
	page = post(u, explainerToken, url.Values{"flag": {"newCheckout"}, "by": {"fields"}, "name": {"Color"}, "value": {"red"}}).Body.String()
	if !strings.Contains(page, "<details open><summary>More about the user") || !strings.Contains(page, `name="name" value="Color"`) {
		t.Error("an attribute that the flag does not use is hidden")
	}
}

// The heading of the results has the focus: it is what a screen reader says first.
func TestTheAnswerBeginsWithTheFocus(t *testing.T) {
	u := testUI(t, nil, nil, testView(t, testFlags))
	for want, values := range map[string]url.Values{
		`<h2 id="result" tabindex="-1" autofocus>Result for the user below: false</h2>`: {"by": {"fields"}, "identifier": {"42"}},
		`<h2 id="result" tabindex="-1" autofocus>Result without a user: false</h2>`:     {"by": {"none"}},
		`role="alert" tabindex="-1" autofocus>`:                                         {"by": {"json"}, "json": {"{"}},
	} {
		values.Set("flag", "newCheckout")
		page := post(u, explainerToken, values).Body.String()
		if !strings.Contains(page, want) || strings.Count(page, " autofocus") != 1 {
			t.Errorf("%v: there is no %s", values, want)
		}
	}
	if strings.Contains(get(u, explainerToken, "/ui/sdk/shop/flags/newCheckout").Body.String(), "autofocus") {
		t.Error("the page of a flag takes the focus")
	}
}
