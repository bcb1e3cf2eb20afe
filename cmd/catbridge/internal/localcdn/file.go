package localcdn

import (
	"context"
	"errors"
	"io/fs"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/regularfile"
	"github.com/catbridge/catbridge/internal/watchfile"
)

// File is a config file that is followed. Its methods are not safe for concurrent use.
type File struct {
	path    string
	current *Content
	failure string // the error reported last; empty: the file is valid
}

// Open reads a config file. It returns an error if the file is not a valid config.
func Open(path string) (*File, error) {
	data, err := regularfile.Read(path, evaluate.MaxConfigBytes)
	if err != nil {
		return nil, err
	}
	content, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	return &File{path: path, current: content}, nil
}

// Path returns the file's path as passed to [Open].
func (f *File) Path() string { return f.path }

// Content returns the last valid version.
func (f *File) Content() *Content { return f.current }

// Follow calls changed for each new version of the file after Open, until ctx ends. It passes
// the content, or an error if the version is invalid; the last valid version then stays
// current. If the file is the last valid version again after an error, Follow passes that
// version.
func (f *File) Follow(ctx context.Context, changed func(*Content, error)) {
	watcher := watchfile.New(f.path)
	defer watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.C:
			content, again, err := f.look()
			if again {
				watcher.Recheck()
			}
			if content != nil || err != nil {
				changed(content, err)
			}
		}
	}
}

// look returns the new content, or an error that was not reported yet, or neither if nothing
// is new. It reports whether another attempt may succeed even if the file does not change.
func (f *File) look() (content *Content, again bool, err error) {
	data, err := regularfile.Read(f.path, evaluate.MaxConfigBytes)
	if err == nil {
		content, err = parse(f.path, data)
	} else {
		again = !errors.Is(err, fs.ErrNotExist) // the process may have too many files open, for instance
	}
	switch {
	case err != nil && err.Error() == f.failure:
		return nil, again, nil
	case err != nil:
		f.failure = err.Error()
		return nil, again, err
	case content.Hash == f.current.Hash && f.failure == "":
		return nil, false, nil
	case content.Hash == f.current.Hash:
		content = f.current
	}
	f.failure, f.current = "", content
	return content, false, nil
}
