package control_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
)

const now = 1767225600000 // 2026

var week = control.MaxDuration.Milliseconds()

func order() control.Order {
	return control.Order{By: "ann@host", Reason: "checkout fails", Since: now, Until: now + 1000}
}

func example() *control.Control {
	return &control.Control{
		Seq: now + 5,
		Pin: &control.Pin{Rev: now - 100, Hash: strings.Repeat("ab", 32), Order: order()},
		Forced: []control.Force{
			{Flag: "a", Value: evaluate.BoolValue(true), Order: order()},
			{Flag: "b", Value: evaluate.StringValue("<&>\n\""), Order: order()},
			{Flag: "c", Value: evaluate.IntValue(-7), Order: order()},
			{Flag: "d", Value: evaluate.FloatValue(2), Order: order()},
		},
	}
}

const (
	exampleOrder = `"by":"ann@host","reason":"checkout fails","since":1767225600000,"until":1767225601000`
	exampleText  = "1767225600005\n" + `{"pin":{"rev":1767225599900,"hash":"abababababababababababababababababababababababababababababababab",` + exampleOrder + `},` +
		`"forced":[{"flag":"a","value":{"b":true},` + exampleOrder + `},{"flag":"b","value":{"s":"<&>\n\""},` + exampleOrder + `},` +
		`{"flag":"c","value":{"i":-7},` + exampleOrder + `},{"flag":"d","value":{"d":2},` + exampleOrder + `}]}`
)

var values = cmp.Comparer(func(a, b evaluate.Value) bool { return a == b })

func TestTheStoredForm(t *testing.T) {
	for text, c := range map[string]*control.Control{exampleText: example(), "1767225600000\n{}": {Seq: now}} {
		if got := string(c.Append([]byte("x"))); got != "x"+text {
			t.Errorf("have %s\nwant x%s", got, text)
		}
		if _, body, _ := strings.Cut(text, "\n"); c.Body() != body {
			t.Errorf("body %s", c.Body())
		}
		got, err := control.Parse([]byte(text))
		if diff := cmp.Diff(c, got, values); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	}
}

