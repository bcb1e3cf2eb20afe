package regularfile

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFollowsLinksAndDropsAByteOrderMark(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "file"), "\ufefftext\n\ufeff")
	for _, path := range []string{filepath.Join(folder, "file"), link(t, "file", filepath.Join(folder, "link"))} {
		if data, err := Read(path, 100); err != nil || string(data) != "text\n\ufeff" {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
}

func TestReadIsBounded(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "file"), strings.Repeat("x", 2048))
	if data, err := Read(path, 2048); err != nil || len(data) != 2048 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for limit, want := range map[int64]string{
		2047: "read " + path + ": larger than 2047 bytes, the most that is read",
		1024: "read " + path + ": larger than 1 KiB, the most that is read",
	} {
		_, err := Read(path, limit)
		if large, ok := errors.AsType[*TooLargeError](err); !ok || large.Limit != limit || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if text := (&TooLargeError{8 << 20}).Error(); text != "larger than 8 MiB, the most that is read" {
		t.Error(text)
	}
}

func TestReadErrorsContainPathAndReason(t *testing.T) {
	folder := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(folder, "missing"):                       "no such file or directory",
		link(t, "nowhere", filepath.Join(folder, "link")):      "no such file or directory",
		write(t, filepath.Join(folder, "le"), "\xff\xfea\x00"): "is text in UTF-16: save it in UTF-8",
		write(t, filepath.Join(folder, "be"), "\xfe\xff\x00a"): "is text in UTF-16: save it in UTF-8",
	} {
		_, err := Read(path, 100)
		if err == nil || err.Error() != "read "+path+": "+want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Read(filepath.Join(folder, "missing"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestReadStreamReadsRegularFiles(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "file"), "text")
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // reading a regular file ignores ctx
	if data, err := ReadStream(ctx, path, 100); err != nil || string(data) != "text" || IsPipe(path) {
		t.Errorf("%q, %v", data, err)
	}
}
