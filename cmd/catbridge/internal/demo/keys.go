package demo

import (
	"bufio"
	"context"
	"io"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// Keys that a terminal in raw mode sends instead of signals.
const (
	ctrlC         = 3
	ctrlD         = 4
	ctrlBackslash = 28
)

// readKeys sends each key, or in line mode the first letter of each line. It returns at the end
// of its input; for a terminal, that is the end of the process.
func readKeys(ctx context.Context, in io.Reader, raw bool, keys chan<- rune) {
	send := func(key rune) bool {
		select {
		case keys <- key:
			return true
		case <-ctx.Done():
			return false
		}
	}
	reader := bufio.NewReader(in)
	for {
		if raw {
			key, _, err := reader.ReadRune()
			if err != nil || !send(key) {
				return
			}
			continue
		}
		line, err := reader.ReadString('\n')
		for _, key := range strings.ToLower(strings.TrimSpace(line)) {
			if !send(key) {
				return
			}
			break
		}
		if err != nil {
			return
		}
	}
}

// takeKeys starts to read commands, and puts a terminal into raw mode.
func (d *demo) takeKeys() (restore func()) {
	restore = func() {}
	raw := false
	if d.screen.terminal && terminal.Is(d.o.In) {
		if undo, err := terminal.Raw(d.o.In); err == nil {
			raw = true
			d.screen.setRaw(true)
			restore = func() {
				d.screen.setRaw(false)
				undo()
			}
		}
	}
	d.keys = raw
	d.pressed = make(chan rune)
	go readKeys(d.ctx, d.o.In, raw, d.pressed)
	return restore
}

// press runs the command of a key, and reports whether the demo continues.
func (d *demo) press(key rune) bool {
	switch key {
	case 'k', 'K':
		d.killOrRevive()
	case 'f', 'F':
		d.forceOrWithdraw()
	case 'v', 'V':
		d.versions()
	case 't', 'T':
		d.table()
	case 's', 'S':
		d.script()
	case 'h', 'H', '?':
		d.guide()
	case 'q', 'Q', ctrlC, ctrlD, ctrlBackslash:
		return false
	default:
		if !d.keys {
			d.screen.event("unknown command: type f, v, k, t, s, h or q")
		}
	}
	return true
}
