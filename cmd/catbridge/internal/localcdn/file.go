package localcdn

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a bad version must stay as it is before it is told: most
	// editors write a file in several steps.
	settle = 150 * time.Millisecond
	// recheck is how often the file is looked at though nothing was heard: not every
	// file system tells of changes.
	recheck = 2 * time.Second
)

// File is a config file that is followed. Its methods are for one goroutine.
type File struct {
	path    string
	watcher *fsnotify.Watcher // nil: there are no notifications here
	info    os.FileInfo       // of what was read last
	current *Content
	told    string // the error that was told last
}

// Open reads a config file and begins to follow it. A file that is no config is an error.
func Open(path string) (*File, error) {
	f := &File{path: path}
	// Editors replace files, so the folder is watched. It is watched before the file
	// is read, or a change in between would go unnoticed. Without notifications the
	// regular looks suffice.
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		if watcher.Add(filepath.Dir(path)) == nil {
			f.watcher = watcher
		} else {
			watcher.Close()
		}
	}
	f.info, _ = os.Stat(path)
	var err error
	if f.current, err = read(path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Path is the file's path, as it was given.
func (f *File) Path() string { return f.path }

// Content is the last good version.
func (f *File) Content() *Content { return f.current }

// Close ends the notifications.
func (f *File) Close() {
	if f.watcher != nil {
		f.watcher.Close()
	}
}

// Follow calls changed for each new version of the file until ctx ends: with its
// content, or with an error that says why it is refused and the last good one stays. One
// that is again the last good one, after an error, is told as well.
func (f *File) Follow(ctx context.Context, changed func(*Content, error)) {
	var events chan fsnotify.Event
	var failures chan error
	if f.watcher != nil {
		events, failures = f.watcher.Events, f.watcher.Errors
	}
	ticker := time.NewTicker(recheck)
	defer ticker.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	var bad refusal
	for {
		look := true
		select {
		case <-ctx.Done():
			return
		case <-failures: // the regular looks go on
		case event := <-events:
			look = filepath.Base(event.Name) == filepath.Base(f.path) || f.changed()
		case <-again.C:
		case <-ticker.C:
			look = f.changed()
		}
		if !look {
			continue
		}
		content, err := f.look()
		switch {
		case content != nil:
			changed(content, nil)
		case err == nil:
		case !bad.same(err):
			bad = refusal{err, time.Now()}
			again.Reset(settle)
			continue
		case time.Since(bad.since) < settle:
			continue
		default:
			f.told = err.Error()
			changed(nil, err)
		}
		bad = refusal{}
	}
}

// refusal is a bad version that was not told yet.
type refusal struct {
	err   error
	since time.Time
}

func (r refusal) same(err error) bool { return r.err != nil && r.err.Error() == err.Error() }

// changed tells whether the file looks other than when it was read.
func (f *File) changed() bool {
	info, err := os.Stat(f.path)
	if err != nil || f.info == nil {
		return true
	}
	return !os.SameFile(info, f.info) || info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime())
}

// look gives the new content, or an error that was not told yet, or neither if there
// is nothing new.
func (f *File) look() (*Content, error) {
	info, _ := os.Stat(f.path)
	content, err := read(f.path)
	switch {
	case err == nil && content.Hash == f.current.Hash:
		refused := f.told != ""
		f.info, f.told = info, ""
		if refused {
			return f.current, nil
		}
		return nil, nil
	case err == nil:
		f.info, f.told, f.current = info, "", content
		return content, nil
	case err.Error() == f.told:
		f.info = info
		return nil, nil
	}
	return nil, err
}
