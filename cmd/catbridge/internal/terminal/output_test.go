package terminal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// evil contains what terminals interpret: ESC, BEL, DEL, C1 as a character and as a byte, line
// breaks, bidi controls, a tag, and the characters of this package's styles.
const evil = "a\x1b[2J\a\x7f\u009b31m\x9b\r\nFORGED\t\u202e\u2066\U000e0041\ufdd2"

func clean(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			t.Fatalf("%q holds %U", text, r)
		}
	}
}

func TestALineStaysOneLineAndIsPrintable(t *testing.T) {
	var out strings.Builder
	o := terminal.NewOutput(&out)
	if err := o.Linef("%s|%v|%v|%d|%s", evil, errors.New(evil), time.Second, 7, terminal.Paint(terminal.Red, evil)); err != nil {
		t.Fatal(err)
	}
	const each = `a\x1b[2J\x07\x7f\u009b31m\x9b\r\nFORGED\t\u202e\u2066\U000e0041\ufdd2`
	if have, want := out.String(), each+"|"+each+"|1s|7|"+each+"\n"; have != want {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
}

func TestEverythingWrittenIsPrintable(t *testing.T) {
	var out strings.Builder
	o := terminal.NewOutput(&out)
	for i := range len(evil) { // characters may arrive in pieces
		if n, err := o.Write([]byte(evil[i : i+1])); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	clean(t, out.String())
	if have, want := out.String(), "a\\x1b[2J\\x07\\x7f\\u009b31m\\x9b\\r\nFORGED\t\\u202e\\u2066\\U000e0041"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
}

func TestJSONIsPrintableAndKeepsItsValue(t *testing.T) {
	var out strings.Builder
	text := strings.ToValidUTF8(evil, "") + "grüße <&> 😀"
	if err := terminal.NewOutput(&out).JSON().Encode(map[string]string{text: text}); err != nil {
		t.Fatal(err)
	}
	clean(t, out.String())
	if strings.Count(out.String(), "\n") != 1 || !strings.Contains(out.String(), "grüße <&> 😀") {
		t.Errorf("%s", out.String())
	}
	var have map[string]string
	if err := json.Unmarshal([]byte(out.String()), &have); err != nil || have[text] != text {
		t.Errorf("%v: %q", err, have)
	}
}

func FuzzOutput(f *testing.F) {
	f.Add(evil, 3)
	f.Add("\xf0\x9f\x98", 1)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var out bytes.Buffer
		o := terminal.NewOutput(&out)
		cut = min(max(cut, 0), len(text))
		for _, part := range []string{text[:cut], text[cut:], "\n"} {
			if _, err := o.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		clean(t, out.String())
		if lines := strings.Count(string(terminal.Sprintf("%s", text)), "\n"); lines > 0 {
			t.Fatalf("%q is %d lines", text, lines)
		}
		out.Reset()
		if err := o.JSON().Encode(text); err != nil {
			t.Fatal(err)
		}
		clean(t, out.String())
		var have string
		if err := json.Unmarshal(out.Bytes(), &have); err != nil || have != strings.ToValidUTF8(text, "�") && !strings.Contains(have, "�") {
			t.Fatalf("%v: %q from %q", err, have, text)
		}
	})
}
