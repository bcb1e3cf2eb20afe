package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
)

// encoding/json defines what is valid JSON: both must agree on every input.
func FuzzValid(f *testing.F) {
	for _, text := range []string{
		``, ` `, `{}`, `[]`, `[ ]`, `{ }`, ` {"a" : [1, -2.5e+3, 0, "x\n\u00e9\"", true, false, null, {}]} `,
		`{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `[1 2]`, `]`, `[}`, `{]`, `[[]`, `{"a":{}`,
		`01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `-0`, `0.0e-0`, `1E5`, `tru`, `truex`, `nul`, `Null`, `"`, `"\`, `"\u12`, `"\u12G4"`, `"\x"`,
		"\"\x00\"", "\"\x1f\"", "\"\x7f\xff\xfe\"", "\ufeff{}", "1 2", "{}\x00", "[1]x", "\v1", `"\ud800"`, "[\"a\"\n,\t\"b\"\r]",
		`{"a":"b","c":["d",{"e":[[]]}]}`, `{"":""}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := Valid(string(data)), json.Valid(data); got != want {
			t.Errorf("%q: %t, encoding/json says %t", data, got, want)
		}
		if got, want := Valid(FromUTF8(data)), json.Valid(data); got != want {
			t.Errorf("%q with its bytes replaced: %t, encoding/json says %t", data, got, want)
		}
	})
}

func TestNestingLimitIsThatOfEncodingJSON(t *testing.T) {
	for _, depth := range []int{maxDepth - 1, maxDepth, maxDepth + 1, 2 * maxDepth} {
		for _, text := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth),
			strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1),
			strings.Repeat(`[`, depth) + "1" + strings.Repeat("]", depth),
		} {
			if got, want := Valid(text), json.Valid([]byte(text)); got != want {
				t.Errorf("depth %d, %.6s…: %t, encoding/json says %t", depth, text, got, want)
			}
		}
	}
}

func BenchmarkValid(b *testing.B) {
	data := []byte(`[` + strings.Repeat(`{"u":{"a":"Email","c":16,"l":["`+strings.Repeat("0123456789abcdef", 4)+`"]},"v":{"b":true}},`, 5000) + `{}]`)
	for name, valid := range map[string]func([]byte) bool{"own": func(data []byte) bool { return Valid(string(data)) }, "encoding-json": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if !valid(data) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
