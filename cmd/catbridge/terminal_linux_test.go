package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// openTerminal returns the two ends of a terminal of 80 × 50 characters.
func openTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		missing.Skip(t, "pseudo-terminals are missing here (mount /dev/pts): %v", err)
	}
	t.Cleanup(func() { user.Close() })
	var number int
	// Fd would set blocking mode, in which closing does not end a read.
	raw, err := user.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	errControl := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
			return
		}
		if number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err != nil {
			return
		}
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 80})
	})
	if err := errors.Join(err, errControl); err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return user, program
}

// onTerminal is a command that runs in this process, on a terminal.
type onTerminal struct {
	user, program *os.File
	shown         *transcript
	before        *term.State
	cancel        context.CancelFunc
	code          chan int
}

func startOnTerminal(t *testing.T, args ...string) *onTerminal {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	s := &onTerminal{shown: newTranscript(), code: make(chan int, 1)}
	s.user, s.program = openTerminal(t)
	var err error
	if s.before, err = term.GetState(int(s.program.Fd())); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := s.user.Read(buffer)
			s.shown.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	go func() { s.code <- run(ctx, args, s.program, s.program, s.program) }()
	t.Cleanup(func() {
		cancel()
		s.user.Close() // as when a window is closed: both readers end
		<-read
	})
	return s
}

func (s *onTerminal) press(t *testing.T, key string) {
	t.Helper()
	if _, err := s.user.WriteString(key); err != nil {
		t.Fatal(err)
	}
}

// end waits for the command's end, which must leave the terminal as it was.
func (s *onTerminal) end(t *testing.T) {
	t.Helper()
	if code := <-s.code; code != exitOK {
		t.Errorf("exit code %d, want 0", code)
	}
	after, err := term.GetState(int(s.program.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s.before, after) {
		t.Error("the terminal is not as it was before")
	}
}

func TestTheDemoTakesKeysOnATerminal(t *testing.T) {
	s := startOnTerminal(t, "demo", "--leaders", "1", "--log-level", "info")
	s.shown.expect(t, `\x1b\[1mflag +ann `)
	s.shown.expect(t, `Press .*k: kill the leader`)
	s.shown.expect(t, `leader-1 leads · followers: 3 live · k: kill the leader, f: force a flag, t: v…`)
	s.press(t, "k")
	s.shown.expect(t, `\x1b\[31mleader-1 was killed`)
	s.shown.expect(t, `no leader · followers: 3 live · k: revive leader-1`)
	s.press(t, "k")
	s.shown.expect(t, `leader-1 is back`)
	s.press(t, "?")
	s.shown.expect(t, `What to try next`)
	s.press(t, "q")
	s.end(t)
	if bad := regexp.MustCompile(`[^\r]\n`).FindString(s.shown.String()); bad != "" {
		t.Errorf("a line does not begin at the left: %q", bad)
	}
	// The libraries' log goes through the same screen.
	s.shown.expect(t, `$`)
	if !regexp.MustCompile(`INF.* leading`).MatchString(s.shown.String()) {
		t.Error("the log is not shown")
	}
}

// The first output of the demo fits a window of 80 × 30 characters.
func TestTheDemoStartsWithOneScreen(t *testing.T) {
	s := startOnTerminal(t, "demo")
	s.shown.expect(t, `f: force a flag, t: v…`)
	first := s.shown.String()
	s.press(t, "q")
	s.end(t)
	first, _, _ = strings.Cut(first, "leads · ")
	plain := regexp.MustCompile(`\x1b\[[0-9]*[mK]|\r`).ReplaceAllString(first, "")
	lines := strings.Split(plain, "\n")
	if len(lines) > 30 {
		t.Errorf("%d lines:\n%s", len(lines), plain)
	}
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > 80 && !strings.Contains(line, "/") { // paths and addresses may be longer
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

// NO_COLOR turns colours off on terminals, too.
func TestColoursAreWrittenOnlyToTerminals(t *testing.T) {
	server := redistest.Start(t)
	args := []string{"status", "--sdk-key", "main=" + testKey, "--redis", server.URL()}
	s := startOnTerminal(t, args...)
	s.shown.expect(t, `\x1b\[31m✗\x1b\[0m main: no leader`)
	if code := <-s.code; code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	plain := startSession(t, args...)
	plain.end(t, exitFailure)
	if strings.Contains(plain.out.String(), "\x1b") {
		t.Errorf("colours where there is no terminal: %q", plain.out)
	}
	t.Setenv("NO_COLOR", "1")
	user, program := openTerminal(t)
	shown := newTranscript()
	go func() { _, _ = io.Copy(shown, user) }()
	run(t.Context(), args, program, program, program)
	shown.expect(t, `✗ main: no leader`)
	if strings.Contains(shown.String(), "\x1b") {
		t.Errorf("colours in spite of NO_COLOR: %q", shown)
	}
}

func TestTheTerminalIsRestoredWhateverEndsTheDemo(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, key := range map[string]string{"Ctrl-C": "\x03", "Ctrl-D": "\x04", "signal": ""} {
		t.Run(name, func(t *testing.T) {
			s := startOnTerminal(t, "demo")
			s.shown.expect(t, `f: force a flag, t: v…`)
			during, err := term.GetState(int(s.program.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			if reflect.DeepEqual(s.before, during) {
				t.Error("the terminal is not in raw mode")
			}
			if key == "" {
				s.cancel()
			} else {
				s.press(t, key)
			}
			s.end(t)
		})
	}
}
