package limited

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// No input causes a panic, and no kept string is longer than the limit and one byte. It does not
// matter how the input is split.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"$5\r\nhello\r\n", "*3\r\n$3\r\nabc\r\n$-1\r\n$0\r\n\r\n", "-NOPERM no\r\n", "%1\r\n+key\r\n:12\r\n", "_\r\n", "$9223372036854775807\r\nx\r\n",
		"*1\r\n-WRONGTYPE\r\n", "\n\n", "=15\r\ntxt:Some string\r\n", "$-9\r\n", "$x\r\n", "|1\r\n+a\r\n+b\r\n$1\r\nz\r\n",
	} {
		f.Add([]byte(seed), byte(3), byte(4))
	}
	f.Fuzz(func(t *testing.T, data []byte, limit, split byte) {
		limits := Limits{Value: int(limit), Total: 2 * int(limit)}
		whole, wholeErr := parse(data, limits, len(data))
		parts, partsErr := parse(data, limits, int(split))
		if fmt.Sprint(wholeErr) != fmt.Sprint(partsErr) || wholeErr == nil && !cmp.Equal(whole, parts) {
			t.Errorf("%q %v, in parts %q %v", whole, wholeErr, parts, partsErr)
		}
		if total := valueBytes * len(whole); limit > 0 && total > limits.Total {
			t.Errorf("%d values of %d bytes at most", len(whole), limits.Total)
		}
		for _, value := range whole {
			if text, ok := value.(string); ok && len(text) > int(limit)+1 {
				t.Errorf("%d bytes of at most %d", len(text), limit)
			}
		}
	})
}

// A string is kept up to the limit and one byte, whatever it contains.
func FuzzReplyOfStrings(f *testing.F) {
	f.Add([]byte("a\r\n$3\r\n"), []byte(""), byte(2), byte(3))
	f.Fuzz(func(t *testing.T, one, two []byte, limit, split byte) {
		data := fmt.Appendf(nil, "*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(one), one, len(two), two)
		got, err := parse(data, Limits{Value: int(limit)}, int(split))
		want := []any{string(one[:min(len(one), int(limit)+1)]), string(two[:min(len(two), int(limit)+1)])}
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	})
}

// parse parses data that arrives in parts of that size.
func parse(data []byte, limits Limits, size int) ([]any, error) {
	p := parser{limits: limits}
	for len(data) > 0 {
		n := min(max(size, 1), len(data))
		if _, err := p.Write(data[:n]); err != nil {
			return nil, err
		}
		data = data[n:]
	}
	return p.values, nil
}
