package follower

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

const (
	// overrideSettle is waited for after a change of the file, since one that is being
	// written changes several times.
	overrideSettle = 50 * time.Millisecond
	// overridePoll is the interval at which a file is read whose folder cannot be watched.
	overridePoll = time.Second
)

// overrideFile is a file of flag overrides that is watched (S65).
type overrideFile struct {
	path  string
	log   eventlog.Log
	taken func(*evaluate.Config)

	last    []byte // what was taken
	failure string // what was logged about the file as it is; empty: it is fine

	cancel context.CancelFunc
	done   chan struct{}
}

// watchOverrides reads the file, and reads it again whenever it changes.
func watchOverrides(path string, log eventlog.Log, taken func(*evaluate.Config)) *overrideFile {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute // whatever becomes of the working directory
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &overrideFile{path: path, log: log, taken: taken, cancel: cancel, done: make(chan struct{})}
	f.read()
	go func() {
		defer close(f.done)
		f.run(ctx)
	}()
	return f
}

func (f *overrideFile) close() {
	f.cancel()
	<-f.done
}

// run watches the folder, not the file: editors, and platforms that mount files, put a
// new one in the place of the old one. What can change the file, such as a symbolic link
// beside it, has any name, so that every event counts.
func (f *overrideFile) run(ctx context.Context) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		watcher = &fsnotify.Watcher{} // no events: the file is polled
	} else {
		defer watcher.Close()
	}
	folder := filepath.Dir(f.path)
	settle := newAlarm()
	defer settle.off()
	poll := time.NewTicker(overridePoll)
	defer poll.Stop()
	watching := false
	for {
		if err == nil && !watching && watcher.Add(folder) == nil {
			watching = true
			f.read() // it may have changed before
		}
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			if event.Name == folder && event.Has(fsnotify.Remove|fsnotify.Rename) {
				watching = false
				_ = watcher.Remove(folder)
			}
			settle.within(overrideSettle)
		case <-watcher.Errors: // events may have been lost
			settle.within(overrideSettle)
		case <-settle.C:
			settle.off()
			f.read()
		case <-poll.C:
			if !watching {
				f.read()
			}
		}
	}
}

// read takes the file if it is another one than before and a good one.
func (f *overrideFile) read() {
	data, err := os.ReadFile(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.failed(eventNoOverrideFile, "Cannot find the local config file '"+f.path+"'. "+
			"This is a path that your application provided to the ConfigCat SDK by passing it to `FlagOverrides.FilePath`. "+
			"Read more: https://configcat.com/docs/sdk-reference/go/#json-file", nil)
		return
	case err != nil:
		f.failed(eventOverrideFileUnreadable, "Failed to read the local config file '"+f.path+"'.", err)
		return
	case f.last != nil && bytes.Equal(data, f.last):
		f.failure = ""
		return
	}
	config, err := evaluate.ParseOverrides(data)
	if err != nil {
		f.failed(eventOverrideFileBad, "Failed to decode JSON from the local config file '"+f.path+"'.", err)
		return
	}
	f.last, f.failure = data, ""
	f.taken(config)
	f.log.Debug(eventDebug, "Flag overrides were read from '"+f.path+"'.")
}

// failed logs what is wrong, once for as long as it stays so.
func (f *overrideFile) failed(id int, text string, err error) {
	failure := text
	if err != nil {
		failure += err.Error()
	}
	if failure == f.failure {
		return
	}
	f.failure = failure
	f.log.Error(id, text, eventlog.Err(err))
}
