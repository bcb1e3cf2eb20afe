package ofrep

import (
	"strings"
	"testing"
)

func TestVersionsAreOrdered(t *testing.T) {
	a, b := VersionOf(5, strings.Repeat("a", 64)), VersionOf(7, strings.Repeat("b", 64))
	if a.String() != "5-aaaaaaaaaaaaaaaa" {
		t.Errorf("%s", a)
	}
	for _, c := range []struct {
		have, wanted Version
		reaches      bool
	}{
		{a, a, true}, {b, a, true}, {a, b, false},
		{Version{5, b.Hash}, b, true},  // the same content with an older rev
		{Version{7, a.Hash}, b, false}, // what a host fetched itself has the rev of what it replaced
		{Version{8, a.Hash}, b, true},
	} {
		if c.have.Reaches(c.wanted) != c.reaches {
			t.Errorf("%s reaches %s: %v", c.have, c.wanted, !c.reaches)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, seed := range []string{"5-aaaaaaaaaaaaaaaa", "0-0123456789abcdef", "-5-aaaaaaaaaaaaaaaa", "+5-aaaaaaaaaaaaaaaa", "5-AAAAAAAAAAAAAAAA", "9223372036854775808-aaaaaaaaaaaaaaaa", "5", "", "5-aaaaaaaaaaaaaaaaa", "05-aaaaaaaaaaaaaaaa"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVersion(text)
		if err != nil {
			return
		}
		if again, err := ParseVersion(v.String()); err != nil || again != v || v.Rev < 0 {
			t.Errorf("%q became %s, %v", text, v, err)
		}
	})
}
