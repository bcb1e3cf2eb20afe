package follower

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/regularfile"
	"github.com/catbridge/catbridge/internal/watchfile"
)

// overrideFile is a watched file of flag overrides.
type overrideFile struct {
	path  string
	log   eventlog.Log
	taken func(*evaluate.Config)

	last    []byte // the last valid content
	failure string // what was logged about the current file; empty: it is valid

	watcher *watchfile.Watcher
	cancel  context.CancelFunc
	done    chan struct{}
}

// watchOverrides reads the file now and after each change, and passes valid content to taken.
func watchOverrides(path string, log eventlog.Log, taken func(*evaluate.Config)) *overrideFile {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute // the working directory may change
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &overrideFile{path: path, log: log, taken: taken, watcher: watchfile.New(path), cancel: cancel, done: make(chan struct{})}
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

func (f *overrideFile) run(ctx context.Context) {
	defer f.watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.watcher.C:
			if !f.read() {
				f.watcher.Recheck()
			}
		}
	}
}

// read reads the file, and uses its content if that is new and valid. done reports whether a
// retry is useless before the file changes.
func (f *overrideFile) read() (done bool) {
	data, err := regularfile.Read(f.path, evaluate.MaxConfigBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.failed(eventid.NoOverrideFile, "Cannot find the local config file '"+f.path+"'. "+
			"This is a path that your application provided to the ConfigCat SDK by passing it to `FlagOverrides.FilePath`. "+
			"Read more: https://configcat.com/docs/sdk-reference/go/#json-file", nil)
		return true
	case err != nil:
		f.failed(eventid.OverrideFileUnreadable, "Failed to read the local config file '"+f.path+"'.", err)
		return false // for example, the process has too many open files
	case f.last != nil && bytes.Equal(data, f.last):
		f.failure = ""
		return true
	}
	config, err := evaluate.ParseOverrides(data)
	if err != nil {
		f.failed(eventid.OverrideFileBad, "Failed to decode JSON from the local config file '"+f.path+"'.", err)
		return true
	}
	f.last, f.failure = data, ""
	f.taken(config)
	f.log.Debug(eventid.Debug, "Flag overrides were read from '"+f.path+"'.")
	return true
}

// failed logs a new failure.
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
