package watchfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/internal/testenv/missing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// layout is a folder with files, one of which is watched.
type layout struct {
	*testing.T
	folder string
}

func (l layout) in(name string) string { return filepath.Join(l.folder, name) }

func (l layout) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// write writes a file in place, and creates its folders.
func (l layout) write(name, text string) {
	l.Helper()
	l.must(os.MkdirAll(filepath.Dir(l.in(name)), 0o700))
	l.must(os.WriteFile(l.in(name), []byte(text), 0o600))
}

// replace replaces a file with a new one.
func (l layout) replace(name, text string) {
	l.Helper()
	l.write(name+".new", text)
	l.must(os.Rename(l.in(name+".new"), l.in(name)))
}

// link creates or moves a link.
func (l layout) link(target, name string) {
	l.Helper()
	l.must(os.Symlink(target, l.in(name)+".new"))
	l.must(os.Rename(l.in(name)+".new", l.in(name)))
}

// changes are the ways in which a file at path in a folder can change.
var changes = map[string]struct {
	path    string
	prepare func(layout)
	steps   []func(layout)
	looked  bool // there is no notification of it
}{
	"written in place": {
		path:    "file",
		prepare: func(l layout) { l.write("file", "one") },
		steps:   []func(layout){func(l layout) { l.write("file", "three") }, func(l layout) { l.write("file", "") }},
	},
	"replaced": {
		path:    "file",
		prepare: func(l layout) { l.write("file", "one") },
		steps:   []func(layout){func(l layout) { l.replace("file", "two") }, func(l layout) { l.replace("file", "six") }},
	},
	"replaced by one of the same size and time": {
		path:    "file",
		prepare: func(l layout) { l.write("file", "one") },
		steps: []func(layout){func(l layout) {
			info, err := os.Stat(l.in("file"))
			l.must(err)
			l.write("other", "two")
			l.must(os.Chtimes(l.in("other"), info.ModTime(), info.ModTime()))
			l.must(os.Rename(l.in("other"), l.in("file")))
		}},
	},
	"removed and there again": {
		path:    "file",
		prepare: func(l layout) { l.write("file", "one") },
		steps:   []func(layout){func(l layout) { l.must(os.Remove(l.in("file"))) }, func(l layout) { l.write("file", "two") }},
	},
	"removed with its folder and there again": {
		path:    "folder/file",
		prepare: func(l layout) { l.write("folder/file", "one") },
		steps: []func(layout){
			func(l layout) { l.must(os.RemoveAll(l.in("folder"))) },
			func(l layout) { l.write("folder/file", "two") },
			func(l layout) { l.write("folder/file", "three") },
		},
		looked: true,
	},
	"with a folder that comes later": {
		path:    "a/b/file",
		prepare: func(layout) {},
		steps:   []func(layout){func(l layout) { l.write("a/b/file", "one") }},
		looked:  true,
	},
	"a folder that is replaced": {
		path:    "folder/file",
		prepare: func(l layout) { l.write("folder/file", "one"); l.write("next/file", "two") },
		steps: []func(layout){
			func(l layout) {
				l.must(os.Rename(l.in("folder"), l.in("former")))
				l.must(os.Rename(l.in("next"), l.in("folder")))
			},
			func(l layout) { l.write("folder/file", "three") },
		},
		looked: true,
	},
	// As in a Kubernetes ConfigMap mount.
	"a link beside it that moves": {
		path: "file",
		prepare: func(l layout) {
			l.write("..1/file", "one")
			l.write("..2/file", "two")
			l.link("..1", "..data")
			l.link("..data/file", "file")
		},
		steps: []func(layout){
			func(l layout) { l.link("..2", "..data"); l.must(os.RemoveAll(l.in("..1"))) },
			func(l layout) { l.write("..3/file", "two"); l.link("..3", "..data") },
		},
	},
	"a link to its folder that moves": {
		path: "current/file",
		prepare: func(l layout) {
			l.write("releases/1/file", "one")
			l.write("releases/2/file", "two")
			l.link("releases/1", "current")
		},
		steps: []func(layout){
			func(l layout) { l.link("releases/2", "current") },
			func(l layout) { l.write("releases/2/file", "three") },
		},
		looked: true,
	},
	"the target of a link in another folder": {
		path: "app/file",
		prepare: func(l layout) {
			l.write("shared/file", "one")
			l.write("app/x", "")
			l.link("../shared/file", "app/file")
		},
		steps: []func(layout){
			func(l layout) { l.write("shared/file", "three") },
			func(l layout) { l.replace("shared/file", "four") },
			func(l layout) { l.link("../shared/other", "app/file") }, // dangling
			func(l layout) { l.write("shared/other", "five") },
		},
		looked: true,
	},
	"rights that change": {
		path:    "file",
		prepare: func(l layout) { l.write("file", "one") },
		steps:   []func(layout){func(l layout) { l.must(os.Chmod(l.in("file"), 0)) }},
	},
}

