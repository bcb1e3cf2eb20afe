package demo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

func content(t *testing.T, json string) *localcdn.Content {
	t.Helper()
	c, err := localcdn.NewContent([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAChangeIsDescribedByFlagAndUser(t *testing.T) {
	c := change{
		before: content(t, `{"f": {
			"all": {"t": 0, "v": {"b": false}}, "some": {"t": 2, "r": [], "v": {"i": 1}},
			"rules": {"t": 0, "v": {"b": false}}, "space": {"t": 0, "v": {"b": false}}, "gone": {"t": 1, "v": {"s": "x"}}}}`),
		after: content(t, `{"f": {
			"all": {"t": 0, "v": {"b": true}},
			"some": {"t": 2, "r": [{"c": [{"u": {"a": "Country", "c": 28, "s": "Germany"}}], "s": {"v": {"i": 2}}}], "v": {"i": 1}},
			"rules": {"t": 0, "r": [{"c": [{"u": {"a": "Country", "c": 28, "s": "Spain"}}], "s": {"v": {"b": true}}}], "v": {"b": false}},
			"space": {"t":   0, "v": {"b": false}}}}`),
	}
	want := []string{
		"all: false → true  for all", `gone: "x" → removed  for all`, "some: 1 → 2  for ben",
		"rules: other rules, but the same values for these users",
	}
	if diff := cmp.Diff(want, c.describe(demoUsers())); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
	c.after = c.before
	if diff := cmp.Diff([]string{"no flag changed"}, c.describe(demoUsers())); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

func TestAChangeNamesTheFollowersThatItHasReached(t *testing.T) {
	a, b := &reader{name: "a"}, &reader{name: "b"}
	c := change{took: map[*reader]time.Duration{a: 1234567 * time.Nanosecond}}
	if have, want := c.reached([]*reader{a, b}), "reached a in 1.2 ms, b not yet"; have != want {
		t.Errorf("%q, want %q", have, want)
	}
	if have, want := c.missing([]*reader{a, b}), "b"; have != want {
		t.Errorf("%q, want %q", have, want)
	}
	many := []*reader{a, b, {name: "c"}, {name: "d"}, {name: "e"}, {name: "f"}}
	c.took[b] = 2 * time.Second
	if have, want := c.reached(many), "reached a in 1.2 ms, b in 2.00 s, c not yet, d not yet; 2 more, all within 2.00 s; 4 not yet"; have != want {
		t.Errorf("%q, want %q", have, want)
	}
	if have, want := c.missing(many), "c, d, e, f"; have != want {
		t.Errorf("%q, want %q", have, want)
	}
}

// TestTheDemosConfigIsValid also checks that it has every kind of flag.
func TestTheDemosConfigIsValid(t *testing.T) {
	c := content(t, string(ownConfig))
	if broken := c.Config.BrokenFlags(); len(broken) > 0 {
		t.Error(broken)
	}
	have := map[string]answers.Set{}
	for _, u := range demoUsers() {
		have[u.name] = answers.Of(c.Config, u.attributes)
	}
	want := map[string]answers.Set{
		"ann":    {"maintenanceBanner": false, "newCheckout": true, "welcomeText": "Welcome!", "maxCartItems": 100, "discountRate": 0.15, "paymentProvider": "acme-pay"},
		"ben":    {"maintenanceBanner": false, "newCheckout": true, "welcomeText": "Willkommen!", "maxCartItems": 20, "discountRate": 0.05, "paymentProvider": "acme-pay"},
		"nobody": {"maintenanceBanner": false, "newCheckout": false, "welcomeText": "Welcome!", "maxCartItems": 20, "discountRate": 0.05, "paymentProvider": "classic"},
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +have)\n%s", diff)
	}
}

func TestChangedChangesOneFlag(t *testing.T) {
	testChanged(t, map[string][]byte{
		"own": ownConfig, "empty": []byte(`{"f":{}}`), "nothing works": []byte(`{"f":{"a":{"t":7}}}`),
		"text":  []byte(`{"f":{"a":{"t":1,"v":{"s":"x"}}}}`),
		"whole": []byte(`{"p":{"s":"salt"},"f":{"a":{"t":2,"v":{"i":2147483647}}}}`),
	})
	if edited, err := changed([]byte(`{"f":{"demoFlag":{"t":7}}}`)); err == nil {
		t.Errorf("no error, but %s", edited)
	}
}

func TestChangedChangesOneFlagOfEveryMatrixConfig(t *testing.T) {
	configs := map[string][]byte{}
	for _, m := range conformance.Matrices(t) {
		configs[m.Config] = m.ConfigJSON
	}
	testChanged(t, configs)
}

// testChanged checks that exactly one flag has another value, and that no more flags have errors.
func testChanged(t *testing.T, configs map[string][]byte) {
	t.Helper()
	for name, config := range configs {
		before := content(t, string(config))
		edited, err := changed(config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		after := content(t, string(edited))
		if have, want := len(after.Config.BrokenFlags()), len(before.Config.BrokenFlags()); have > want {
			t.Errorf("%s: %d broken flags, want %d", name, have, want)
		}
		if changes := answers.Diff(answers.Of(before.Config, nil), answers.Of(after.Config, nil), after.Config.Keys()); len(changes) == 0 {
			t.Errorf("%s: no answer differs", name)
		}
		if n := len((&change{before: before, after: after}).rewritten()); n > 1 {
			t.Errorf("%s: %d flags are written otherwise, want 1 at most", name, n)
		}
	}
}

func FuzzChanged(f *testing.F) {
	f.Add(ownConfig)
	f.Add([]byte(`{"f":{"demoFlag":{}}}`))
	f.Add([]byte(`{"f":{"a":1}, "f":{"a":{"t":1,"v":{"s":"x"}}}}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		if _, err := evaluate.Parse(config); err != nil {
			return
		}
		edited, err := changed(config)
		if err != nil {
			return
		}
		if _, err := evaluate.Parse(edited); err != nil {
			t.Errorf("%v in %s", err, edited)
		}
	})
}
