package redisurl

import (
	"errors"
	"strings"
	"sync"
)

// fresh is a value out of files that are read anew each time. While they cannot be
// read, or do not go together, as in the middle of a rotation, the last good value
// goes on. It is safe for concurrent use.
type fresh[T any] struct {
	read func() (T, error)

	mu   sync.Mutex
	last T
}

// newFresh reads for the first time, which must succeed.
func newFresh[T any](read func() (T, error)) (*fresh[T], error) {
	last, err := read()
	return &fresh[T]{read: read, last: last}, err
}

func (f *fresh[T]) get() T {
	value, err := f.read()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.last = value
	}
	return f.last
}

// readPassword reads a password; the end of its line does not belong to it.
func readPassword(path string) (string, error) {
	data, err := readFile(path)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(data), "\r\n")
	switch {
	case password == "":
		return "", errors.New(path + " is empty")
	case strings.Contains(password, "\x00"):
		return "", errors.New(path + " is no text")
	case strings.ContainsAny(password, "\r\n"):
		return "", errors.New(path + " is no password: it has several lines")
	}
	return password, nil
}