// follow performs the steps, each after the one before was reported, and closes the watcher.
func follow(w *Watcher, l layout, steps []func(layout)) {
	defer w.Close()
	<-w.C
	for _, step := range steps {
		step(l)
		<-w.C // otherwise the test hangs
	}
}

// There are no notifications; time is virtual.
func TestRegularChecksDetectEveryChange(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := layout{t, t.TempDir()}
				change.prepare(l)
				w := start(nil, interval, []string{l.in(change.path)})
				defer w.Close()
				<-w.C
				for i, step := range change.steps {
					time.Sleep(10 * time.Second)
					select {
					case <-w.C:
						t.Fatalf("a change was reported before step %d", i+1)
					default:
					}
					step(l)
					select {
					case <-w.C:
					case <-time.After(interval + settle + time.Millisecond):
						t.Fatalf("step %d is not seen", i+1)
					}
				}
			})
		})
	}
}

// There are no regular checks.
func TestNotificationsReportChangesInTheFolder(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			if change.looked {
				return // the regular checks detect it
			}
			l := layout{t, t.TempDir()}
			change.prepare(l)
			notifier, err := fsnotify.NewWatcher()
			if err != nil {
				missing.Skip(t, "notifications of changed files are missing: raise fs.inotify.max_user_instances (%v)", err)
			}
			w := start(notifier, time.Hour, []string{l.in(change.path)})
			follow(w, l, change.steps)
		})
	}
}

// The production configuration: notifications and regular checks.
func TestEveryChangeIsReported(t *testing.T) {
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := layout{t, t.TempDir()}
			change.prepare(l)
			w := New(l.in(change.path))
			follow(w, l, change.steps)
		})
	}
}

// A file that never stays the same is reported eventually.
func TestChangeIsReportedOnceTheFileStaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := layout{t, t.TempDir()}
		l.write("file", "")
		w := start(nil, interval, []string{l.in("file")})
		defer w.Close()
		<-w.C
		began := time.Now()
		for n := 1; len(w.C) == 0; n++ {
			l.write("file", strings.Repeat("x", n))
			time.Sleep(settle / 2)
			synctest.Wait()
		}
		if took := time.Since(began); took < longest || took > interval+longest+2*settle {
			t.Errorf("a file that never stays the same is reported after %v", took)
		}
		<-w.C
		l.write("file", "the last")
		<-w.C
		time.Sleep(time.Hour)
		if len(w.C) > 0 {
			t.Error("a file that does not change is reported")
		}
	})
}

func TestWatchReplacesTheSetOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := layout{t, t.TempDir()}
		l.write("one", "")
		l.write("two", "")
		w := start(nil, interval, []string{l.in("one")})
		defer w.Close()
		<-w.C
		w.Watch(l.in("one"))
		time.Sleep(time.Minute)
		if len(w.C) > 0 {
			t.Error("the same set is reported")
		}
		w.Watch(l.in("two"))
		<-w.C // it may have changed earlier
		l.write("one", "x")
		time.Sleep(time.Minute)
		if len(w.C) > 0 {
			t.Error("a file that is not watched any more is reported")
		}
		l.write("two", "x")
		<-w.C
	})
}

func TestRelativePathUsesTheWorkingDirectoryAtTheStart(t *testing.T) {
	l := layout{t, t.TempDir()}
	l.write("file", "")
	t.Chdir(l.folder)
	w := New("file")
	defer w.Close()
	<-w.C
	t.Chdir(t.TempDir())
	l.write("file", "x")
	<-w.C // otherwise the test hangs
}

func TestCloseIsIdempotentAndEndsWatch(t *testing.T) {
	w := New()
	w.Close()
	w.Close()
	w.Watch("file")
}
