package gateway

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

func TestOnlyTheRedirectIsReplaced(t *testing.T) {
	for config, served := range map[string]string{
		`{"p":{"u":"x","r":2},"f":{}}`:          `{"p":{"u":"x","r":0},"f":{}}`,
		`{"p":{"r" :	1	,"u":"x"},"f":{}}`:       `{"p":{"r" :	0	,"u":"x"},"f":{}}`,
		`{"f":{"p":{"r":2}},"p":{"r":12 }}`:     `{"f":{"p":{"r":2}},"p":{"r":0 }}`,
		`{"p":{"r":2},"f":{},"p":{"r":1}}`:      `{"p":{"r":0},"f":{},"p":{"r":0}}`,
		`{"p":{"r":0,"r":2}}`:                   `{"p":{"r":0,"r":0}}`,
		`{"P":{"R":2}}`:                         `{"P":{"R":0}}`,
		`{"\u0070":{"\u0072":2}}`:               `{"\u0070":{"\u0072":0}}`,
		`{"p":{"r":"2"}}`:                       `{"p":{"r":0}}`,
		`{"p":{"r":{"r":2}}}`:                   `{"p":{"r":0}}`,
		`{"p":{"r":null}}`:                      `{"p":{"r":0}}`,
		`{"p":{"x":{"r":2}}}`:                   `{"p":{"x":{"r":2}}}`,
		`{"p":null,"f":{}}`:                     `{"p":null,"f":{}}`,
		`{"p":[{"r":2}],"f":{}}`:                `{"p":[{"r":2}],"f":{}}`,
		`{"p":"r","f":{"a":"\"p\":{\"r\":2}"}}`: `{"p":"r","f":{"a":"\"p\":{\"r\":2}"}}`,
		`{"f":{}}`:                              `{"f":{}}`,
		` {"p":{"r":2}} `:                       ` {"p":{"r":0}} `,
		`{"p":{"r":2},"f":{"é":1e2}}`:           `{"p":{"r":0},"f":{"é":1e2}}`,
		`[]`:                                    `[]`,
		``:                                      ``,
		`{"p":{"r":2},"f":`:                     `{"p":{"r":0},"f":`,
	} {
		if have := string(withoutRedirect([]byte(config))); have != served {
			t.Errorf("%s\nbecame %s\nwant   %s", config, have, served)
		}
	}
}

// FuzzWithoutRedirect looks for configs that a client can have in force, and that would make an
// SDK leave its base URL.
func FuzzWithoutRedirect(f *testing.F) {
	for _, config := range []string{
		bigConfig, `{"p":{"r":2},"f":{}}`, `{"P":{"R":1},"f":{},"p":{"r":"2"}}`, `{"p":{"r":2e0},"f":{"a":{"t":0,"v":{"b":true}}}}`,
		"{\"p\":{\"r\":2,\"\xff\":1},\"f\":{}}", `{"f":{"a":null},"p":{"r":-2}}`, `{"p":{"r":1,"u":"\ud800"},"f":{}}`,
	} {
		f.Add([]byte(config))
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		before := bytes.Clone(config)
		served := withoutRedirect(config)
		if !bytes.Equal(config, before) {
			t.Fatal("the config in force was changed")
		}
		if _, err := evaluate.Parse(config); err != nil {
			return
		}
		if _, err := evaluate.Parse(served); err != nil {
			t.Fatalf("%q is not valid: %v", served, err)
		}
		var parsed struct { // matches names as the SDK for Go does
			P struct {
				R json.RawMessage `json:"r"`
			} `json:"p"`
		}
		_ = json.Unmarshal(served, &parsed) // p may have another type
		if r := string(parsed.P.R); r != "" && r != "0" && json.Valid(served) {
			t.Fatalf("%q has the redirect %s", served, r)
		}
		if again := withoutRedirect(served); !bytes.Equal(again, served) {
			t.Fatalf("%q became %q", served, again)
		}
	})
}
