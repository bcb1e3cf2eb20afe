package demo

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// screen prints lines, and on a terminal a status line below them. Its methods are safe for
// concurrent use.
type screen struct {
	out      *terminal.Output
	end      func() // called if writing fails; may be nil
	terminal bool
	width    int
	now      func() time.Time

	mu     sync.Mutex
	raw    bool // line breaks need a carriage return
	status string
}

// text prints lines. Callers clean untrusted text with [terminal.Sprintf].
func (s *screen) text(lines ...terminal.Styled) {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(string(line) + "\n")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(text.String())
}

func (s *screen) event(line terminal.Styled, details ...terminal.Styled) {
	stamp := s.now().Format("15:04:05.000")
	lines := []terminal.Styled{terminal.Sprintf("%s  %s", terminal.Paint(terminal.Faint, stamp), line)}
	for _, d := range details {
		lines = append(lines, terminal.Sprintf("%*s%s", len(stamp)+2, "", d))
	}
	s.text(lines...)
}

func (s *screen) eventf(format string, args ...any) { s.event(terminal.Sprintf(format, args...)) }

// setStatus does nothing without a terminal.
func (s *screen) setStatus(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal || status == s.status {
		return
	}
	s.status = status
	s.writeStatus("\r\x1b[K")
}

func (s *screen) setRaw(raw bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = raw
}

// print prints above the status line. The caller must hold the lock.
func (s *screen) print(text string) {
	lineBreak, before := "\n", ""
	if s.raw {
		lineBreak = "\r\n"
	}
	if s.terminal && s.status != "" {
		before = "\r\x1b[K"
	}
	text = strings.ReplaceAll(s.out.Render(text), "\n", lineBreak)
	if s.terminal {
		s.writeStatus(before + text)
		return
	}
	s.put(text)
}

// writeStatus writes text and the status line in one write.
func (s *screen) writeStatus(text string) {
	if s.status != "" {
		text += s.out.Render(string(terminal.Paint(terminal.Faint, clip(s.status, s.width-1))))
	}
	s.put(text)
}

// put writes rendered text. If that fails, the output is no longer read, and the demo ends.
func (s *screen) put(rendered string) {
	if err := s.out.Control(rendered); err != nil && s.end != nil {
		s.end()
	}
}

// Write prints the lines of a logger above the status line.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(string(p))
	return len(p), nil
}

// clip shortens text to at most width characters, the last of which is then an ellipsis.
func clip(text string, width int) string {
	if width < 1 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

func duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// count returns a number with its noun, such as "3 followers".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
