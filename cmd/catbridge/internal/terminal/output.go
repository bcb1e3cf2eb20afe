package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Output writes the output of the commands, and the log. It writes unprintable characters
// other than line feed and tab as escapes of a Go string (\x1b), so text cannot control the
// terminal. Colours come from [Paint], and are written only to a terminal that supports them.
//
// It is safe for concurrent use; each Write is written in one piece.
type Output struct {
	w        io.Writer
	terminal bool
	color    bool

	mu   sync.Mutex
	rest []byte // the start of a character whose end is not yet written
}

// NewOutput returns an Output that writes to w, or w itself if it is one.
func NewOutput(w io.Writer) *Output {
	if o, ok := w.(*Output); ok {
		return o
	}
	is := Is(w)
	return &Output{w: w, terminal: is, color: is && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// Terminal reports whether the output is shown on a terminal.
func (o *Output) Terminal() bool { return o.terminal }

// Write writes text, or JSON from the encoder of [Output.JSON].
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data := append(o.rest, p...)
	whole := len(data) - partial(data)
	o.rest = append([]byte(nil), data[whole:]...)
	if _, err := o.w.Write([]byte(o.Render(string(data[:whole])))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// partial returns the number of bytes at the end that may be the start of a character.
func partial(data []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if b := data[len(data)-n:]; utf8.RuneStart(b[0]) {
			if utf8.FullRune(b) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Linef writes one line. The arguments cannot break it, see [Sprintf].
func (o *Output) Linef(format string, args ...any) error {
	_, err := io.WriteString(o, string(Sprintf(format, args...))+"\n")
	return err
}

// Exact writes data unchanged, or as Write does on a terminal.
func (o *Output) Exact(data []byte) error {
	if o.terminal {
		_, err := o.Write(data)
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.w.Write(data)
	return err
}

// Control writes the caller's own control sequences unchanged.
func (o *Output) Control(sequences string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := io.WriteString(o.w, sequences)
	return err
}

// Render returns text as Write writes it: cleaned except for line feeds and tabs, and with
// colours if the terminal supports them.
func (o *Output) Render(text string) string {
	return clean(text, func(b *strings.Builder, r rune) bool {
		if r == '\n' || r == '\t' {
			b.WriteRune(r)
			return true
		}
		style := Style(r)
		if style < noStyle || style > lastStyle {
			return false
		}
		if o.color {
			b.WriteString("\x1b[" + codes[style-noStyle] + "m")
		}
		return true
	})
}

// JSON returns an encoder that writes each value on a line. It writes unprintable characters
// as JSON escapes, such as \u009b.
func (o *Output) JSON() *json.Encoder { return NewJSON(o) }

// NewJSON is like [Output.JSON], for a buffer in front of the Output.
func NewJSON(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(jsonWriter{w})
	encoder.SetEscapeHTML(false)
	return encoder
}

type jsonWriter struct{ w io.Writer }

// NewJSONWriter returns a writer of JSON to w that writes unprintable characters as escapes.
// Each Write must consist of whole characters.
func NewJSONWriter(w io.Writer) io.Writer { return jsonWriter{w} }

func (j jsonWriter) Write(p []byte) (int, error) {
	text := clean(string(p), func(b *strings.Builder, r rune) bool {
		switch {
		case r == '\n' || r == '\t' || r == '\r': // between values
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
		return true
	})
	if _, err := io.WriteString(j.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Clean returns untrusted text for one line of output: unprintable characters become escapes
// of a Go string, such as \n, \x1b and \u202e.
func Clean(s string) string {
	return clean(s, func(*strings.Builder, rune) bool { return false })
}

// clean replaces unprintable characters, unless instead wrote a replacement and returned true.
func clean(s string, instead func(*strings.Builder, rune) bool) string {
	first := strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
	if first < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:first])
	for rest := s[first:]; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case !instead(&b, r):
			b.WriteString(escaped(r))
		}
		rest = rest[size:]
	}
	return b.String()
}

func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
