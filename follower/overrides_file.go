package follower

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/regularfile"
	"github.com/catbridge/catbridge/internal/watchfile"
)

// overrideFile is a file of flag overrides that is watched (S65).
type overrideFile struct {
	path  string
	log   eventlog.Log
	taken func(*evaluate.Config)

	last    []byte // what was taken
	failure string // what was logged about the file as it is; empty: it is fine

	watcher *watchfile.Watcher
	cancel  context.CancelFunc
	done    chan struct{}
}

// watchOverrides reads the file, and reads it again whenever it changes.
func watchOverrides(path string, log eventlog.Log, taken func(*evaluate.Config)) *overrideFile {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute // whatever becomes of the working directory
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

// read takes the file if it is another one than before and a good one. It reports whether
// another try makes no sense before the file changes.
func (f *overrideFile) read() (done bool) {
	data, err := regularfile.Read(f.path, evaluate.MaxConfigBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.failed(eventNoOverrideFile, "Cannot find the local config file '"+f.path+"'. "+
			"This is a path that your application provided to the ConfigCat SDK by passing it to `FlagOverrides.FilePath`. "+
			"Read more: https://configcat.com/docs/sdk-reference/go/#json-file", nil)
		return true
	case err != nil:
		f.failed(eventOverrideFileUnreadable, "Failed to read the local config file '"+f.path+"'.", err)
		return false // the process may have too many files open, for instance
	case f.last != nil && bytes.Equal(data, f.last):
		f.failure = ""
		return true
	}
	config, err := evaluate.ParseOverrides(data)
	if err != nil {
		f.failed(eventOverrideFileBad, "Failed to decode JSON from the local config file '"+f.path+"'.", err)
		return true
	}
	f.last, f.failure = data, ""
	f.taken(config)
	f.log.Debug(eventDebug, "Flag overrides were read from '"+f.path+"'.")
	return true
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
