// Package mounts runs tests that mount file systems.
package mounts

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// variable is set in the process that runs a test in a namespace.
const variable = "CATBRIDGE_TEST_MOUNTS"

// Private reports whether the test runs in a process with its own mount namespace, whose
// mounts end with the process. If not, Private runs the test in a new process, with its
// result, and the caller returns. If the kernel does not permit it, which no installation
// would change, the test is skipped.
func Private(t *testing.T) bool {
	t.Helper()
	if os.Getenv(variable) == t.Name() {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), variable+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		t.Skipf("a mount namespace cannot be made: run the test as root, where that is allowed (%v)", err)
	}
	if err != nil {
		t.Fatalf("in a mount namespace: %v\n%s", err, out)
	}
	return false
}

// Bind makes file another name of the file at target, as containers mount single files.
func Bind(t *testing.T, target, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mount(t, target, file, "", unix.MS_BIND, "")
}

// Small mounts a file system of a few pages at a folder.
func Small(t *testing.T, folder string) { mount(t, "small", folder, "tmpfs", 0, "size=16k") }

func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		t.Skipf("a file system cannot be mounted: run the test as root, where that is allowed (%v)", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
