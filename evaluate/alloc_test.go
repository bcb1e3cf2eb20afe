package evaluate_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// everyComparator returns a config with one flag for each user comparator, keyed by its number,
// and a user for each flag. The flag's only rule compares the attribute "A".
func everyComparator(t testing.TB) (*evaluate.Config, map[string]*evaluate.UserData) {
	t.Helper()
	hash := strings.Repeat("ab", 32)
	list := func(items ...string) string { return `"l":["` + strings.Join(items, `","`) + `"]` }
	texts := list("a", "b", "c", "d", "e", "f")
	hashes := list(hash, hash, hash)
	slices := list("3_"+hash, "5_"+hash, "900_"+hash)
	operand := map[string]string{
		"0": texts, "1": texts, "2": texts, "3": texts, "28": `"s":"x"`, "29": `"s":"x"`,
		"30": texts, "31": texts, "32": texts, "33": texts, "34": texts, "35": texts,
		"16": hashes, "17": hashes, "20": `"s":"` + hash + `"`, "21": `"s":"` + hash + `"`,
		"22": slices, "23": slices, "24": slices, "25": slices, "26": hashes, "27": hashes,
		"10": `"d":1`, "11": `"d":1`, "12": `"d":1`, "13": `"d":1`, "14": `"d":1`, "15": `"d":1`,
		"18": `"d":1`, "19": `"d":1`,
		"4": list("1.0.0"), "5": list("1.0.0"), "6": `"s":"1.0.0"`, "7": `"s":"1.0.0"`, "8": `"s":"1.0.0"`, "9": `"s":"1.0.0"`,
	}
	var flags []string
	users := make(map[string]*evaluate.UserData)
	for id, comparison := range operand {
		flags = append(flags, `"`+id+`":{"t":0,"r":[{"c":[{"u":{"a":"A","c":`+id+`,`+comparison+`}}],"s":{"v":{"b":true}}}],"v":{"b":false}}`)
		var attribute any = "some text"
		switch id {
		case "10", "11", "12", "13", "14", "15":
			attribute = 3.5
		case "18", "19":
			attribute = time.Unix(1_700_000_000, 0)
		case "26", "27", "34", "35":
			attribute = []string{"some", "texts"}
		case "4", "5", "6", "7", "8", "9":
			attribute = "1.2.3-rc.1"
		}
		users[id] = &evaluate.UserData{Identifier: "id", Custom: map[string]any{"A": attribute}}
	}
	config, err := evaluate.Parse([]byte(`{"p":{"s":"salt"},"f":{` + strings.Join(flags, ",") + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	if broken := config.BrokenFlags(); len(broken) > 0 || len(config.Keys()) != 36 {
		t.Fatalf("%d flags, broken: %v", len(config.Keys()), broken)
	}
	return config, users
}

// checkAllocs fails the test if evaluateOnce allocates more often than may.
func checkAllocs(t *testing.T, name string, may float64, evaluateOnce func()) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	if got := testing.AllocsPerRun(100, evaluateOnce); got > may {
		t.Errorf("%s: %v allocations, at most %v allowed", name, got, may)
	}
}

func TestComparatorsDoNotAllocate(t *testing.T) {
	config, users := everyComparator(t)
	for id, user := range users {
		may := 0.0
		if strings.Contains("456789", id) {
			may = 4 // the parsed version
		}
		result := config.Evaluate(id, user, evaluate.Value{}, nil)
		if result.Err != nil {
			t.Errorf("comparator %s: %v", id, result.Err)
		}
		checkAllocs(t, "comparator "+id, may, func() {
			config.Evaluate(id, user, evaluate.BoolValue(false), nil)
		})
	}
}

type ownUser struct{ email any }

func (u *ownUser) GetAttribute(name string) any {
	if name == "Email" {
		return u.email
	}
	return nil
}

type structUser struct {
	Identifier string
	Mail       string `configcat:"Email"`
}

func TestUsersDoNotAllocate(t *testing.T) {
	config := mustParse(t, `{"p":{"s":"x"},"f":{"flag":{"t":1,"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@never"]}}],"s":{"v":{"s":"no"}}}],
		"p":[{"p":50,"v":{"s":"a"}},{"p":50,"v":{"s":"b"}}],"v":{"s":"own"}},"mail":{"t":0,"a":"Email","p":[{"p":100,"v":{"b":true}}],"v":{"b":false}}}}`)
	long := strings.Repeat("long ", 1000)
	users := map[string]any{
		"none":              nil,
		"UserData":          &evaluate.UserData{Identifier: "12345", Email: "a@example.com"},
		"long":              &evaluate.UserData{Identifier: long, Email: long},
		"map of any":        map[string]any{"Identifier": "12345", "Email": "a@example.com"},
		"map of texts":      map[string]string{"Identifier": "12345", "Email": "a@example.com"},
		"own type":          &ownUser{email: "a@example.com"},
		"struct":            &structUser{Identifier: "12345", Mail: "a@example.com"},
		"bytes":             map[string]any{"Identifier": []byte("12345"), "Email": []byte("a@example.com")},
		"own text":          map[string]any{"Identifier": net.IPv4(10, 0, 0, 1), "Email": net.IPv4(10, 0, 0, 2)},
		"email not set":     &evaluate.UserData{Identifier: "12345"},
		"own type, not set": &ownUser{},
	}
	mayEach := map[string]float64{"bytes": 1, "own text": 3} // for each attribute that is read
	for name, user := range users {
		for _, key := range config.Keys() {
			attributes := map[string]float64{"flag": 2, "mail": 1}[key]
			if result := config.Evaluate(key, user, evaluate.Value{}, nil); result.Err != nil {
				t.Errorf("%s: %v", name, result.Err)
			}
			checkAllocs(t, name+", "+key, mayEach[name]*attributes, func() {
				config.Evaluate(key, user, evaluate.Value{}, nil)
			})
		}
	}
}

// Parsing strings as numbers does not allocate, whether or not they are valid.
func TestNumericStringsDoNotAllocate(t *testing.T) {
	config := mustParse(t, comparisonFlag(12, `"d":2`))
	for _, text := range []string{"1.5", "1,5", " 1 ", "NaN", "-Infinity", "not a number", "123456789,123456789123456789"} {
		user := map[string]any{"A": text}
		checkAllocs(t, text, 0, func() { config.Evaluate("flag", user, evaluate.BoolValue(false), nil) })
	}
}

// A trace without events does not allocate, nor does a failure that was found when the config was
// compiled.
func TestQuietTraceDoesNotAllocate(t *testing.T) {
	config := mustParse(t, `{"f":{"a":{"t":0,"r":[{"c":[{"u":{"a":"Email","c":28,"s":"x"}}],"s":{"v":{"b":true}}}],"v":{"b":false}},
		"b":{"t":9,"v":{"b":true}},"c":{"t":0,"v":{}}}}`)
	user := &evaluate.UserData{Identifier: "1", Email: "a@example.com"}
	checkAllocs(t, "trace", 0, func() {
		var trace evaluate.Trace
		config.Evaluate("a", user, evaluate.BoolValue(false), &trace)
		if len(trace.Events()) > 0 {
			panic("unexpected event")
		}
	})
	for _, key := range []string{"b", "c"} {
		checkAllocs(t, "broken flag "+key, 0, func() { config.Evaluate(key, user, evaluate.BoolValue(false), nil) })
	}
	checkAllocs(t, "default of another type", 0, func() { config.Evaluate("a", user, evaluate.IntValue(1), nil) })
}

func mustParse(t testing.TB, text string) *evaluate.Config {
	t.Helper()
	config, err := evaluate.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return config
}
