package evaluate_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

type (
	tier        int                    // String has a value receiver
	region      struct{ name string }  // String has a pointer receiver
	day         time.Time              // convertible to a time, but has String
	both        struct{}               // MarshalText takes precedence over String
	failing     struct{}               // MarshalText fails
	panicking   struct{ nothing *int } // MarshalText panics
	stringPanic string                 // String panics
	role        string                 // a string whose String returns another one
	circle      *circle                // points to itself
	wrapped     struct{ *url.URL }     // has the methods of the embedded type
	plainBytes  []byte                 // no methods
	roles       []role                 // a list of items with String
	lookup      map[string]string      // has String; may be nil
	listed      struct{ Of []net.IP }  // no text form: shown as JSON
)

func (t tier) String() string                    { return [...]string{"free", "gold"}[t] }
func (r *region) String() string                 { return r.name }
func (d day) String() string                     { return time.Time(d).Format(time.DateOnly) }
func (both) MarshalText() ([]byte, error)        { return []byte("marshaled"), nil }
func (both) String() string                      { return "printed" }
func (failing) MarshalText() ([]byte, error)     { return nil, errors.New("out of order") }
func (p panicking) MarshalText() ([]byte, error) { return []byte{byte(*p.nothing)}, nil }
func (stringPanic) String() string               { panic("oh") }
func (r role) String() string                    { return "role:" + string(r) }
func (l lookup) String() string                  { return fmt.Sprint(len(l)) }

func parsedURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func bigInt(t *testing.T, text string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		t.Fatal(text)
	}
	return n
}

// textStruct has each attribute as a field of its type.
type textStruct struct {
	IP    net.IP
	Link  url.URL
	Count big.Int
	Mail  sql.NullString `configcat:"Email"`
	Tier  tier
	Where *region
}

func TestTypesWithATextFormAreThatText_S33(t *testing.T) {
	link := parsedURL(t, "https://shop.example/cart")
	var noURL *url.URL
	var noInt *big.Int
	at := time.Date(2023, 4, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		value any
		want  string
		set   bool
	}{
		{net.ParseIP("10.0.0.1").To4(), "10.0.0.1", true},
		{new(net.ParseIP("::1")), "::1", true},
		{net.IP(nil), "", false},
		{net.IPNet{IP: net.IPv4(10, 0, 0, 0), Mask: net.CIDRMask(8, 32)}, "10.0.0.0/8", true},
		{netip.MustParseAddr("10.0.0.1"), "10.0.0.1", true},
		{new(netip.MustParseAddr("10.0.0.1")), "10.0.0.1", true},
		{link, "https://shop.example/cart", true},
		{*link, "https://shop.example/cart", true},
		{new(link), "https://shop.example/cart", true},
		{noURL, "", false},
		{wrapped{link}, "https://shop.example/cart", true},
		{time.Hour, "1h0m0s", true},
		{tier(1), "gold", true},
		{new(tier(1)), "gold", true},
		{region{"eu"}, "eu", true},
		{&region{"eu"}, "eu", true},
		{(*region)(nil), "", false},
		{day(at), "2023-04-01", true},
		{both{}, "marshaled", true},
		{role("admin"), "role:admin", true},
		{lookup(nil), "", false},
		{lookup{"a": "b"}, "1", true},
		{json.Number("5"), "5", true},
		{plainBytes("text"), "text", true},
		{json.RawMessage("[1]"), "[1]", true},

		{at, "1680307200", true},
		{&at, "1680307200", true},
		{big.NewInt(12), "12", true},
		{*big.NewInt(12), "12", true},
		{bigInt(t, "18446744073709551615"), "18446744073709551615", true},
		{bigInt(t, "-1000000000000000000000"), "-1e+21", true},
		{noInt, "", false},
		{big.NewFloat(1.5), "1.5", true},
		{*big.NewRat(1, 4), "0.25", true},

		{sql.NullString{String: "x", Valid: true}, "x", true},
		{sql.NullString{String: "x"}, "", false},
		{&sql.NullInt64{Int64: 5, Valid: true}, "5", true},
		{sql.NullBool{Bool: true, Valid: true}, "true", true},
		{sql.NullTime{Time: at, Valid: true}, "1680307200", true},
		{sql.NullTime{Time: at}, "", false},
		{sql.Null[net.IP]{V: net.IPv4(10, 0, 0, 1), Valid: true}, "10.0.0.1", true},
		{sql.Null[*url.URL]{Valid: true}, "", false},
		{sql.Null[int]{V: 5}, "", false},

		{[]net.IP{net.IPv4(10, 0, 0, 1)}, `["10.0.0.1"]`, true},
		{[]*url.URL{link, link}, `["https://shop.example/cart","https://shop.example/cart"]`, true},
		{[]net.IP{}, "[]", true},
		{roles{"a", "b"}, `["role:a","role:b"]`, true},
		{[]any{"x", netip.MustParseAddr("::1"), tier(0)}, `["x","::1","free"]`, true},
		{[]any{"x", 5}, "[x 5]", true},
		{[]int{1}, "[1]", true},
	} {
		users := map[string]any{
			"map":          map[string]any{"Email": test.value},
			"custom":       &evaluate.UserData{Custom: map[string]any{"Other": test.value}},
			"GetAttribute": &ownUser{email: test.value},
			"struct":       struct{ Email any }{test.value},
		}
		for kind, user := range users {
			name := "Email"
			if kind == "custom" {
				name = "Other"
			}
			if got, set := evaluate.UserAttribute(user, name); got != test.want || set != test.set {
				t.Errorf("%T in a %s: %q, %v, want %q, %v", test.value, kind, got, set, test.want, test.set)
			}
		}
	}
	fields := &textStruct{
		IP: net.IPv4(10, 0, 0, 1), Link: *link, Count: *big.NewInt(7), Mail: sql.NullString{String: "a@b", Valid: true}, Tier: 1, Where: &region{"eu"},
	}
	for _, user := range []any{fields, *fields} {
		const want = `{"Email":"a@b","IP":"10.0.0.1","Link":"https://shop.example/cart","Count":7,"Tier":"gold","Where":"eu"}`
		if got := evaluate.UserJSON(user); got != want {
			t.Errorf("%T: %s, want %s", user, got, want)
		}
	}
	if got := evaluate.UserJSON(&textStruct{}); got != `{"Link":"","Count":0,"Tier":"free"}` {
		t.Error(got)
	}
	if got := evaluate.UserJSON(map[string]any{"a": listed{}, "b": []any{1, "x"}, "c": math.Inf(1)}); got != `{"a":{"Of":null},"b":[1,"x"],"c":null}` {
		t.Error(got)
	}
}

