package evaluate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/memory"
)

// An error that concerns the whole document rejects it, and names the location (S77).
func TestInvalidDocumentsAreRejected(t *testing.T) {
	for _, test := range []struct{ name, document, where, reason string }{
		{"nothing", ``, "$", "unexpected end"},
		{"cut off", `{"f":{`, "$", "unexpected end"},
		{"two documents", `{"f":{}} {}`, "$", "after top-level value"},
		{"null", `null`, "$", "an object is expected"},
		{"array", `[]`, "$", "an object is expected"},
		{"text", `"f"`, "$", "an object is expected"},
		{"no flags", `{}`, "$.f", "missing"},
		{"null flags", `{"f":null}`, "$.f", "missing"},
		{"flags of the wrong kind", `{"f":[]}`, "$.f", "an object is expected"},
		{"preferences of the wrong kind", `{"p":[],"f":{}}`, "$.p", "an object is expected"},
		{"segments of the wrong kind", `{"s":{},"f":{}}`, "$.s", "an array is expected"},
		{"a million brackets", `{"f":` + strings.Repeat("[", 1_000_000), "$", "exceeded max depth"},
		{"a million closed brackets", `{"x":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `,"f":{}}`, "$", "exceeded max depth"},
		{"too large", `{"f":{}}` + strings.Repeat(" ", evaluate.MaxConfigBytes), "$", "the limit is 8388608"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, err := evaluate.Parse([]byte(test.document))
			parseError, ok := errors.AsType[*evaluate.ParseError](err)
			if config != nil || !ok {
				t.Fatalf("config %v, error %v", config, err)
			}
			if parseError.Path != test.where || !strings.Contains(parseError.Reason, test.reason) ||
				!strings.Contains(err.Error(), parseError.Reason) {
				t.Errorf("%q at %s, want %q at %s; text %q", parseError.Reason, parseError.Path, test.reason, test.where, err)
			}
		})
	}
}

// A document of the greatest size is accepted.
func TestLargestDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"f":{"last":{"t":0,"v":{"b":true}}`)
	for i := 0; b.Len() < evaluate.MaxConfigBytes-200; i++ {
		fmt.Fprintf(&b, `,"flag%d":{"t":1,"v":{"s":"x"},"r":[{"c":[{"u":{"a":"Email","c":2,"l":["a"]}}],"s":{"v":{"s":"y"}}}]}`, i)
	}
	b.WriteString(`}}`)
	config := mustParse(t, b.String()+strings.Repeat(" ", evaluate.MaxConfigBytes-b.Len()))
	if got := config.Evaluate("last", nil, evaluate.BoolValue(false), nil); got.Value != evaluate.BoolValue(true) {
		t.Errorf("%v, %v", got.Value, got.Err)
	}
}

// The memory of a config and the time of an evaluation do not grow with the length of the salt.
func TestSaltsAreBounded(t *testing.T) {
	const flags = 2000
	for _, c := range []struct {
		salt int
		err  string
	}{{1024, ""}, {1025, "longer than 1024 bytes"}, {4 << 20, "longer than 1024 bytes"}} {
		var b strings.Builder
		fmt.Fprintf(&b, `{"p":{"s":"%s"},"f":{"last":{"t":0,"v":{"b":true}}`, strings.Repeat("s", c.salt))
		for i := range flags {
			fmt.Fprintf(&b, `,"flag%d":{%s,"r":[{"c":[{"u":{"a":"Email","c":16,"l":["x"]}}],"s":{"v":{"b":false}}}]}`, i, goodValue)
		}
		b.WriteString(`}}`)
		var config *evaluate.Config
		if n := memory.Allocated(func() { config = mustParse(t, b.String()) }); n > 64<<20 {
			t.Errorf("a salt of %d bytes: parsing allocates %d MB", c.salt, n>>20)
		}
		got := config.Evaluate("flag7", &evaluate.UserData{Email: "a@b.c"}, evaluate.BoolValue(false), nil)
		if text := fmt.Sprint(got.Err); (c.err == "") != (got.Err == nil) || !strings.Contains(text, c.err) {
			t.Errorf("a salt of %d bytes: %v", c.salt, got.Err)
		}
	}
}

