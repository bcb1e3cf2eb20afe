package redistest

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// FillDisk stops the growth of the process's files, as when the disk is full. Call it after
// the process has created its files.
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
	// A write beyond the limit must fail, as on a full disk, instead of ending the process,
	// which inherits this setting.
	signal.Ignore(syscall.SIGXFSZ)
}
