//go:build unix

package regularfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/oddfile"
)

// Reading and writing such files must not block, and must not replace them.
func TestIrregularFilesAreRejected(t *testing.T) {
	for _, odd := range oddfile.All(t) {
		t.Run(odd.Name, func(t *testing.T) {
			kind := oddfile.Kind(t, odd.Path)
			if _, err := Read(odd.Path, 100); err == nil || !strings.Contains(err.Error(), odd.Says) || !strings.Contains(err.Error(), odd.Path) {
				t.Errorf("read: %v, want %q", err, odd.Says)
			}
			if odd.Name == "file without rights" {
				return // the folder's owner may replace it
			}
			if err := Write(odd.Path, []byte("x")); err == nil || !strings.Contains(err.Error(), odd.Says) || !strings.Contains(err.Error(), odd.Path) {
				t.Errorf("write: %v, want %q", err, odd.Says)
			}
			if now := oddfile.Kind(t, odd.Path); now != kind {
				t.Errorf("it was %v and is %v", kind, now)
			}
		})
	}
}

func TestReadStreamReadsAPipeToItsEndOrItsContexts(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if !IsPipe(path) {
		missing.Skip(t, "/dev/fd is missing: mount /proc, and let /dev/fd be a link to /proc/self/fd")
	}
	fmt.Fprint(w, "\ufefftext")
	errStop := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	if _, err := ReadStream(ctx, path, 100); !errors.Is(err, errStop) {
		t.Errorf("a pipe that does not end: %v", err)
	}
	fmt.Fprint(w, "\ufefftext")
	w.Close()
	if data, err := ReadStream(t.Context(), path, 100); err != nil || string(data) != "text" && string(data) != "text\ufefftext" {
		t.Errorf("%q, %v", data, err)
	}

	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadStream(t.Context(), fifo, 100); err != nil || len(data) > 0 {
		t.Errorf("a pipe that nobody writes to: %q, %v", data, err)
	}
}
