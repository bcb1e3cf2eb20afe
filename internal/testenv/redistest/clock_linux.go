package redistest

import (
	_ "embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

//go:embed testdata/clock.c
var clockSource []byte

// Clock is the wall clock of real servers, which can be set. A small library that is preloaded
// into them adds an offset to what the kernel says.
type Clock struct {
	library string
	file    string
	offset  time.Duration
}

// NewClock builds the library. Where there is no C compiler the test ends, see [missing.Skip].
func NewClock(t testing.TB) *Clock {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		missing.Skip(t, "cc is missing, with which the library is built that sets a server's clock: install the Debian package gcc (%v)", err)
	}
	dir := t.TempDir()
	c := &Clock{library: filepath.Join(dir, "clock.so"), file: filepath.Join(dir, "offset")}
	source := filepath.Join(dir, "clock.c")
	if err := os.WriteFile(source, clockSource, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(compiler, "-O1", "-shared", "-fPIC", "-o", c.library, source).CombinedOutput(); err != nil {
		t.Fatalf("redistest: %v\n%s", err, out)
	}
	c.Set(t, 0)
	return c
}

// Set sets the clock ahead of the machine's, or back if offset is negative.
func (c *Clock) Set(t testing.TB, offset time.Duration) {
	t.Helper()
	c.offset = offset
	// Written in place: servers have the file mapped.
	f, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(offset.Microseconds())), 0); err != nil {
		t.Fatal(err)
	}
}

// Step moves the clock by that much.
func (c *Clock) Step(t testing.TB, by time.Duration) {
	t.Helper()
	c.Set(t, c.offset+by)
}

// environ is what a server's environment needs besides.
func (c *Clock) environ() []string {
	return []string{"LD_PRELOAD=" + c.library, "CATBRIDGE_CLOCK_OFFSET=" + c.file}
}
