//go:build unix

// Package oddfile makes files that are not regular, for tests of each file that the product
// reads or writes.
package oddfile

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// File is an odd file.
type File struct {
	Name string // for subtests
	Path string
	Says string // a part of the error about it
}

// All makes one file of each kind, until the end of the test.
func All(t *testing.T) []File {
	t.Helper()
	folder, err := os.MkdirTemp("", "odd") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	in := func(name string) string { return filepath.Join(folder, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Mkfifo(in("fifo"), 0o600))
	socket, err := net.Listen("unix", in("socket"))
	must(err)
	t.Cleanup(func() { socket.Close() })
	must(os.Mkdir(in("folder"), 0o700))
	must(os.Symlink("fifo", in("link-fifo")))
	must(os.Symlink("folder", in("link-folder")))
	must(os.Symlink("circle", in("circle")))
	all := []File{
		{"named pipe", in("fifo"), "is a named pipe, but must be a regular file"},
		{"socket", in("socket"), "is a socket, but must be a regular file"},
		{"directory", in("folder"), "is a directory, but must be a regular file"},
		{"link to a named pipe", in("link-fifo"), "is a named pipe, but must be a regular file"},
		{"link to a directory", in("link-folder"), "is a directory, but must be a regular file"},
		{"link to itself", in("circle"), "too many"},
		{"device", device(t, in("zero")), "is a device, but must be a regular file"},
	}
	if os.Getuid() != 0 { // root may read all files
		must(os.WriteFile(in("closed"), nil, 0))
		all = append(all, File{"file without rights", in("closed"), "permission denied"})
	}
	return all
}

// device makes an endless device. If the test may not make one, it makes a link to an
// existing device, whose target an unprivileged process cannot replace.
func device(t *testing.T, path string) string {
	t.Helper()
	if unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5))) == nil {
		return path
	}
	if err := os.Symlink("/dev/zero", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Kind returns the type of the file at a path, without following links, so that a test can
// check that it did not change.
func Kind(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Type()
}
