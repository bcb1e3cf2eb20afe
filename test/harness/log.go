package harness

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// errorHandler is a slog.Handler that records the errors in a [LoggedErrors].
type errorHandler struct {
	slog.Handler
	errors *LoggedErrors
}

// LoggedErrors are the errors that were logged.
type LoggedErrors struct {
	mu     sync.Mutex
	errors []string
}

func (h errorHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		h.errors.mu.Lock()
		h.errors.errors = append(h.errors.errors, text)
		h.errors.mu.Unlock()
	}
	return h.Handler.Handle(ctx, r)
}

func (h errorHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorHandler{h.Handler.WithAttrs(attrs), h.errors}
}

func (h errorHandler) WithGroup(name string) slog.Handler {
	return errorHandler{h.Handler.WithGroup(name), h.errors}
}

// RecordLeaderErrors returns the errors that leaders log which start from now on.
func (env *Environment) RecordLeaderErrors() *LoggedErrors { return recordErrors(&env.LeaderLog) }

// RecordFollowerErrors returns the errors that followers log which start from now on.
func (env *Environment) RecordFollowerErrors() *LoggedErrors { return recordErrors(&env.FollowerLog) }

// recordErrors replaces a logger by one that records the errors, too.
func recordErrors(logger **slog.Logger) *LoggedErrors {
	l := &LoggedErrors{}
	*logger = slog.New(errorHandler{(*logger).Handler(), l})
	return l
}

// Contains reports whether an error with that part was logged since the last call of Forget.
func (l *LoggedErrors) Contains(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range l.errors {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// String returns the errors, one a line.
func (l *LoggedErrors) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.errors, "\n")
}

// Forget discards the errors that were logged so far.
func (l *LoggedErrors) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = nil
}

// NewLog returns a logger that writes to out, and fails the test if the SDK key is in a line
// (I13).
func NewLog(t *testing.T, out io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(&secretGuard{t, out}, &slog.HandlerOptions{Level: level}))
}

// secretGuard writes to out, and fails the test if the SDK key is in what is written.
type secretGuard struct {
	t   *testing.T
	out io.Writer
}

func (g *secretGuard) Write(line []byte) (int, error) {
	g.check(line)
	return g.out.Write(line)
}

func (g *secretGuard) check(line []byte) {
	if HasSecret(line) {
		g.t.Errorf("the SDK key stands in a log line: %s", line)
	}
}

// HasSecret reports whether text contains a secret part of the SDK key.
func HasSecret(text []byte) bool {
	for part := range bytes.SplitSeq([]byte(SDKKey), []byte("/")) {
		if bytes.Contains(text, part) && string(part) != "configcat-sdk-1" {
			return true
		}
	}
	return false
}
