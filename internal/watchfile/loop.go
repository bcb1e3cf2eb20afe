package watchfile

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

type loop struct {
	notifier *fsnotify.Watcher // nil: there are no notifications
	interval time.Duration     // between two regular checks
	report   func()

	files   map[string]state       // by path
	folders map[string]os.FileInfo // watched for notifications, by path

	timer *time.Timer // for the next extra check or report
	armed bool
	since time.Time // of the first unreported change; zero: none
}

type state struct {
	info    os.FileInfo // of the file after all links; nil: missing or inaccessible
	failure string      // the reason if info is nil
	target  string      // the path after all links
}

func stateOf(path string) state {
	info, err := os.Stat(path)
	if err != nil {
		return state{failure: err.Error()}
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // replaced meanwhile; the next check detects that
	}
	return state{info: info, target: target}
}

func (s state) equal(o state) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil && s.failure == o.failure
	}
	return os.SameFile(s.info, o.info) && s.info.Size() == o.info.Size() && s.info.Mode() == o.info.Mode() &&
		s.info.ModTime().Equal(o.info.ModTime())
}

func (l *loop) run(ctx context.Context, paths <-chan []string, again <-chan struct{}) {
	var events chan fsnotify.Event
	var failures chan error
	if l.notifier != nil {
		defer l.notifier.Close()
		events, failures = l.notifier.Events, l.notifier.Errors
	}
	ticker := time.NewTicker(l.interval)
	defer ticker.Stop()
	l.timer = time.NewTimer(settle)
	l.timer.Stop()
	defer l.timer.Stop()
	l.note()
	for {
		select {
		case <-ctx.Done():
			return
		case set := <-paths:
			if l.watch(set) {
				l.note()
			}
		case event := <-events:
			l.notified(event)
		case <-failures: //nolint:errcheck // events may have been lost; the regular checks continue
		case <-ticker.C:
			if l.look() {
				l.note()
			}
			select {
			case <-again:
				l.report()
			default:
			}
		case <-l.timer.C:
			l.armed = false
			switch changed := l.look(); {
			case changed && (l.since.IsZero() || time.Since(l.since) < longest):
				l.note()
			case changed || !l.since.IsZero():
				l.since = time.Time{}
				l.report()
			}
		}
	}
}

// watch replaces the set of files, and reports whether some are new.
func (l *loop) watch(paths []string) (added bool) {
	files := make(map[string]state, len(paths))
	for _, path := range paths {
		s, known := l.files[path]
		if !known {
			s, added = stateOf(path), true
		}
		files[path] = s
	}
	l.files = files
	l.follow()
	return added
}

func (l *loop) notified(event fsnotify.Event) {
	if l.folders[event.Name] != nil && event.Has(fsnotify.Remove|fsnotify.Rename) {
		l.leave(event.Name) // a new folder with that name may have the same inode
	}
	if l.concerns(event.Name) {
		l.look()
		l.note()
		return
	}
	// A moved link may have any name. A folder may be busy, so checks are rate-limited.
	if !l.armed {
		l.arm(settle)
	}
}

func (l *loop) concerns(name string) bool {
	for path, s := range l.files {
		if name == path || name == s.target {
			return true
		}
	}
	return false
}

func (l *loop) look() (changed bool) {
	for path, last := range l.files {
		if now := stateOf(path); !now.equal(last) {
			l.files[path], changed = now, true
		} else {
			l.files[path] = now
		}
	}
	l.follow()
	return changed
}

// note schedules the report of a change for when the files stay the same.
func (l *loop) note() {
	if l.since.IsZero() {
		l.since = time.Now()
	}
	l.arm(settle)
}

func (l *loop) arm(d time.Duration) {
	l.timer.Reset(d)
	l.armed = true
}

// follow subscribes to the notifications of the folders of the files and of their links' targets.
// Editors replace files, and a new file needs new notifications.
func (l *loop) follow() {
	if l.notifier == nil {
		return
	}
	wanted := map[string]bool{}
	for path, s := range l.files {
		wanted[filepath.Dir(path)] = true
		if s.target != "" {
			wanted[filepath.Dir(s.target)] = true
		}
	}
	for folder := range l.folders {
		if !wanted[folder] {
			l.leave(folder)
		}
	}
	for folder := range wanted {
		info, err := os.Stat(folder)
		last := l.folders[folder]
		if err == nil && last != nil && os.SameFile(info, last) {
			continue
		}
		if last != nil { // the name now belongs to another folder
			l.leave(folder)
		}
		if err == nil && l.notifier.Add(folder) == nil {
			l.folders[folder] = info
		}
	}
}

func (l *loop) leave(folder string) {
	_ = l.notifier.Remove(folder) // the folder may be gone
	delete(l.folders, folder)
}