// The messages of broken parts do not repeat a long key each.
func TestLongKeysAreCutInMessages(t *testing.T) {
	key := strings.Repeat("k", 100<<10)
	document := fmt.Sprintf(`{"f":{"%s":{%s,"r":[{"c":[{"u":{}}%s],"s":{"v":{"b":false}}}]}}}`, key, goodValue, strings.Repeat(`,{"u":{}}`, 2000))
	var config *evaluate.Config
	if n := memory.Allocated(func() { config = mustParse(t, document) }); n > 64<<20 {
		t.Errorf("parsing allocates %d MB", n>>20)
	}
	got := config.Evaluate(key, &evaluate.UserData{}, evaluate.BoolValue(false), nil)
	if text := fmt.Sprint(got.Err); got.Err == nil || len(text) > 1000 || !strings.Contains(text, "kkk….r[0].c[0]") {
		t.Errorf("%.2000s", text)
	}
}

const goodValue = `"t":0,"v":{"b":true}`

// brokenFlags are flags that fail for the user of the test, each with its error message.
var brokenFlags = map[string]struct{ flag, text string }{
	"null flag":                  {`null`, "Missing required value at $.f.flag"},
	"flag of the wrong kind":     {`[]`, "Type mismatch at $.f.flag"},
	"no type":                    {`{"v":{"b":true}}`, "Missing required value at $.f.flag.t"},
	"type of the wrong kind":     {`{"t":"0","v":{"b":true}}`, "Type mismatch at $.f.flag.t"},
	"fractional type":            {`{"t":0.5,"v":{"b":true}}`, "Type mismatch at $.f.flag.t"},
	"unknown type":               {`{"t":4,"v":{"b":true}}`, "Setting type is invalid."},
	"no value":                   {`{"t":0}`, "Missing required value at $.f.flag.v"},
	"null value":                 {`{"t":0,"v":null}`, "Missing required value at $.f.flag.v"},
	"value of the wrong kind":    {`{"t":0,"v":true}`, "Type mismatch at $.f.flag.v"},
	"value of another type":      {`{"t":0,"v":{"s":"true"}}`, "Setting value is missing or invalid."},
	"value that is none":         {`{"t":2,"v":{"i":1.5}}`, "Type mismatch at $.f.flag.v.i"},
	"value beyond range":         {`{"t":2,"v":{"i":1e300}}`, "Type mismatch at $.f.flag.v.i"},
	"variation ID no text":       {`{` + goodValue + `,"i":5}`, "Type mismatch at $.f.flag.i"},
	"rules of the wrong kind":    {`{` + goodValue + `,"r":{}}`, "Type mismatch at $.f.flag.r"},
	"null rule":                  {`{` + goodValue + `,"r":[null]}`, "Missing required value at $.f.flag.r[0]"},
	"rule of the wrong kind":     {`{` + goodValue + `,"r":[7]}`, "Type mismatch at $.f.flag.r[0]"},
	"conditions no array":        {rule(`"c":{},"s":{"v":{"b":true}}`), "Type mismatch at $.f.flag.r[0].c"},
	"null condition":             {conditions(`null`), "Missing required value at $.f.flag.r[0].c[0]"},
	"empty condition":            {conditions(`{}`), "Condition is missing or invalid."},
	"two conditions in one":      {conditions(`{"u":{},"s":{}}`), "Condition is missing or invalid."},
	"user condition no object":   {conditions(`{"u":5}`), "Type mismatch at $.f.flag.r[0].c[0].u"},
	"no attribute":               {conditions(`{"u":{"c":0,"l":[]}}`), "Missing required value at $.f.flag.r[0].c[0].u.a"},
	"no comparator":              {conditions(`{"u":{"a":"Email","l":[]}}`), "Missing required value at $.f.flag.r[0].c[0].u.c"},
	"unknown comparator":         {conditions(`{"u":{"a":"Email","c":36,"l":[]}}`), "Comparison operator is invalid."},
	"negative comparator":        {conditions(`{"u":{"a":"Email","c":-1,"l":[]}}`), "Comparison operator is invalid."},
	"no comparison value":        {conditions(`{"u":{"a":"Email","c":0,"s":"x"}}`), "Comparison value is missing."},
	"list no array":              {conditions(`{"u":{"a":"Email","c":0,"l":"x"}}`), "Type mismatch at $.f.flag.r[0].c[0].u.l"},
	"list item no text":          {conditions(`{"u":{"a":"Email","c":0,"l":["",1]}}`), "Type mismatch at $.f.flag.r[0].c[0].u.l[1]"},
	"null list item":             {conditions(`{"u":{"a":"Email","c":0,"l":[null]}}`), "Missing required value at $.f.flag.r[0].c[0].u.l[0]"},
	"number no number":           {conditions(`{"u":{"a":"Number","c":10,"d":"1"}}`), "Type mismatch at $.f.flag.r[0].c[0].u.d"},
	"hash without salt":          {conditions(`{"u":{"a":"Email","c":16,"l":["x"]}}`), "Config JSON salt is missing."},
	"segment condition no array": {conditions(`{"s":[]}`), "Type mismatch at $.f.flag.r[0].c[0].s"},
	"segment index none":         {conditions(`{"s":{"c":0}}`), "Missing required value at $.f.flag.r[0].c[0].s.s"},
	"segment index negative":     {conditions(`{"s":{"s":-1,"c":0}}`), "Segment reference is invalid."},
	"segment index beyond":       {conditions(`{"s":{"s":99,"c":0}}`), "Segment reference is invalid."},
	"segment index huge":         {conditions(`{"s":{"s":9007199254740991,"c":0}}`), "Segment reference is invalid."},
	"segment comparator":         {conditions(`{"s":{"s":0,"c":2}}`), "Comparison operator is invalid."},
	"segment null":               {conditions(`{"s":{"s":1,"c":0}}`), "Missing required value at $.s[1]"},
	"segment without name":       {conditions(`{"s":{"s":2,"c":0}}`), "Segment name is missing."},
	"segment rules no array":     {conditions(`{"s":{"s":3,"c":0}}`), "Type mismatch at $.s[3].r"},
	"segment with null":          {conditions(`{"s":{"s":4,"c":0}}`), "Missing required value at $.s[4].r[0]"},
	"prerequisite missing":       {conditions(`{"p":{"f":"nope","c":0,"v":{"b":true}}}`), "Prerequisite flag is missing."},
	"prerequisite without key":   {conditions(`{"p":{"c":0,"v":{"b":true}}}`), "Missing required value at $.f.flag.r[0].c[0].p.f"},
	"prerequisite comparator":    {conditions(`{"p":{"f":"good","c":2,"v":{"b":true}}}`), "Comparison operator is invalid."},
	"prerequisite no value":      {conditions(`{"p":{"f":"good","c":0}}`), "Missing required value at $.f.flag.r[0].c[0].p.v"},
	"prerequisite other type":    {conditions(`{"p":{"f":"good","c":0,"v":{"s":"x"}}}`), "Type mismatch between comparison value 'x' and prerequisite flag 'good'."},
	"prerequisite two values":    {conditions(`{"p":{"f":"good","c":0,"v":{"s":"x","i":1}}}`), "Type mismatch between comparison value '<invalid value>' and prerequisite flag 'good'."},
	"prerequisite of itself":     {conditions(`{"p":{"f":"flag","c":0,"v":{"b":true}}}`), "Circular dependency detected between the following depending flags: 'flag' -> 'flag'."},
	"nothing served":             {rule(`"c":[]`), "Targeting rule THEN part is missing or invalid."},
	"both served":                {rule(`"s":{"v":{"b":true}},"p":[]`), "Targeting rule THEN part is missing or invalid."},
	"empty options":              {rule(`"p":[]`), "Targeting rule THEN part is missing or invalid."},
	"served of the wrong kind":   {rule(`"s":true`), "Type mismatch at $.f.flag.r[0].s"},
	"served options no array":    {rule(`"p":true`), "Type mismatch at $.f.flag.r[0].p"},
	"served no value":            {rule(`"s":{}`), "Missing required value at $.f.flag.r[0].s.v"},
	"options of the wrong kind":  {`{` + goodValue + `,"p":{}}`, "Type mismatch at $.f.flag.p"},
	"null option":                {`{` + goodValue + `,"p":[null]}`, "Missing required value at $.f.flag.p[0]"},
	"option without share":       {`{` + goodValue + `,"p":[{"v":{"b":true}}]}`, "Missing required value at $.f.flag.p[0].p"},
	"negative share":             {`{` + goodValue + `,"p":[{"p":-1,"v":{"b":true}}]}`, "Percentage option percentage is invalid."},
	"no share for anyone":        {`{` + goodValue + `,"p":[{"p":0,"v":{"b":true}}]}`, "Sum of percentage option percentages is less than 100."},
	"option without value":       {`{` + goodValue + `,"p":[{"p":100}]}`, "Missing required value at $.f.flag.p[0].v"},
	"option attribute no text":   {`{` + goodValue + `,"a":5,"p":[{"p":100,"v":{"b":true}}]}`, "Type mismatch at $.f.flag.a"},
}

