// Package watchfile watches files for changes. It is the one way in which the product does
// so.
//
// Notifications of the file system tell of most changes at once, but not of all: none comes
// when a link to a folder is moved, when a file that is mounted alone is written, or from
// another machine's side of a network file system. A process may also have no notification
// left to ask for. Hence each file is looked at every second besides: its inode, size,
// mode and time of modification, through all links (S65).
package watchfile

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// interval is the time between two looks at the files.
	interval = time.Second
	// settle is how long files must stay the same before a change is reported, since most
	// editors write a file in several steps. It is longer than the clock of any common file
	// system takes to advance, so that a later change has another time of modification.
	settle = 100 * time.Millisecond
	// longest bounds the delay of a report about a file that changes all the time.
	longest = time.Second
)

// Watcher watches files. Its methods are safe for concurrent use.
type Watcher struct {
	// C receives a value once after the start, whenever the set of files gets a new one, and
	// after each change of a file: one that is written, replaced, removed or there again,
	// or that a moved link leads to. Each comes once the files stay the same for 0.1 s, or
	// after 1 s though they do not. C holds at most one value, so several changes may come
	// as one. The receiver then reads the files; their content may be the same as before.
	C <-chan struct{}

	changed chan struct{} // C, of capacity 1
	paths   chan []string
	again   chan struct{} // of capacity 1
	cancel  context.CancelFunc
	done    chan struct{}
}

// New watches the files at paths, which need not be there. A relative path counts from the
// present working directory. The caller must call Close.
func New(paths ...string) *Watcher {
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		notifier = nil // the looks remain
	}
	return start(notifier, interval, paths)
}

// start watches without notifications if notifier is nil.
func start(notifier *fsnotify.Watcher, interval time.Duration, paths []string) *Watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{changed: make(chan struct{}, 1), paths: make(chan []string), again: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	w.C = w.changed
	l := &loop{notifier: notifier, interval: interval, files: map[string]state{}, folders: map[string]os.FileInfo{}, report: w.report}
	l.watch(absolute(paths))
	go func() {
		defer close(w.done)
		l.run(ctx, w.paths, w.again)
	}()
	return w
}

// Watch replaces the set of files. After Close it has no effect.
func (w *Watcher) Watch(paths ...string) {
	select {
	case w.paths <- absolute(paths):
	case <-w.done:
	}
}

// Retry has C receive a value with the next look, within a second, even if no file changes: for
// a receiver that could not read them, which a later try may. After Close it has no effect.
func (w *Watcher) Retry() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// Close ends the watch and waits for that. Nothing is sent to C afterwards. Close is
// idempotent.
func (w *Watcher) Close() {
	w.cancel()
	<-w.done
}

func (w *Watcher) report() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func absolute(paths []string) []string {
	paths = slices.Clone(paths)
	for i, path := range paths {
		if full, err := filepath.Abs(path); err == nil {
			paths[i] = full
		}
	}
	return paths
}
