package watchfile

import (
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/mounts"
)

// The test writes to the file under its name outside the mount.
func TestChangeOfAFileMountedAloneIsReported(t *testing.T) {
	if !mounts.Private(t) {
		return
	}
	l := layout{t, t.TempDir()}
	l.write("host/file", "one")
	l.write("container/other", "")
	mounts.Bind(t, l.in("host/file"), l.in("container/file"))
	w := New(l.in("container/file"))
	defer w.Close()
	<-w.C
	l.write("host/file", "three")
	<-w.C // otherwise the test hangs
}
