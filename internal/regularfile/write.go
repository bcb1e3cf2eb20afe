package regularfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxLinks is the limit of Linux.
const maxLinks = 40

var errTooManyLinks = errors.New("too many links: they may form a cycle")

// Write creates or atomically replaces the regular file at path: a reader sees either the old
// content or the new one, even after a crash. If path is a link, Write replaces its target, which
// need not exist. Only the owner can read the file. On an error the old content remains. It is
// safe for concurrent use; the last call to finish wins.
func Write(path string, data []byte) error {
	target, err := follow(path)
	if err == nil {
		err = replace(target, data)
	}
	if err == nil {
		return nil
	}
	err = reason(err)
	if errors.Is(err, syscall.EBUSY) {
		err = fmt.Errorf("%w: a file that is mounted alone cannot be replaced; mount its folder", err)
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

// follow returns the path of the regular file that path leads to, or of the file to create.
func follow(path string) (string, error) {
	for range maxLinks {
		// Not filepath.Dir, which resolves ".." lexically, even after a link.
		folder, name := filepath.Split(path)
		folder, err := filepath.EvalSymlinks(cmp.Or(folder, "."))
		if err != nil {
			return "", err
		}
		path = filepath.Join(folder, name)
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, nil
		case err != nil:
			return "", err
		case info.Mode().IsRegular():
			return path, nil
		case info.Mode()&fs.ModeSymlink == 0:
			return "", &KindError{info.Mode()}
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = folder + string(filepath.Separator) + target
		}
		path = target
	}
	return "", errTooManyLinks
}

// replace writes a new file in path's folder and renames it to path.
func replace(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*") // readable only by the owner
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return err
	}
	if d, err := os.Open(folder); err == nil { // makes the new name survive a power failure
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
