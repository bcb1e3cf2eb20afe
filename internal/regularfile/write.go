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

// maxLinks bounds a chain of links, as Linux does.
const maxLinks = 40

var errTooManyLinks = errors.New("too many links: they may form a circle")

// Write replaces the regular file at path as a whole, or makes it: a reader finds either
// the old content or the new one, after a crash, too. Of a link it replaces the target,
// which need not be there yet. The file is readable to its owner only. On an error the old
// content stays. It is safe for concurrent use; the last call to end wins.
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
		err = fmt.Errorf("%w: a file that is mounted alone cannot be replaced: mount its folder", err)
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

// follow returns the path of the regular file that path leads to, or of the place where
// it is missing.
func follow(path string) (string, error) {
	for range maxLinks {
		// Not filepath.Dir, which takes ".." for the folder above even after a link.
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

// replace writes a new file beside path and gives it that name.
func replace(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*") // readable to the owner only
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
	if d, err := os.Open(folder); err == nil { // so that the new name survives a power cut
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
