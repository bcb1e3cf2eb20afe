package httpd

import "syscall"

// restrict makes a Unix socket that is not bound yet one that only its user and group can use:
// Linux gives the mode of the socket to its file.
func restrict(_, _ string, socket syscall.RawConn) error {
	var err error
	if control := socket.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), socketMode) }); control != nil {
		return control
	}
	return err
}
