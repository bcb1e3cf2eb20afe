//go:build unix

// Package oddfile makes what a path may lead to other than a regular file, for tests of
// each file that the product reads or writes.
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
	Says string // what the error about it must hold
}

// All makes one of each kind, for as long as the test runs.
func All(t *testing.T) []File {
	t.Helper()
	folder, err := os.MkdirTemp("", "odd") // a socket's path must be short
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
	if os.Getuid() != 0 { // root may read all
		must(os.WriteFile(in("closed"), nil, 0))
		all = append(all, File{"file without rights", in("closed"), "permission denied"})
	}
	return all
}

// device makes a device without an end. Where that is not allowed, a link does, which
// nobody without the right to make a device can replace the target of.
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

// Kind returns the type of the file at a path, a link's own, for a test to see that it
// stays what it is.
func Kind(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Type()
}