func rule(members string) string { return `{` + goodValue + `,"r":[{` + members + `}]}` }

func conditions(list string) string { return rule(`"c":[` + list + `],"s":{"v":{"b":false}}`) }

func TestBrokenFlagFailsAlone(t *testing.T) {
	user := &evaluate.UserData{Identifier: "id", Email: "a@example.com", Custom: map[string]any{"Number": 1}}
	for name, test := range brokenFlags {
		t.Run(name, func(t *testing.T) {
			config := mustParse(t, `{"s":[{"n":"ok","r":[]},null,{"n":""},{"n":"x","r":5},{"n":"x","r":[null]}],
				"f":{"good":{"t":0,"v":{"b":true}},"flag":`+test.flag+`}}`)
			def := evaluate.Value{}
			for _, trace := range []*evaluate.Trace{nil, {Log: true}} {
				got := config.Evaluate("flag", user, def, trace)
				if !got.IsDefault || got.Code != evaluate.CodeInvalidModel || got.Value != def || got.RuleIndex != -1 {
					t.Errorf("got %+v", got)
				}
				if got.Err == nil || strings.TrimPrefix(got.Err.Error(), "Invalid config JSON content. ") != test.text {
					t.Errorf("error %v, want %q", got.Err, test.text)
				}
			}
			if good := config.Evaluate("good", user, evaluate.BoolValue(false), nil); good.Err != nil || !good.Value.Bool() {
				t.Errorf("the other flag: %+v", good)
			}
			broken := config.BrokenFlags()
			if len(broken) != 1 || broken[0].Key != "flag" || broken[0].Err == nil {
				t.Errorf("broken flags: %v", broken)
			}
		})
	}
}

