// Package regularfile reads and writes files as a whole. It is the one way in which the
// product opens a file that a user names. Such a path may lead to anything: opening a named
// pipe can block for ever, a device may have no end, and renaming a file over a device
// removes it. Hence everything but a regular file, or a link to one, is refused, sizes are
// bounded, and errors say what the path leads to.
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

// KindError is the error about a path that leads to something other than a regular file.
// It is wrapped in an [*fs.PathError], as the other errors of this package are.
type KindError struct{ Mode fs.FileMode }

func (e *KindError) Error() string { return "is " + kind(e.Mode) + ", but must be a regular file" }

// kind returns the name of what a mode describes.
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

// TooLargeError is the error about a file with more bytes than its limit.
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

// errUTF16 is the error about text that some editors and shells on Windows write.
var errUTF16 = errors.New("is text in UTF-16: save it in UTF-8")

const (
	bom        = "\xef\xbb\xbf"
	bomUTF16LE = "\xff\xfe"
	bomUTF16BE = "\xfe\xff"
)

// Read returns the content of the regular file at path, which has at most limit bytes,
// without a byte order mark at its start. It follows links. It is safe for concurrent use.
func Read(path string, limit int64) ([]byte, error) {
	return read(context.Background(), path, limit, fs.FileMode.IsRegular)
}

// ReadStream is like [Read], but also reads a pipe to its end, such as the one by which a
// shell passes the output of a command. A pipe that has no writer is empty. It returns the
// cause of ctx when ctx ends before the pipe does.
func ReadStream(ctx context.Context, path string, limit int64) ([]byte, error) {
	return read(ctx, path, limit, func(mode fs.FileMode) bool { return mode.IsRegular() || isPipe(mode) })
}

// IsPipe reports whether path leads to a pipe, which [ReadStream] reads and which can be
// read only once.
func IsPipe(path string) bool {
	info, err := os.Stat(path)
	return err == nil && isPipe(info.Mode())
}

func isPipe(mode fs.FileMode) bool { return mode&fs.ModeNamedPipe != 0 }

func read(ctx context.Context, path string, limit int64, accepts func(fs.FileMode) bool) ([]byte, error) {
	failed := func(err error) error { return &fs.PathError{Op: "read", Path: path, Err: reason(err)} }
	// Looked at before it is opened, since opening some devices has effects, and afterwards,
	// since it may have been replaced. O_NONBLOCK keeps the opening of a pipe from waiting.
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
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Now()) }) // only pipes can wait
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

// TrimBOM returns text without a byte order mark at its start.
func TrimBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte(bom)) }

// reason returns err without its operation and path, to be wrapped again.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}
