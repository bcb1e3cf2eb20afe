package httpd

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// At no time can others connect to a Unix socket.
func TestASocketIsRestrictedFromItsStart(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := bindUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("without a umask the mode is %v, %v", info.Mode(), err)
	}
}