// An error that an evaluation does not reach does not fail it (S37, S77).
func TestUnreachedErrorDoesNotFailTheFlag(t *testing.T) {
	hash := strings.Repeat("00", 32)
	match := evaluate.SaltedHashHex("a@", "saltflag")
	for name, flag := range map[string]string{
		"a later rule":                   `{` + goodValue + `,"r":[{"s":{"v":{"b":true}}},null]}`,
		"a later condition":              conditions(`{"u":{"a":"Email","c":28,"s":"no"}},null`),
		"an unused member":               conditions(`{"u":{"a":"Email","c":28,"s":"no","d":"x","l":5}}`),
		"without the attribute":          conditions(`{"u":{"a":"Nope","c":99}}`),
		"the share of another user":      `{` + goodValue + `,"p":[{"p":100,"v":{"b":true}},{"p":-1},null]}`,
		"what an unmatched rule serves":  rule(`"c":[{"u":{"a":"Email","c":28,"s":"no"}}]`),
		"the options' attribute":         `{` + goodValue + `,"a":5}`,
		"another value's wrong type":     `{"t":0,"v":{"b":true,"s":5,"i":"x","d":[]}}`,
		"a malformed item after a match": `{` + goodValue + `,"r":[{"c":[{"u":{"a":"Email","c":22,"l":["2_` + match + `","x"]}}],"s":{"v":{"b":true}}}]}`,
		"a hash of another length":       conditions(`{"u":{"a":"Email","c":22,"l":["99999_` + hash + `","9007199254740991_` + hash + `"]}}`),
	} {
		t.Run(name, func(t *testing.T) {
			config := mustParse(t, `{"p":{"s":"salt"},"f":{"flag":`+flag+`}}`)
			got := config.Evaluate("flag", &evaluate.UserData{Identifier: "id", Email: "a@example.com"}, evaluate.BoolValue(false), nil)
			if got.Err != nil || !got.Value.Bool() {
				t.Errorf("%v, %v", got.Value, got.Err)
			}
		})
	}
}

