package httpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// Listen listens on a TCP address, host:port or :port. Its errors say what is wrong and what to
// do.
func Listen(addr string) (net.Listener, error) {
	if err := CheckAddr(addr); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %s: %w", addr, advice(err), err)
	}
	return listener, nil
}

// listenUnix listens on a Unix socket, which the user and the group of the process may use. It
// replaces a socket that a killed process left.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("cannot listen on %q: another file is there; remove it, or choose another path", path)
		}
		conn, err := net.Dial("unix", path)
		if err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("cannot listen on %q: another process listens there; stop it, or choose another path", path)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) { // such as a socket of another type, or a busy process
			return nil, fmt.Errorf("cannot listen on %q: another process may listen there; stop it, or choose another path: %w", path, err)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("cannot listen on %q: the socket of an earlier process cannot be removed: %w", path, err)
		}
	}
	listener, err := bindUnix(path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", path, err)
	}
	if err := os.Chmod(path, socketMode); err != nil { // the umask may have removed the rights of the group
		_ = listener.Close()
		return nil, fmt.Errorf("cannot listen on %q: %w", path, err)
	}
	return listener, nil
}

// socketMode is the mode of a Unix socket.
const socketMode = 0o660

// bindUnix listens on a Unix socket with at most the rights of socketMode, whatever the umask: who
// connects before a later change of the mode stays connected.
func bindUnix(path string) (net.Listener, error) {
	config := net.ListenConfig{Control: restrict}
	return config.Listen(context.Background(), "unix", path)
}

// CheckAddr returns an error if addr does not have the form of an address to listen on.
func CheckAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("the address %q to listen on is not host:port, such as :8080 or 127.0.0.1:8080", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("the address %q to listen on has no port from 0 to 65535", addr)
	}
	return nil
}

func advice(err error) string {
	_, unknownHost := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another process listens there; stop it, or choose another port"
	case errors.Is(err, syscall.EACCES):
		return "this process has no permission; choose a port above 1023"
	case errors.Is(err, syscall.EADDRNOTAVAIL) || unknownHost:
		return "this machine does not have this address; omit the host to listen on all addresses"
	default:
		return "the address cannot be used"
	}
}
