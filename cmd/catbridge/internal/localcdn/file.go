package localcdn

import (
	"context"

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
	content, err := read(path)
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
			if content, err := f.look(); content != nil || err != nil {
				changed(content, err)
			}
		}
	}
}

// look returns the new content, or an error that was not told yet, or neither if there
// is nothing new.
func (f *File) look() (*Content, error) {
	content, err := read(f.path)
	switch {
	case err != nil && err.Error() == f.told:
		return nil, nil
	case err != nil:
		f.told = err.Error()
		return nil, err
	case content.Hash == f.current.Hash && f.told == "":
		return nil, nil
	case content.Hash == f.current.Hash:
		content = f.current
	}
	f.told, f.current = "", content
	return content, nil
}