func TestMissingConfigAndMissingKey(t *testing.T) {
	var none *evaluate.Config
	got := none.Evaluate("key", nil, evaluate.BoolValue(false), nil)
	const text = "Config JSON is not present when evaluating setting 'key'. " +
		"Returning the `defaultValue` parameter that you specified in your application: 'false'."
	if got.Code != evaluate.CodeConfigNotAvailable || got.Value != evaluate.BoolValue(false) || !got.IsDefault || got.Err.Error() != text {
		t.Errorf("%+v", got)
	}
	if none.Keys() != nil || none.BrokenFlags() != nil {
		t.Error("a config that is not available has keys")
	}

	config := mustParse(t, `{"f":{"key2":{"t":0,"v":{"b":true}},"key1":{"t":0,"v":{"b":true}}}}`)
	got = config.Evaluate("key", nil, evaluate.StringValue("d"), nil)
	const missing = "Failed to evaluate setting 'key' (the key was not found in config JSON). " +
		"Returning the `defaultValue` parameter that you specified in your application: 'd'. Available keys: ['key2', 'key1']."
	if got.Code != evaluate.CodeNoSuchKey || got.Value != evaluate.StringValue("d") || got.Err.Error() != missing {
		t.Errorf("%+v", got)
	}
}

// If two flags have the same key, the later one replaces the earlier one in its position.
func TestDuplicateKeys(t *testing.T) {
	config := mustParse(t, `{"f":{"a":{"t":0,"v":{"b":false}},"b":{"t":0,"v":{"b":true}},"a":{"t":1,"v":{"s":"later"}}}}`)
	if keys := strings.Join(config.Keys(), " "); keys != "a b" {
		t.Errorf("keys %s", keys)
	}
	if got := config.Evaluate("a", nil, evaluate.Value{}, nil); got.Value != evaluate.StringValue("later") {
		t.Errorf("%v, %v", got.Value, got.Err)
	}
}

type panickingUser struct{}

func (panickingUser) GetAttribute(string) any { panic("own code") }

type panickingJSON struct{}

func (panickingJSON) MarshalJSON() ([]byte, error) { panic("oh") }

// Attributes that cannot be shown in the evaluation log do not panic either (S14).
func TestPanicInMarshalJSONIsRecovered(t *testing.T) {
	config := mustParse(t, `{"f":{"flag":{"t":0,"v":{"b":true}}}}`)
	got := config.Evaluate("flag", &evaluate.UserData{Custom: map[string]any{"x": panickingJSON{}}}, evaluate.BoolValue(false), &evaluate.Trace{Log: true})
	if got.Err != nil || !got.Value.Bool() {
		t.Errorf("%+v", got)
	}
}

func TestPanicInGetAttributeIsRecovered(t *testing.T) {
	config := mustParse(t, `{"f":{"flag":`+conditions(`{"u":{"a":"Email","c":28,"s":"no"}}`)+`}}`)
	for _, trace := range []*evaluate.Trace{nil, {Log: true}} {
		got := config.Evaluate("flag", panickingUser{}, evaluate.BoolValue(false), trace)
		if got.Code != evaluate.CodeUnexpected || !got.IsDefault || got.Err == nil {
			t.Errorf("%+v", got)
		}
	}
}