func TestMalformedControlsAreRejected(t *testing.T) {
	edit := func(old, replacement string) string {
		if strings.Count(exampleText, old) == 0 {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(exampleText, old, replacement, 1)
	}
	many := example()
	many.Forced = nil
	for i := range control.MaxForced + 1 {
		many.Forced = append(many.Forced, control.Force{Flag: fmt.Sprintf("%02d", i), Value: evaluate.BoolValue(true), Order: order()})
	}
	large := example()
	for i := range large.Forced {
		large.Forced[i].Value = evaluate.StringValue(strings.Repeat("\x01", control.MaxTextBytes))
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":           {"", "malformed control: fewer than two lines"},
		"seq":             {"5\n{}", "malformed control: seq: not a rev: 5"},
		"seq in letters":  {"x\n{}", "malformed control: seq: not a rev: x"},
		"no JSON":         {"1767225600005\n", "malformed control: line 2: unexpected end of JSON input"},
		"more":            {exampleText + "\n", "malformed control: line 2: not in the form in which it is written"},
		"white space":     {edit(`{"pin"`, `{ "pin"`), "malformed control: line 2: not in the form in which it is written"},
		"unknown member":  {edit(`{"pin"`, `{"x":1,"pin"`), "malformed control: line 2: not in the form in which it is written"},
		"member twice":    {edit(`"rev":`, `"rev":1,"rev":`), "malformed control: line 2: not in the form in which it is written"},
		"capitals":        {edit(`"rev":`, `"Rev":`), "malformed control: line 2: not in the form in which it is written"},
		"two values":      {edit(`{"b":true}`, `{"b":true,"i":1}`), "malformed control: line 2: not in the form in which it is written"},
		"no value":        {edit(`{"b":true}`, `{}`), "malformed control: value: missing"},
		"a fraction":      {edit(`{"i":-7}`, `{"i":-7.5}`), ""},
		"a large number":  {edit(`{"i":-7}`, `{"i":9007199254740992}`), "malformed control: value: beyond the range of whole numbers"},
		"no hash":         {edit(`"hash":"ab`, `"hash":"`), "malformed control: hash: not a content hash"},
		"capital hash":    {edit(`"hash":"ab`, `"hash":"AB`), "malformed control: hash: not a content hash"},
		"rev":             {edit(`"rev":1767225599900`, `"rev":1`), "malformed control: rev: not a rev"},
		"no flag":         {edit(`"flag":"a"`, `"flag":""`), "malformed control: flag: missing"},
		"long flag":       {edit(`"flag":"d"`, `"flag":"`+strings.Repeat("d", 1025)+`"`), "malformed control: flag: over the size limit"},
		"order":           {edit(`"flag":"a"`, `"flag":"z"`), "malformed control: forced: not sorted by flag, or a duplicate flag"},
		"duplicate":       {edit(`"flag":"a"`, `"flag":"b"`), "malformed control: forced: not sorted by flag, or a duplicate flag"},
		"no reason":       {edit("checkout fails", ""), "malformed control: reason: missing"},
		"blank reason":    {edit("checkout fails", "  "), "malformed control: reason: missing"},
		"long reason":     {edit("checkout fails", strings.Repeat("x", 201)), "malformed control: reason: over the size limit"},
		"line feed":       {edit("checkout fails", `a\nb`), "malformed control: reason: a control character"},
		"escape":          {edit("checkout fails", `\u001b[2J`), "malformed control: reason: a control character"},
		"C1":              {edit("checkout fails", "\u009b2J"), "malformed control: reason: a control character"},
		"line separator":  {edit("checkout fails", `\u2028`), "malformed control: reason: missing"},
		"separators":      {edit("checkout fails", `a\u2028b`), "malformed control: reason: a control character"},
		"invalid UTF-8":   {edit("checkout fails", "\xff"), "malformed control: line 2: not in the form in which it is written"},
		"no by":           {edit("ann@host", ""), "malformed control: by: missing"},
		"long by":         {edit("ann@host", strings.Repeat("x", 65)), "malformed control: by: over the size limit"},
		"since":           {edit(`"since":1767225600000`, `"since":0`), "malformed control: since: not a time in Unix ms"},
		"until":           {edit(`"until":1767225601000`, `"until":0`), "malformed control: until: not a time in Unix ms"},
		"until before":    {edit(`"until":1767225601000`, `"until":1767225600000`), "malformed control: until: not after since"},
		"until too late":  {edit(`"until":1767225601000`, fmt.Sprintf(`"until":%d`, now+week+1)), "malformed control: until: more than 7 days after since"},
		"33 flags":        {string(many.Append(nil)), "malformed control: forced: more than 32 flags"},
		"over the limit":  {string(large.Append(nil)), "malformed control: over the size limit"},
		"null":            {"1767225600005\nnull", "malformed control: line 2: not in the form in which it is written"},
		"an empty list":   {"1767225600005\n" + `{"forced":[]}`, "malformed control: line 2: not in the form in which it is written"},
		"a list":          {"1767225600005\n[]", ""},
		"a deep document": {"1767225600005\n" + strings.Repeat("[", 100_000), ""},
	} {
		got, err := control.Parse([]byte(test.text))
		if e, ok := errors.AsType[*wire.ParseError](err); !ok || got != nil || test.want != "" && e.Error() != test.want {
			t.Errorf("%s: %v, %v, want %s", name, got, err, test.want)
		}
	}
}

func TestWhatCannotBeStoredIsNotValid(t *testing.T) {
	for name, value := range map[string]evaluate.Value{
		"malformed control: value: not a finite number": evaluate.FloatValue(math.Inf(1)),
		"malformed control: value: invalid UTF-8":       evaluate.StringValue("\xff"),
		"malformed control: value: over the size limit": evaluate.StringValue(strings.Repeat("x", control.MaxTextBytes+1)),
		"malformed control: value: missing":             {},
	} {
		c := example().With(control.Force{Flag: "x", Value: value, Order: order()})
		if err := c.Validate(); err == nil || err.Error() != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
	longest := example().With(control.Force{Flag: strings.Repeat("é", 512), Value: evaluate.StringValue(strings.Repeat("x", control.MaxTextBytes)),
		Order: control.Order{By: strings.Repeat("é", 32), Reason: strings.Repeat("x", 200), Since: now, Until: now + week}})
	if err := longest.Validate(); err != nil {
		t.Error(err)
	}
	if err := example().With(control.Force{Flag: "x", Value: evaluate.StringValue(""), Order: order()}).Validate(); err != nil {
		t.Errorf("an empty string: %v", err)
	}
}

func drawOrder(t *rapid.T) control.Order {
	since := rapid.Int64Range(wire.MinRev, wire.MaxRev-week).Draw(t, "since")
	text := rapid.StringMatching(`[a-zé<&>"\\]{1,30}`)
	return control.Order{By: text.Draw(t, "by"), Reason: text.Draw(t, "reason"), Since: since, Until: since + rapid.Int64Range(1, week).Draw(t, "for")}
}

func drawControl(t *rapid.T) *control.Control {
	c := &control.Control{Seq: rapid.Int64Range(wire.MinRev, control.MaxSeq).Draw(t, "seq")}
	if rapid.Bool().Draw(t, "replaces") {
		c.After = rapid.Int64Range(wire.MinRev, wire.MaxRev).Draw(t, "after")
	}
	if rapid.Bool().Draw(t, "pin") {
		c.Pin = &control.Pin{Rev: rapid.SampledFrom([]int64{0, now}).Draw(t, "rev"), Hash: wire.ContentHash([]byte(rapid.String().Draw(t, "content"))), Order: drawOrder(t)}
	}
	for range rapid.IntRange(0, control.MaxForced).Draw(t, "flags") {
		value := rapid.OneOf(
			rapid.Map(rapid.Bool(), evaluate.BoolValue), rapid.Map(rapid.String(), evaluate.StringValue),
			rapid.Map(rapid.Int64Range(-1<<53+1, 1<<53-1), evaluate.IntValue), rapid.Map(rapid.Float64(), evaluate.FloatValue),
		).Draw(t, "value")
		if f := value.Float(); f-f != 0 {
			value = evaluate.FloatValue(0.5)
		}
		c = c.With(control.Force{Flag: "f" + rapid.String().Draw(t, "flag"), Value: value, Order: drawOrder(t)})
	}
	return c
}

func TestAnyControlRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawControl(t)
		stored := c.Append(nil)
		got, err := control.Parse(stored)
		if diff := cmp.Diff(c, got, values); err != nil || diff != "" {
			t.Fatalf("%s: %v %s", stored, err, diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(exampleText))
	f.Add([]byte("1767225600000\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := control.Parse(data)
		if err != nil {
			if e, ok := errors.AsType[*wire.ParseError](err); !ok || len(e.Error()) > 1000 {
				t.Fatal(err)
			}
			return
		}
		if err := c.Validate(); err != nil || !bytes.Equal(c.Append(nil), data) {
			t.Fatalf("%v: %q became %q", err, data, c.Append(nil))
		}
	})
}

func TestOrdersEnd(t *testing.T) {
	c := example()
	c.Forced[1].Until = now + 500
	c.Pin.Until = now + 700
	for _, test := range []struct {
		at   int64
		want string
		end  int64
	}{
		{now, "pin a b c d", now + 500}, {now + 499, "pin a b c d", now + 500}, {now + 500, "pin a c d", now + 700}, {now + 700, "a c d", now + 1000}, {now + 1000, "", 0},
	} {
		current := c.InForce(test.at)
		var have []string
		if current.Pin != nil {
			have = append(have, "pin")
		}
		for _, f := range current.Forced {
			have = append(have, f.Flag)
		}
		if got := strings.Join(have, " "); got != test.want || current.FirstEnd() != test.end || current.Empty() != (test.want == "") || current.Seq != c.Seq {
			t.Errorf("after %d ms: %s until %d, want %s until %d", test.at-now, got, current.FirstEnd(), test.want, test.end)
		}
	}
	var none *control.Control
	if !none.InForce(now).Empty() || !none.Empty() || none.FirstEnd() != 0 || len(none.Without("a").With(c.Forced[0]).Forced) != 1 {
		t.Error("nil is not an empty control")
	}
}

func TestAForceReplacesTheEarlierOneOfItsFlag(t *testing.T) {
	c := example()
	changed := c.With(control.Force{Flag: "b", Value: evaluate.StringValue("new"), Order: order()}).With(control.Force{Flag: "aa", Value: evaluate.IntValue(1), Order: order()}).Without("d").Without("none")
	if err := changed.Validate(); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range changed.Forced {
		have = append(have, f.Flag+"="+f.Value.String())
	}
	if got := strings.Join(have, " "); got != "a=true aa=1 b=new c=-7" {
		t.Error(got)
	}
	if diff := cmp.Diff(example(), c, values); diff != "" {
		t.Errorf("the original changed: %s", diff)
	}
}

func TestEffectiveContent(t *testing.T) {
	const (
		source = `{"p":{"s":"x"},"f":{"a":{"t":0,"r":[{"c":[],"s":{"v":{"b":true}}}],"v":{"b":false},"i":"off"},"b":{"t":0,"v":{"b":false}}}}`
		pinned = `{"f":{"a":{"t":1,"v":{"s":"x"}},"b":{"t":0,"v":{"b":true}}}}`
	)
	off := control.Force{Flag: "a", Value: evaluate.BoolValue(false), Order: order()}
	pin := &control.Pin{Hash: wire.ContentHash([]byte(pinned)), Order: order()}
	same := &control.Pin{Hash: wire.ContentHash([]byte(source)), Order: order()}
	for _, test := range []struct {
		name           string
		c              *control.Control
		pinned         string
		want, problems string
	}{
		{"nil", nil, "", source, "[] <nil>"},
		{"empty", &control.Control{Seq: now}, "", source, "[] <nil>"},
		{"force", &control.Control{Forced: []control.Force{off}}, "", `{"p":{"s":"x"},"f":{"a":{"t":0,"v":{"b":false},"i":"off"},"b":{"t":0,"v":{"b":false}}}}`, "[] <nil>"},
		{"pin", &control.Control{Pin: pin}, pinned, pinned, "[] <nil>"},
		{"pin of the source", &control.Control{Pin: same}, source, source, "[] <nil>"},
		{"both", &control.Control{Pin: pin, Forced: []control.Force{off}}, pinned, pinned, "[{a the flag is of the type String, not Boolean}] <nil>"},
		{"lost pin", &control.Control{Pin: pin}, "", "", "[] pinned content: its hash is e3b0c442…, the pin's is " + pin.Hash[:8] + "…; pin it again"},
	} {
		content, suspended, err := test.c.Effective([]byte(source), []byte(test.pinned))
		if string(content) != test.want || fmt.Sprint(suspended, err) != test.problems {
			t.Errorf("%s: %s, %v, %v", test.name, content, suspended, err)
		}
	}
	broken := &control.Control{Pin: &control.Pin{Hash: wire.ContentHash(nil), Order: order()}, Forced: []control.Force{off}}
	if content, _, err := broken.Effective([]byte(source), nil); err == nil || content != nil {
		t.Errorf("%s, %v", content, err)
	}
}

// Force and withdraw leaves the CDN's bytes.
func TestWithdrawingLeavesTheSource(t *testing.T) {
	source := []byte(` {"f":{"a":{"t":0,"v":{"b":true}, "x" : 1}}}`)
	c := (&control.Control{Seq: now}).With(control.Force{Flag: "a", Value: evaluate.BoolValue(false), Order: order()})
	forced, _, err := c.Effective(source, nil)
	if err != nil || bytes.Equal(forced, source) {
		t.Fatalf("%s, %v", forced, err)
	}
	for name, withdrawn := range map[string]*control.Control{"withdrawn": c.Without("a"), "expired": c.InForce(now + time.Minute.Milliseconds())} {
		if got, _, err := withdrawn.Effective(source, nil); err != nil || !bytes.Equal(got, source) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestETagsAreEqualExactlyIfTheContentIs(t *testing.T) {
	a, b := control.ETag(wire.ContentHash([]byte("a"))), control.ETag(wire.ContentHash([]byte("b")))
	if a != `"cb-ca978112ca1bbdcafac231b39a23dc4d"` || a == b {
		t.Error(a, b)
	}
	if wire.StoredETag(a, "") != a || wire.MessageETag(a) != a {
		t.Error("it is not stored unchanged")
	}
}

func TestValuesAreParsedByTheTypeOfTheFlag(t *testing.T) {
	config, err := evaluate.Parse([]byte(`{"f":{"b":{"t":0},"s":{"t":1},"i":{"t":2},"d":{"t":3},"broken":{"t":9}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flag, text string
		want       any
		problem    string
	}{
		{"b", "true", true, ""}, {"b", "false", false, ""}, {"b", "TRUE", nil, `the flag "b" is true or false, not "TRUE"`}, {"b", "", nil, `the flag "b" is true or false, not ""`},
		{"s", "true", "true", ""}, {"s", "", "", ""},
		{"i", "-5", -5, ""}, {"i", "5.0", nil, `the flag "i" is a whole number within ±(2^53 - 1), not "5.0"`},
		{"i", "9007199254740992", nil, `the flag "i" is a whole number within ±(2^53 - 1), not "9007199254740992"`},
		{"d", "5", 5.0, ""}, {"d", "1e3", 1000.0, ""}, {"d", "NaN", nil, `the flag "d" is a decimal number, not "NaN"`}, {"d", "1e999", nil, `the flag "d" is a decimal number, not "1e999"`},
		{"none", "true", nil, `the config has no flag "none" with a valid type`}, {"broken", "true", nil, `the config has no flag "broken" with a valid type`},
	} {
		value, err := control.ParseValue(config, test.flag, test.text)
		if value.Any() != test.want || (err == nil) != (test.problem == "") || err != nil && err.Error() != test.problem {
			t.Errorf("%s %q: %v, %v", test.flag, test.text, value, err)
		}
		if err != nil {
			continue
		}
		if _, suspended, err := evaluate.Force(config.JSON(), map[string]evaluate.Value{test.flag: value}); err != nil || len(suspended) > 0 {
			t.Errorf("%s %q cannot be forced: %v, %v", test.flag, test.text, suspended, err)
		}
	}
	var none *evaluate.Config
	if _, err := control.ParseValue(none, "b", "true"); err == nil {
		t.Error("a flag without a config")
	}
}
