package evaluate_test

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// S30: the strings that are numbers.
func TestParseNumberBeyondTheTable(t *testing.T) {
	for text, want := range map[string]float64{
		"0 ": 0, "0,5": 0.5, "-,5": -0.5, "5.": 5, "5,": 5, "1,e2": 100, "1e999": math.Inf(1), "-1e999": math.Inf(-1), "1e-999": 0,
		"\u00a0\ufeff\u20281\u3000": 1, "00012": 12, strings.Repeat("1", 400): math.Inf(1),
	} {
		if got, ok := evaluate.ParseNumber(text); !ok || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"1,2,3", "1.2,3", "1,2.3", "1_000", "inf", "nan", "infinity", "+NaN", "-NaN", "0b1", "1p3", "--1", "+-1", "+",
		"-", ".", ",", "e5", "1e1.5", "1 2", "\u00851", "Infinity,", "1\x00"} {
		if got, ok := evaluate.ParseNumber(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// S29: strict SemVer 2.0 only.
func TestVersions(t *testing.T) {
	for _, text := range []string{"1.2.3", " 1.2.3\t", "\u00a01.2.3", "1.2.3-rc.1+build.5", "0.0.0", "1.2.3-0", "1.2.3--", "1.2.3+001", "9007199254740991.0.0"} {
		if evaluate.ParseVersion(text) == nil {
			t.Errorf("%q is not a version", text)
		}
	}
	for _, text := range []string{"", "1", "1.2", "1.2.3.4", "v1.2.3", "=1.2.3", "01.2.3", "1.02.3", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3-a..b",
		"1.2.3-é", "1.2.-3", "-1.2.3", "1.2.3 -rc", "9007199254740992.0.0", "99999999999999999999.0.0", "1.0.0-" + strings.Repeat("a", 251)} {
		if evaluate.ParseVersion(text) != nil {
			t.Errorf("%q is a version", text)
		}
	}
}

// comparisonFlag returns a flag that is true if attribute "A" meets the condition.
func comparisonFlag(comparator int, operand string) string {
	return fmt.Sprintf(`{"p":{"s":"salt"},"f":{"flag":{"t":0,"r":[{"c":[{"u":{"a":"A","c":%d,%s}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`, comparator, operand)
}

func meetsCondition(t *testing.T, comparator int, operand string, attribute any) bool {
	t.Helper()
	config := mustParse(t, comparisonFlag(comparator, operand))
	got := config.Evaluate("flag", map[string]any{"A": attribute}, evaluate.Value{}, nil)
	if got.Err != nil {
		t.Fatalf("comparator %d, %s: %v", comparator, operand, got.Err)
	}
	return got.Value.Bool()
}

// The lengths of hashed slices count bytes of UTF-8, even within a character.
func TestHashedSlicesCountBytes(t *testing.T) {
	hash := func(length int, text string) string {
		return fmt.Sprintf(`"l":["%d_%s"]`, length, evaluate.SaltedHashHex(text, "saltflag"))
	}
	for _, test := range []struct {
		comparator int
		operand    string
		text       string
		want       bool
	}{
		{22, hash(2, "é"), "été", true},
		{24, hash(2, "é"), "été", true},
		{22, hash(1, "é"[:1]), "été", true},
		{24, hash(1, "😀"[3:]), "x😀", true},
		{22, hash(0, ""), "anything", true},
		{22, hash(3, "été"), "é", false},
		{23, hash(3, "été"), "é", true},
		{22, `"l":[" +2 _` + evaluate.SaltedHashHex("ab", "saltflag") + `"]`, "abc", true},
		{22, `"l":["2_` + strings.ToUpper(evaluate.SaltedHashHex("ab", "saltflag")) + `"]`, "abc", false},
		{22, `"l":["2_not hexadecimal"]`, "abc", false},
	} {
		if got := meetsCondition(t, test.comparator, test.operand, test.text); got != test.want {
			t.Errorf("comparator %d, %s, %q: %v", test.comparator, test.operand, test.text, got)
		}
	}
}

// S38: empty items, invalid items and invalid comparison values.
func TestSemVerEdges(t *testing.T) {
	for _, test := range []struct {
		comparator int
		operand    string
		want       bool
	}{
		{4, `"l":["","1.2.3"]`, true},
		{4, `"l":[]`, false},
		{5, `"l":[]`, true},
		{5, `"l":["","",""]`, true},
		{4, `"l":["1.2.3","x"]`, false},
		{5, `"l":["9.9.9","x"]`, false},
		{5, `"l":[" "]`, false},
		{4, `"l":[" 1.2.3 "]`, true},
		{4, `"l":["1.2.3+other.build"]`, true},
		{6, `"s":"x"`, false},
		{9, `"s":"x"`, false},
		{9, `"s":" 1.2.3 "`, true},
		{8, `"s":"1.2.3-rc.1"`, true},
	} {
		if got := meetsCondition(t, test.comparator, test.operand, "1.2.3+build"); got != test.want {
			t.Errorf("comparator %d, %s: %v", test.comparator, test.operand, got)
		}
	}
}

// S32: a string may be a JSON array of strings.
func TestJSONArrayStrings(t *testing.T) {
	for _, test := range []struct {
		attribute any
		want      bool
	}{
		{`["a","x"]`, true},
		{" [ \"x\" ] ", true},
		{`["\u0078"]`, true},
		{[]any{"x"}, true},
		{[]string{" x "}, false},
		{`[" x "]`, false},
		{`["x",null]`, false},
		{`["x",1]`, false},
		{`[["x"]]`, false},
		{`["x"`, false},
		{`["x"] y`, false},
		{`{"x":"x"}`, false},
		{`null`, false},
		{`x`, false},
		{[]any{"x", 1}, false},
		{5, false},
	} {
		if got := meetsCondition(t, 34, `"l":["x","z"]`, test.attribute); got != test.want {
			t.Errorf("%v: %v", test.attribute, got)
		}
	}
}

// Strings longer than the stack buffer have the same hashes.
func TestLongStringsAreHashed(t *testing.T) {
	for _, length := range []int{1, 240, 247, 248, 249, 250, 255, 256, 257, 1000, 100_000} {
		text := strings.Repeat("x", length)
		operand := fmt.Sprintf(`"s":"%x"`, sha256.Sum256([]byte(text+"saltflag")))
		if !meetsCondition(t, 20, operand, text) || meetsCondition(t, 20, operand, text+"x") {
			t.Errorf("text of %d bytes", length)
		}
	}
}
