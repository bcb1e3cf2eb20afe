package regularfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/mounts"
)

func TestFullDiskKeepsOnlyTheOldContent(t *testing.T) {
	if !mounts.Private(t) {
		return
	}
	folder := t.TempDir()
	mounts.Small(t, folder)
	path := filepath.Join(folder, "file")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, make([]byte, 1<<16)); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want no space left on %s", err, path)
	}
	wantContent(t, path, "old")
	wantEntries(t, folder, 1)
	if err := Write(path, []byte("new")); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "new")
}

func TestFileMountedAloneCannotBeReplaced(t *testing.T) {
	if !mounts.Private(t) {
		return
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	mounts.Bind(t, write(t, filepath.Join(t.TempDir(), "outside"), "old"), path)
	err := Write(path, []byte("new"))
	if !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), "mount its folder") {
		t.Error(err)
	}
	wantContent(t, path, "old")
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	wantEntries(t, folder, 1)
}
