package jsontext

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

// encoding/json defines where a value ends. Invalid values have any end, within the text.
func FuzzEnd(f *testing.F) {
	for _, text := range []string{
		``, `{}`, `[ ]`, `{"a" : [1, -2.5e+3, 0, "x\n\u00e9\"]", true, false, null, {}]}`, `"a\\"b`, `"a\`, `1 2`, `tru}`, `,`, `:1`, `]`, `[[[`, `[}`, "1\n",
		`{"a":"}"},`, `"\"`, `null]`,
	} {
		f.Add([]byte(text), 10)
	}
	f.Fuzz(func(t *testing.T, data []byte, deepest int) {
		pos := SkipSpace(data, 0)
		end := End(data, pos, deepest)
		if end < -1 || end > len(data) || end != End(string(data), pos, deepest) {
			t.Fatalf("%q: end %d of %d", data, end, len(data))
		}
		var value json.RawMessage
		decoder := json.NewDecoder(bytes.NewReader(data))
		if decoder.Decode(&value) != nil {
			return
		}
		if end := End(data, pos, math.MaxInt); end >= 0 && json.Valid(data[pos:end]) && int64(end) != decoder.InputOffset() {
			t.Fatalf("%q: end %d, encoding/json says %d", data, end, decoder.InputOffset())
		}
		if json.Valid(data) && len(bytes.TrimRight(data, " \t\r\n")) != End(data, pos, math.MaxInt) {
			t.Fatalf("%q: end %d", data, End(data, pos, math.MaxInt))
		}
	})
}
