// Package regularfile reads and writes whole files. The product opens files named by users
// only through this package. Such a path may lead to any kind of file: opening a named pipe
// can block forever, a device may have no end, and renaming a file over a device removes
// it. Therefore only regular files and links to them are accepted, sizes are bounded, and
// errors name the kind of file.
package regularfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// KindError is the error for a path that leads to something other than a regular file. Like other
// errors of this package, it is wrapped in an [*fs.PathError].
type KindError struct{ Mode fs.FileMode }

func (e *KindError) Error() string { return "is " + kind(e.Mode) + ", but must be a regular file" }

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// TooLargeError is the error for a file that is larger than its limit.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	switch {
	case e.Limit%(1<<20) == 0:
		return fmt.Sprintf("larger than %d MiB, the most that is read", e.Limit>>20)
	case e.Limit%(1<<10) == 0:
		return fmt.Sprintf("larger than %d KiB, the most that is read", e.Limit>>10)
	}
	return fmt.Sprintf("larger than %d bytes, the most that is read", e.Limit)
}

// errUTF16 is the error for text as some editors and shells on Windows write it.
var errUTF16 = errors.New("is text in UTF-16: save it in UTF-8")

const (
	bom        = "\xef\xbb\xbf"
	bomUTF16LE = "\xff\xfe"
	bomUTF16BE = "\xfe\xff"
)

// Read returns the content of the regular file at path, which may have at most limit bytes,
// without a leading byte order mark. It follows links. It is safe for concurrent use.
func Read(path string, limit int64) ([]byte, error) {
	return read(context.Background(), path, limit, fs.FileMode.IsRegular)
}

// ReadStream is like [Read], but also reads a pipe to its end, for example a shell's process
// substitution. A pipe without a writer is empty. If ctx ends first, ReadStream returns the cause
// of ctx.
func ReadStream(ctx context.Context, path string, limit int64) ([]byte, error) {
	return read(ctx, path, limit, func(mode fs.FileMode) bool { return mode.IsRegular() || isPipe(mode) })
}

// IsPipe reports whether path leads to a pipe, which [ReadStream] can read only once.
func IsPipe(path string) bool {
	info, err := os.Stat(path)
	return err == nil && isPipe(info.Mode())
}

func isPipe(mode fs.FileMode) bool { return mode&fs.ModeNamedPipe != 0 }

func read(ctx context.Context, path string, limit int64, accepts func(fs.FileMode) bool) ([]byte, error) {
	failed := func(err error) error { return &fs.PathError{Op: "read", Path: path, Err: reason(err)} }
	// The file is checked before opening it, since opening some devices has effects, and again
	// afterwards, since it may have been replaced. O_NONBLOCK prevents opening a pipe from
	// blocking.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, failed(err)
	case !accepts(info.Mode()):
		return nil, failed(&KindError{info.Mode()})
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, failed(err)
	}
	defer file.Close()
	switch info, err = file.Stat(); {
	case err != nil:
		return nil, failed(err)
	case !accepts(info.Mode()):
		return nil, failed(&KindError{info.Mode()})
	case info.Mode().IsRegular() && info.Size() > limit:
		return nil, failed(&TooLargeError{limit})
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Now()) }) // only pipes block
	defer stop()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return nil, failed(context.Cause(ctx))
	case err != nil:
		return nil, failed(err)
	case int64(len(data)) > limit:
		return nil, failed(&TooLargeError{limit})
	case bytes.HasPrefix(data, []byte(bomUTF16LE)), bytes.HasPrefix(data, []byte(bomUTF16BE)):
		return nil, failed(errUTF16)
	}
	return TrimBOM(data), nil
}

// TrimBOM returns text without a leading byte order mark.
func TrimBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte(bom)) }

// reason returns err without its operation and path, which the caller adds again.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}
