package redistest

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// FillDisk lets the process's files grow no more, as when the disk is full. It is asked
// for once the process has begun its files.
func (p *Process) FillDisk(t testing.TB) {
	t.Helper()
	largest := int64(0)
	err := filepath.Walk(p.Dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			largest = max(largest, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	p.limitFiles(t, uint64(largest))
}

// EmptyDisk ends [Process.FillDisk].
func (p *Process) EmptyDisk(t testing.TB) {
	t.Helper()
	p.limitFiles(t, unix.RLIM_INFINITY)
}

func (p *Process) limitFiles(t testing.TB, bytes uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatalf("redistest: limit the files on port %d: %v", p.Port, err)
	}
}

func init() {
	// A write beyond the limit is to fail, as on a full disk, and not to end the process,
	// which inherits this.
	signal.Ignore(syscall.SIGXFSZ)
}
