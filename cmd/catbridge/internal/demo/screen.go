package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// screen prints lines, and on a terminal a status line below them. All methods are
// safe for concurrent use.
type screen struct {
	out      io.Writer
	terminal bool
	color    bool
	width    int
	now      func() time.Time

	mu     sync.Mutex
	raw    bool // line breaks need a carriage return
	status string
}

const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint colours a text where that is wanted.
func (s *screen) paint(color, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// text prints lines as they are.
func (s *screen) text(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(strings.Join(lines, "\n"))
}

// event prints a line with the time, and details below it.
func (s *screen) event(line string, details ...string) {
	stamp := s.now().Format("15:04:05.000")
	lines := []string{s.paint(faint, stamp) + "  " + line}
	for _, d := range details {
		lines = append(lines, strings.Repeat(" ", len(stamp)+2)+d)
	}
	s.text(lines...)
}

func (s *screen) eventf(format string, args ...any) { s.event(fmt.Sprintf(format, args...)) }

// setStatus changes the status line. Where there is no terminal there is none.
func (s *screen) setStatus(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal || status == s.status {
		return
	}
	s.status = status
	s.writeStatus("\r\x1b[K")
}

// setRaw says whether the terminal is in raw mode.
func (s *screen) setRaw(raw bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = raw
}

// print puts text above the status line. Called with the lock held.
func (s *screen) print(text string) {
	lineBreak, before := "\n", ""
	if s.raw {
		lineBreak = "\r\n"
	}
	if s.terminal && s.status != "" {
		before = "\r\x1b[K"
	}
	text = strings.ReplaceAll(text, "\n", lineBreak) + lineBreak
	if s.terminal {
		s.writeStatus(before + text)
		return
	}
	_, _ = io.WriteString(s.out, text)
}

// writeStatus writes text, and then the status line in one piece.
func (s *screen) writeStatus(text string) {
	if s.status != "" {
		text += s.paint(faint, clip(s.status, s.width-1))
	}
	_, _ = io.WriteString(s.out, text)
}

// output ends the demo once nobody reads it any more.
type output struct {
	io.Writer
	end func()
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil {
		o.end()
	}
	return n, err
}

// Write lets a logger print its lines above the status line.
func (s *screen) Write(p []byte) (int, error) {
	s.text(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// clip shortens a text to at most width characters, and marks that.
func clip(text string, width int) string {
	if width < 1 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// pad fills a text up with blanks.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// duration prints a time that something took, as exact as a reader can use.
func duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// count says how many of something there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
