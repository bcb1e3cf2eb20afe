// Package terminal detects terminals, reads single keys from them, and writes untrusted text
// to them safely.
package terminal

import (
	"os"

	"golang.org/x/term"
)

// Is reports whether a reader or writer is a terminal.
func Is(file any) bool {
	is := false
	control(file, func(fd int) { is = term.IsTerminal(fd) })
	return is
}

// Width returns the width of a terminal in characters, or 0 if file is not a terminal.
func Width(file any) int {
	width := 0
	control(file, func(fd int) {
		if w, _, err := term.GetSize(fd); err == nil {
			width = w
		}
	})
	return width
}

// control calls f with the file's descriptor, if it has one. Unlike os.File.Fd, it does not
// change the file's mode.
func control(file any, f func(fd int)) {
	if o, ok := file.(*Output); ok {
		file = o.w
	}
	if file, ok := file.(*os.File); ok {
		if raw, err := file.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { f(int(fd)) })
		}
	}
}

// Raw puts a terminal into raw mode: keys arrive as they are pressed, without echo and
// without signals. Ctrl-C is the key 3. Calling restore undoes it.
func Raw(file any) (restore func(), err error) {
	err = os.ErrInvalid
	var state *term.State
	control(file, func(fd int) { state, err = term.MakeRaw(fd) })
	if err != nil {
		return nil, err
	}
	return func() { control(file, func(fd int) { _ = term.Restore(fd, state) }) }, nil
}