// Numbers of math/big are compared as numbers, even if they do not fit into an int64.
func TestNumbersOfMathBigAreCompared(t *testing.T) {
	config := mustParse(t, comparisonFlag(14, `"d":5`)) // greater than
	for _, test := range []struct {
		value any
		want  bool
	}{
		{big.NewInt(12), true}, {big.NewInt(5), false}, {*big.NewFloat(5.5), true}, {big.NewRat(9, 2), false},
		{bigInt(t, strings.Repeat("9", 400)), true}, {bigInt(t, "-"+strings.Repeat("9", 30)), false},
	} {
		if got := config.Evaluate("flag", map[string]any{"A": test.value}, evaluate.Value{}, nil); got.Err != nil || got.Value.Bool() != test.want {
			t.Errorf("%v: %v, %v", test.value, got.Value, got.Err)
		}
	}
}

// A failing text method affects neither the caller nor flags that do not use the attribute.
func TestFailingTextMethodFailsOnlyItsFlags(t *testing.T) {
	config := mustParse(t, `{"f":{"flag":`+conditions(`{"u":{"a":"A","c":28,"s":"x"}}`)+`,
		"split":{"t":0,"a":"A","p":[{"p":100,"v":{"b":true}}],"v":{"b":false}},"other":{"t":0,"v":{"b":true}}}}`)
	var loop circle
	loop = &loop
	for value, why := range map[any]string{
		failing{}:       "its MarshalText method failed: out of order",
		panicking{}:     "its MarshalText method panicked: ",
		&panicking{}:    "its MarshalText method panicked: ",
		stringPanic(""): "its String method panicked: oh",
		tier(5):         "its String method panicked: ",
		any(wrapped{}):  "its String method panicked: ",
		any(&[1]any{}):  "",
		loop:            "",
	} {
		for _, given := range []any{value, []any{"x", value}} {
			if _, list := given.([]any); list && why == "" {
				continue
			}
			for _, trace := range []*evaluate.Trace{nil, {Log: true}} {
				user := &evaluate.UserData{Identifier: "id", Custom: map[string]any{"A": given}}
				for _, key := range []string{"flag", "split"} {
					got := config.Evaluate(key, user, evaluate.BoolValue(true), trace)
					if why == "" {
						if got.Err != nil {
							t.Errorf("%T: %v", given, got.Err)
						}
						continue
					}
					if got.Code != evaluate.CodeUnexpected || !got.Value.Bool() || !strings.Contains(got.Err.Error(), "The User.A attribute cannot be read: "+why) {
						t.Errorf("%T: %+v", given, got)
					}
				}
				if got := config.Evaluate("other", user, evaluate.BoolValue(false), trace); got.Err != nil || !got.Value.Bool() {
					t.Errorf("%T: %+v", given, got)
				}
			}
		}
	}
}

// A value with a text form is evaluated like a string with that text.
func FuzzAttributeText(f *testing.F) {
	f.Add("text", 28, "text")
	f.Add("1.0.0", 6, "2.0.0")
	f.Add(`["a"]`, 34, "a")
	f.Fuzz(func(t *testing.T, text string, comparator int, comparison string) {
		item, err := json.Marshal(comparison)
		if err != nil {
			t.Fatal(err)
		}
		config := mustParse(t, comparisonFlag(int(uint(comparator)%36), `"s":`+string(item)+`,"l":[`+string(item)+`],"d":5`))
		want := config.Evaluate("flag", map[string]any{"A": text, "Identifier": "x"}, evaluate.Value{}, nil)
		for _, value := range []any{region{text}, &region{text}, sql.NullString{String: text, Valid: true}, []byte(text), plainBytes(text)} {
			got := config.Evaluate("flag", map[string]any{"A": value, "Identifier": "x"}, evaluate.Value{}, nil)
			if got.Value != want.Value || (got.Err == nil) != (want.Err == nil) || got.RuleIndex != want.RuleIndex {
				t.Fatalf("%T: %v, %v; a string: %v, %v", value, got.Value, got.Err, want.Value, want.Err)
			}
		}
	})
}
