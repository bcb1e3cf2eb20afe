package evaluate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/memory"
)

// diffText returns the differences in words, one detail a line.
func diffText(from, to *evaluate.Config) string {
	var lines []string
	for _, change := range evaluate.Diff(from, to) {
		lines = append(lines, change.String())
	}
	return strings.Join(lines, "\n")
}

const (
	onlyEmail   = `{"c":[{"u":{"a":"Email","c":2,"l":["@a.com"]}}],"s":{"v":{"b":true},"i":"on"}}`
	onlyCountry = `{"c":[{"u":{"a":"Country","c":28,"s":"DE"}}],"s":{"v":{"b":true}}}`
	onlyPlan    = `{"c":[{"u":{"a":"Plan","c":28,"s":"pro"}}],"s":{"v":{"b":true}}}`
	halves      = `"p":[{"p":50,"v":{"b":true}},{"p":50,"v":{"b":false}}],`
)

// boolFlag returns a config with the flag "f".
func boolFlag(options string, rules ...string) string {
	return `{"f":{"f":{"t":0,"r":[` + strings.Join(rules, ",") + `],` + options + `"v":{"b":false},"i":"off"}}}`
}

func TestDiffInWords(t *testing.T) {
	swap := func(text string, oldnew ...string) string { return strings.NewReplacer(oldnew...).Replace(text) }
	manyEmails := func(more ...string) string {
		var list []string
		for i := range 20 {
			list = append(list, fmt.Sprintf(`"user%d@example.com"`, i))
		}
		return swap(onlyEmail, `"@a.com"`, strings.Join(append(list, more...), ","))
	}
	hash := strings.Repeat("ab", 32)
	hashed := func(list string) string {
		return swap(onlyEmail, `"c":2`, `"c":16`, `"@a.com"`, list)
	}
	long := strings.Repeat("x", 300)
	text := func(value string) string { return `{"f":{"f":{"t":1,"v":{"s":"` + value + `"}}}}` }
	segments := func(salt, list, flags string) string {
		return `{"p":{"s":"` + salt + `"},"s":[{"n":"Beta","r":[{"a":"Email","c":16,"l":[` + list + `]}]}],"f":{` + flags + `}}`
	}
	const (
		inside = `{"t":0,"r":[{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":false}}`
		asks   = `{"t":0,"r":[{"c":[{"p":{"f":"base","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}}`
	)
	for _, test := range []struct{ name, from, to, want string }{
		{"nothing", boolFlag("", onlyEmail), swap(boolFlag("", onlyEmail), ",", " ,\n ", "Email", `E\u006dail`), ``},
		{"added", `{"f":{}}`, boolFlag(halves, onlyEmail, onlyPlan),
			`f: added: Boolean, 2 rules, 50% true, 50% false, default value false`},
		{"removed", boolFlag(""), `{"f":{}}`, `f: removed (was Boolean, serves false)`},
		{"a key for a terminal", `{"f":{}}`, `{"f":{"\u001b[2J\n":{"t":1,"v":{"s":"\u202e\""}}}}`, `"\x1b[2J\n": added: String, serves "\u202e\""`},
		{"value", boolFlag(""), swap(boolFlag(""), "false", "true"), `f: default value changed: true (was false)`},
		{"long value", text(long + "new" + long), text(long + "old" + long),
			`f: default value changed: "…xxxxxxxxxxold` + long[:47] + `…" (was "…xxxxxxxxxxnew` + long[:47] + `…")`},
		{"variation", boolFlag(""), swap(boolFlag(""), `"off"`, `"no"`), `f: variation ID of the default value changed: "no" (was "off")`},
		{"type", boolFlag(""), `{"f":{"f":{"t":2,"v":{"i":7},"i":"off"}}}`,
			"f: type changed: Int (was Boolean)\nf: default value changed: 7 (was false)"},
		{"served", boolFlag("", onlyPlan, onlyEmail), boolFlag("", onlyPlan, swap(onlyEmail, "true", "false")),
			`f: rule 2 changed: serves false to users with Email CONTAINS ANY OF ["@a.com"] (was true)`},
		{"served variation", boolFlag("", onlyEmail), boolFlag("", swap(onlyEmail, `"on"`, `"1"`)),
			`f: rule 1 changed: variation ID of true: "1" (was "on")`},
		{"condition", boolFlag("", onlyCountry), boolFlag("", swap(onlyCountry, "DE", "AT")), `f: rule 1 changed: Country EQUALS "AT" (was "DE")`},
		{"operator", boolFlag("", onlyCountry), boolFlag("", swap(onlyCountry, "28", "29")),
			`f: rule 1 changed: Country NOT EQUALS "DE" (was Country EQUALS "DE")`},
		{"list", boolFlag("", manyEmails(`"old"`)), boolFlag("", manyEmails(`"a"`, `"b"`, `"c"`, `"d"`)),
			`f: rule 1 changed: Email CONTAINS ANY OF [24 values]: "a", "b", "c", 1 more added, "old" removed`},
		{"list order", boolFlag("", swap(onlyEmail, `"@a.com"`, `"x","y"`)), boolFlag("", swap(onlyEmail, `"@a.com"`, `"y","x"`)),
			`f: rule 1 changed: Email CONTAINS ANY OF ["y", "x"]: the same values in another order or number`},
		{"hashed list", segments("salt", "", `"f":{"t":0,"r":[`+hashed(`"`+hash+`"`)+`],"v":{"b":false}}`),
			segments("salt", "", `"f":{"t":0,"r":[`+hashed(`"`+hash+`","`+strings.Repeat("cd", 32)+`"`)+`],"v":{"b":false}}`),
			`f: rule 1 changed: Email IS ONE OF [2 hashed values]: 1 added, 0 removed, 1 before`},
		{"condition added", boolFlag("", onlyCountry), boolFlag("", swap(onlyCountry, `"c":[`, `"c":[{"u":{"a":"Age","c":14,"d":18}},`)),
			`f: rule 1 changed: condition added: Age > 18`},
		{"condition removed", boolFlag("", swap(onlyCountry, `"c":[`, `"c":[{"u":{"a":"Since","c":18,"d":1680307200}},`)), boolFlag("", onlyCountry),
			`f: rule 1 changed: condition removed (was Since BEFORE 1680307200 (2023-04-01T00:00:00.000Z UTC))`},
		{"rule added", boolFlag("", onlyEmail, onlyCountry), boolFlag("", onlyPlan, onlyEmail, onlyCountry),
			`f: rule 1 added: serves true to users with Plan EQUALS "pro"`},
		{"rule removed", boolFlag("", onlyEmail, onlyCountry), boolFlag("", onlyCountry),
			`f: rule 1 removed (was: serves true to users with Email CONTAINS ANY OF ["@a.com"])`},
		{"rule moved", boolFlag("", onlyEmail, onlyCountry, onlyPlan), boolFlag("", onlyCountry, onlyPlan, onlyEmail),
			`f: rule 3 moved (was rule 1): serves true to users with Email CONTAINS ANY OF ["@a.com"]`},
		{"rule moved and changed", boolFlag("", onlyEmail, onlyCountry, onlyPlan), boolFlag("", onlyCountry, onlyPlan, swap(onlyEmail, "true", "false")),
			"f: rule 3 moved (was rule 1): serves false to users with Email CONTAINS ANY OF [\"@a.com\"]\n" +
				`f: rule 3 changed: serves false to users with Email CONTAINS ANY OF ["@a.com"] (was true)`},
		{"rule replaced", boolFlag("", onlyEmail, onlyCountry), boolFlag("", swap(onlyPlan, `{"b":true}`, `{"b":true},"i":"on"`), onlyCountry),
			`f: rule 1 changed: Plan EQUALS "pro" (was Email CONTAINS ANY OF ["@a.com"])`},
		{"rule changed below a new one", boolFlag("", onlyCountry), boolFlag("", onlyPlan, swap(onlyCountry, "true", "false")),
			"f: rule 1 added: serves true to users with Plan EQUALS \"pro\"\n" +
				`f: rule 2 changed (was rule 1): serves false to users with Country EQUALS "DE" (was true)`},
		{"rule with percentages", boolFlag("", onlyCountry), boolFlag("", swap(onlyCountry, `"s":{"v":{"b":true}}`, strings.TrimSuffix(halves, ","))),
			`f: rule 1 changed: serves 50% true, 50% false to users with Country EQUALS "DE" (was true)`},
		{"percentages", boolFlag(halves), boolFlag(swap(halves, `{"p":50,"v":{"b":true}}`, `{"p":20,"v":{"b":true}}`, `{"p":50,"v":{"b":false}}`, `{"p":80,"v":{"b":false}}`)),
			`f: percentages changed: 20% true, 80% false (was 50% true, 50% false)`},
		{"percentages added", boolFlag(""), boolFlag(halves), `f: percentages added: 50% true, 50% false`},
		{"percentages removed", boolFlag(halves), boolFlag(""), `f: percentages removed (were 50% true, 50% false)`},
		{"percentages' variation", boolFlag(halves), boolFlag(swap(halves, `{"b":false}`, `{"b":false},"i":"x"`)),
			`f: percentages changed: option 2: variation ID "x" (was "")`},
		{"attribute", boolFlag(halves), boolFlag(halves + `"a":"Country",`), `f: attribute for percentages changed: "Country" (was "Identifier")`},
		{"attribute of nothing", boolFlag("", onlyEmail), boolFlag(`"a":"Country",`, onlyEmail), ``},
		{"prerequisite", `{"f":{"base":{"t":0,"v":{"b":true}},"asks":` + asks + `,"top":` + swap(asks, "base", "asks") + `}}`,
			`{"f":{"base":{"t":0,"v":{"b":false}},"asks":` + asks + `,"top":` + swap(asks, "base", "asks") + `}}`,
			"asks: affected: prerequisite base changed\nbase: default value changed: false (was true)\ntop: affected: prerequisite asks is affected, too"},
		{"prerequisite removed", `{"f":{"base":{"t":0,"v":{"b":true}},"asks":` + asks + `}}`, `{"f":{"asks":` + asks + `}}`,
			"asks: affected: prerequisite base was removed\nbase: removed (was Boolean, serves true)"},
		{"another prerequisite", `{"f":{"asks":` + asks + `}}`, `{"f":{"asks":` + swap(asks, "base", "other") + `}}`,
			`asks: rule 1 changed: flag other EQUALS true (was flag base EQUALS true)`},
		{"segment", segments("salt", "", `"f":`+inside+`,"g":`+inside), segments("salt", `"`+hash+`"`, `"f":`+inside+`,"g":`+inside),
			"segment \"Beta\": Email IS ONE OF [1 hashed value]: 1 added, 0 removed, 0 before\nf: affected: segment \"Beta\" changed\ng: affected: segment \"Beta\" changed"},
		{"segment that no flag uses", segments("salt", "", ""), segments("salt", `"`+hash+`"`, ""), ``},
		{"another segment", segments("salt", "", `"f":`+inside), swap(segments("salt", "", `"f":`+inside), "Beta", "Gamma"),
			`f: rule 1 changed: IN SEGMENT "Gamma" (was IN SEGMENT "Beta")`},
		{"salt", segments("salt", `"`+hash+`"`, `"f":`+inside+`,"g":{"t":0,"r":[`+hashed(`"`+hash+`"`)+`],"v":{"b":false}},"h":{"t":0,`+halves+`"v":{"b":true}}`),
			segments("new", `"`+hash+`"`, `"f":`+inside+`,"g":{"t":0,"r":[`+hashed(`"`+hash+`"`)+`],"v":{"b":false}},"h":{"t":0,`+halves+`"v":{"b":true}}`),
			`segment "Beta": affected: the salt changed, so hashed values match other texts unless they changed with it
f: affected: segment "Beta" changed
f: affected: the salt changed, so hashed values match other texts unless they changed with it
g: affected: the salt changed, so hashed values match other texts unless they changed with it`},
		{"salt that no flag uses", `{"p":{"s":"salt"},"f":{"h":{"t":0,` + halves + `"v":{"b":true}}}}`, `{"p":{"s":"new"},"f":{"h":{"t":0,` + halves + `"v":{"b":true}}}}`, ``},
		{"broken", boolFlag(""), `{"f":{"f":{"t":9}}}`, `f: changed: broken: Setting type is invalid. (was Boolean, serves false)`},
		{"broken value", boolFlag(""), `{"f":{"f":{"t":0,"v":{"s":"x"}}}}`,
			`f: default value changed: broken: Setting value is missing or invalid. (was false)`},
		{"broken rule", boolFlag("", onlyEmail), boolFlag("", "7"),
			`f: rule 1 changed: broken: Invalid config JSON content. Type mismatch at $.f.f.r[0] (was: serves true to users with Email CONTAINS ANY OF ["@a.com"])`},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := mustParse(t, test.from), mustParse(t, test.to)
			if diff := cmp.Diff(test.want, diffText(from, to)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDiffOfMergedConfigsAndNone(t *testing.T) {
	config := mustParse(t, boolFlag("", onlyEmail))
	override := func(value any) *evaluate.Config {
		return evaluate.Merge(config, evaluate.FromValues(map[string]any{"f": value}))
	}
	for _, test := range []struct {
		from, to *evaluate.Config
		want     string
	}{
		{nil, nil, ""},
		{config, config, ""},
		{nil, config, "f: added: Boolean, 1 rule, default value false"},
		{config, nil, "f: removed (was Boolean, 1 rule, default value false)"},
		{override(1), override(1), ""},
		{mustParse(t, `{"f":{"f":{"t":2,"v":{"i":1}}}}`), override(1), "f: type changed: Int without targeting (was Int)"},
		{override(1), override(2.5), "f: type changed: Double without targeting (was Int without targeting)\nf: default value changed: 2.5 (was 1)"},
		{override(true), override(struct{}{}), "f: type changed: no type (was Boolean without targeting)\n" +
			"f: default value changed: broken: Setting value '{}' is of an unsupported type (struct {}). (was true)"},
	} {
		if diff := cmp.Diff(test.want, diffText(test.from, test.to)); diff != "" {
			t.Error(diff)
		}
	}
}

// Each pair differs in something that few configs have, or only seems to differ.
func TestDiffOfOddConditions(t *testing.T) {
	hash := func(n int) string { return fmt.Sprintf("%064x", n) }
	flag := func(comparator int, value string) string {
		return `{"p":{"s":"salt"},"f":{"f":{"t":0,"r":[{"c":[{"u":{"a":"A","c":` + fmt.Sprint(comparator) + `,` + value + `}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`
	}
	list := func(items ...string) string { return `"l":["` + strings.Join(items, `","`) + `"]` }
	for _, test := range []struct {
		name       string
		comparator int
		from, to   string
		want       string
	}{
		{"order of hashes", 16, list(hash(1), hash(2), hash(2)), list(hash(2), hash(1), hash(1)), ``},
		{"order of many hashes", 16, list(hash(1), hash(2), hash(3), hash(4), hash(5), hash(6), hash(7), hash(8), hash(9)),
			list(hash(9), hash(2), hash(3), hash(4), hash(5), hash(6), hash(7), hash(8), hash(1)), ``},
		{"hashes that match nothing", 16, list(hash(1), "x"), list(hash(1), "y"), ``},
		{"a hash twice", 16, list(hash(1), hash(1)), list(hash(1)), `f: rule 1 changed: A IS ONE OF [1 hashed value]: 0 added, 0 removed, 2 before`},
		{"order of hashed starts", 22, list("3_"+hash(1), "4_"+hash(1)), list("4_"+hash(1), "3_"+hash(1)), ``},
		{"length of a hashed start", 22, list("3_" + hash(1)), list("4_" + hash(1)), `f: rule 1 changed: A STARTS WITH ANY OF [1 hashed value]: 1 added, 1 removed, 1 before`},
		{"spelling of a length", 22, list("3_" + hash(1)), list("+3_" + hash(1)), ``},
		{"a malformed item", 22, list("3_x"), list("x"), `f: rule 1 changed: A STARTS WITH ANY OF [1 hashed value]: malformed values changed`},
		{"behind a malformed item", 22, list("x", "3_"+hash(1)), list("x", "3_"+hash(2)), ``},
		{"a hash", 20, `"s":"` + hash(1) + `"`, `"s":"` + hash(2) + `"`, `f: rule 1 changed: A EQUALS a hashed value: another one than before`},
		{"an unknown operator", 99, `"s":""`, `"l":[]`, `f: rule 1 changed: A <invalid operator> broken: Comparison operator is invalid. (changed where it is not shown)`},
		{"a zero", 10, `"d":0`, `"d":-0.0`, ``},
		{"an infinity", 10, `"d":1e999`, `"d":2e999`, ``},
		{"order of clear text", 0, list("x", "y"), list("y", "x"), `f: rule 1 changed: A IS ONE OF ["y", "x"]: the same values in another order or number`},
		{"versions", 6, `"s":"1.0.0"`, `"s":" 1.0.0"`, `f: rule 1 changed: A < " 1.0.0" (was "1.0.0")`},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := mustParse(t, flag(test.comparator, test.from)), mustParse(t, flag(test.comparator, test.to))
			if diff := cmp.Diff(test.want, diffText(from, to)); diff != "" {
				t.Error(diff)
			}
			checkDiff(t, from, to)
		})
	}
}

// Each of the values of the document is long, or there are many.
func TestDiffOfLargeConfigsIsNotLargerThanTheyAre(t *testing.T) {
	const many, long = 3000, 100_000
	flag := func(rules ...string) string { return `{"t":0,"r":[` + strings.Join(rules, ",") + `],"v":{"b":false}}` }
	name := strings.Repeat("\u202e", long/6)
	inside := `{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}`
	asks := func(key string) string {
		return `{"c":[{"p":{"f":"` + key + `","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}`
	}
	repeat := func(n int, text func(i int) string) string {
		var all []string
		for i := range n {
			all = append(all, text(i))
		}
		return strings.Join(all, ",")
	}
	numbered := func(prefix, value string) func(int) string {
		return func(i int) string { return fmt.Sprintf(`"%s%d":%s`, prefix, i, value) }
	}
	items := func(prefix string) string {
		return repeat(many, func(i int) string { return fmt.Sprintf(`"%s%d"`, prefix, i) })
	}
	segment := func(list string) string {
		return `"p":{"s":"salt"},"s":[{"n":"` + name + `","r":[` + repeat(many, func(int) string { return `{"a":"Email","c":0,"l":[` + list + `]}` }) + `]}],`
	}
	for _, test := range []struct{ name, from, to string }{
		{"key", `{"f":{"` + name + `":` + flag(repeat(many, func(i int) string { return strings.Replace(onlyCountry, "DE", fmt.Sprint(i), 1) })) + `}}`,
			`{"f":{"` + name + `":` + flag(repeat(many, func(i int) string { return strings.Replace(onlyCountry, "DE", fmt.Sprint(i+many), 1) })) + `}}`},
		{"reversed rules", `{"f":{"f":` + flag(repeat(many, func(i int) string { return strings.Replace(onlyCountry, "DE", fmt.Sprint(i), 1) })) + `}}`,
			`{"f":{"f":` + flag(repeat(many, func(i int) string { return strings.Replace(onlyCountry, "DE", fmt.Sprint(many-i), 1) })) + `}}`},
		{"segment", `{` + segment(`"a"`) + `"f":{` + repeat(many, numbered("f", flag(inside))) + `}}`,
			`{` + segment(`"b"`) + `"f":{` + repeat(many, numbered("f", flag(inside))) + `}}`},
		{"prerequisite", `{"f":{"` + name + `":{"t":0,"v":{"b":true}},` + repeat(20, func(i int) string { return fmt.Sprintf(`"h%d":`, i) + flag(asks(name)) }) + `,` + repeat(many, numbered("f", flag(asks("f0"), asks("f1"), asks("f2")))) + `}}`,
			`{"f":{"` + name + `":{"t":0,"v":{"b":false}},` + repeat(20, func(i int) string { return fmt.Sprintf(`"h%d":`, i) + flag(asks(name)) }) + `,"f0":{"t":0,"v":{"b":true}},` + repeat(many, numbered("g", flag(asks("f0"), asks("f1"), asks("g1")))) + `}}`},
		{"list", `{"f":{"f":` + flag(strings.Replace(onlyEmail, `"@a.com"`, items("x"), 1)) + `}}`, `{"f":{"f":` + flag(strings.Replace(onlyEmail, `"@a.com"`, items("y"), 1)) + `}}`},
		{"values", `{"f":{` + repeat(many, numbered("f", `{"t":1,"v":{"s":"x"}}`)) + `}}`, `{"f":{` + repeat(many, numbered("f", `{"t":1,"v":{"s":"y"}}`)) + `}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to := mustParse(t, test.from), mustParse(t, test.to)
			checkDiff(t, from, to)
			changes := evaluate.Diff(from, to)
			text, err := json.Marshal(changes)
			if size := len(test.from) + len(test.to); err != nil || len(text) > 4*size || len(diffText(from, to)) > 4*size {
				t.Errorf("%d bytes from %d: %v", len(text), size, err)
			}
		})
	}
}

// BenchmarkDiff measures differences that are all over a large config.
func BenchmarkDiff(b *testing.B) {
	document := func(value string) string {
		var s strings.Builder
		s.WriteString(`{"p":{"s":"salt"},"f":{`)
		for i := 0; s.Len() < 5<<20; i++ {
			if i > 0 {
				s.WriteByte(',')
			}
			fmt.Fprintf(&s, `"flag%d":{"t":0,"r":[%s,%s,%s],"v":{"b":false}}`, i, onlyEmail, strings.Replace(onlyCountry, "DE", value, 1), onlyPlan)
		}
		return s.String() + `}}`
	}
	from, to := mustParse(b, document("DE")), mustParse(b, document("AT"))
	for b.Loop() {
		evaluate.Diff(from, to)
	}
}

func TestDiffAsJSON(t *testing.T) {
	from, to := mustParse(t, boolFlag("", onlyEmail)), mustParse(t, boolFlag("", onlyCountry, strings.Replace(onlyEmail, "true", "false", 1)))
	got, err := json.Marshal(evaluate.Diff(from, to))
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"flag":"f","kind":"changed","details":[` +
		`{"part":"rule","kind":"added","number":1,"text":"rule 1 added: serves true to users with Country EQUALS \"DE\""},` +
		`{"part":"rule","kind":"changed","number":2,"text":"rule 2 changed (was rule 1): serves false to users with Email CONTAINS ANY OF [\"@a.com\"] (was true)"}]}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkDiff checks what holds for the differences of any two configs.
func checkDiff(t failer, from, to *evaluate.Config) {
	t.Helper()
	changes := evaluate.Diff(from, to)
	named := make(map[string]bool)
	for i, change := range changes {
		if change.Segment == "" {
			named[change.Flag] = true
		}
		if i > 0 && change.Segment == "" && changes[i-1].Segment == "" && change.Flag <= changes[i-1].Flag {
			t.Fatalf("%q follows %q", change.Flag, changes[i-1].Flag)
		}
		if len(change.Details) == 0 {
			t.Fatalf("%q changed without details", change.Flag)
		}
		for _, detail := range change.Details {
			if len(detail.Text) > 4096 || strings.ContainsFunc(detail.Text, func(r rune) bool { return !unicode.IsPrint(r) }) || detail.Part == "" || detail.Kind == "" {
				t.Fatalf("%+v", detail)
			}
		}
		if strings.Count(change.String(), "\n") != len(change.Details)-1 {
			t.Fatalf("%d details in %q", len(change.Details), change.String())
		}
	}
	keys := to.ChangedKeys(from)
	for _, key := range keys {
		if !named[key] {
			t.Fatalf("%q is not named", key)
		}
	}
	if len(keys) != len(named) {
		t.Fatalf("%d flags are named, %d changed", len(named), len(keys))
	}
}

func FuzzDiff(f *testing.F) {
	documents := []string{`{"f":{}}`, chainConfig(3, ""), chainConfig(3, "f1"), boolFlag(halves, onlyEmail, onlyCountry), boolFlag("", onlyCountry, onlyPlan, onlyEmail)}
	for _, broken := range brokenFlags {
		documents = append(documents, `{"p":{"s":"salt"},"s":[{"n":"ok","r":[]},null],"f":{"good":{"t":0,"v":{"b":true}},"flag":`+broken.flag+`}}`)
	}
	for i, document := range documents {
		f.Add([]byte(document), []byte(documents[(i+1)%len(documents)]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		from, err := evaluate.Parse(a)
		if err != nil {
			return
		}
		to, err := evaluate.Parse(b)
		if err != nil {
			return
		}
		checkDiff(t, from, to)
		checkDiff(t, to, from)
		checkDiff(t, from, evaluate.Merge(from, to))
		if again, _ := evaluate.Parse(a); len(evaluate.Diff(from, again)) > 0 {
			t.Fatalf("differs from itself: %s", diffText(from, again))
		}
	})
}

// A long name of a segment is not repeated for each condition that refers to it.
func TestDiffDoesNotRepeatLongNames(t *testing.T) {
	document := func(value string) string {
		return fmt.Sprintf(`{"s":[{"n":"%s","r":[{"a":"Email","c":0,"l":["x"]}]}],"f":{"flag":{"t":0,"v":{"b":%s},"r":[{"c":[{"s":{"s":0,"c":0}}%s],"s":{"v":{"b":true}}}]}}}`,
			strings.Repeat("n", 100<<10), value, strings.Repeat(`,{"s":{"s":0,"c":0}}`, 2000))
	}
	from, to := mustParse(t, document("false")), mustParse(t, document("true"))
	n := memory.Allocated(func() {
		if c := evaluate.Diff(from, to); len(c) != 1 || c[0].Flag != "flag" || len(c[0].Details) != 1 {
			t.Errorf("%.300v", c)
		}
	})
	if n > 64<<20 {
		t.Errorf("the diff allocates %d MB", n>>20)
	}
}

func TestADetailNamesWhatAffectsTheFlag(t *testing.T) {
	config := func(domain string, base bool) *evaluate.Config {
		c, err := evaluate.Parse(fmt.Appendf(nil, `{"s":[{"n":"Beta","r":[{"a":"Email","c":2,"l":[%q]}]}],"f":{"base":{"t":0,"v":{"b":%v}},
			"top":{"t":0,"r":[{"c":[{"p":{"f":"base","c":0,"v":{"b":true}}},{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`, domain, base))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	uses := map[string]string{}
	for _, c := range evaluate.Diff(config("@a.com", true), config("@b.com", false)) {
		for _, d := range c.Details {
			uses[c.Flag+" "+d.Part] = d.Uses()
		}
	}
	if want := map[string]string{" condition": "", "base value": "", "top prerequisite": "base", "top segment": "Beta"}; !maps.Equal(uses, want) {
		t.Errorf("got %q, want %q", uses, want)
	}
}
