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
	told    string // the error that was told last
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

// Path is the file's path, as it was given.
func (f *File) Path() string { return f.path }

// Content is the last good version.
func (f *File) Content() *Content { return f.current }

// Follow calls changed for each new version of the file since Open, until ctx ends: with
// its content, or with an error that says why it is refused and the last good one stays.
// One that is again the last good one, after an error, is told as well.
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

// look returns the new content, or an error that was not told yet, or neither if there
// is nothing new. It reports whether another try may help though the file does not change.
func (f *File) look() (content *Content, again bool, err error) {
	data, err := regularfile.Read(f.path, evaluate.MaxConfigBytes)
	if err == nil {
		content, err = parse(f.path, data)
	} else {
		again = !errors.Is(err, fs.ErrNotExist) // the process may have too many files open, for instance
	}
	switch {
	case err != nil && err.Error() == f.told:
		return nil, again, nil
	case err != nil:
		f.told = err.Error()
		return nil, again, err
	case content.Hash == f.current.Hash && f.told == "":
		return nil, false, nil
	case content.Hash == f.current.Hash:
		content = f.current
	}
	f.told, f.current = "", content
	return content, false, nil
}
