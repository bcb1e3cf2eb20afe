// Package watchfile watches files for changes. It is the product's only file watcher.
//
// The file system's notifications report most changes at once, but not all: there is no
// notification when a link to a folder moves, when a file that is mounted alone is
// written, or when another machine writes to a network file system. The system may also
// have no notifications left for a process. Therefore the watcher also checks every file
// once a second: its inode, size, mode and time of modification, after all links (S65).
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
	interval = time.Second
	// settle is how long files must stay the same before a change is reported, since most editors
	// write a file in several steps. It is longer than the clock resolution of common file
	// systems, so a later change has another time of modification.
	settle = 100 * time.Millisecond
	// longest bounds the delay of a report for a file that changes constantly.
	longest = time.Second
)

// Watcher watches files. Its methods are safe for concurrent use.
type Watcher struct {
	// C receives a value after the start, after the set of files gets a new one, and after each
	// change: a file is written, replaced, removed or created, or a link leads to another file.
	// The value is sent once the files stay the same for 0.1 s, or after 1 s if they do not. C
	// buffers one value, so several changes may cause only one. The receiver then reads the
	// files; their content may be unchanged.
	C <-chan struct{}

	changed chan struct{} // C, of capacity 1
	paths   chan []string
	again   chan struct{} // of capacity 1
	cancel  context.CancelFunc
	done    chan struct{}
}

// New watches the files at paths, which need not exist. A relative path is relative to the
// current working directory at the time of the call. The caller must call Close.
func New(paths ...string) *Watcher {
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		notifier = nil // the regular checks remain
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

// Recheck makes C receive a value with the next check, within a second, even if no file changes:
// for a receiver that could not read the files and wants to retry. After Close it has no effect.
func (w *Watcher) Recheck() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// Close stops the watch and waits for its goroutine. Nothing is sent to C afterwards. Close is
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
