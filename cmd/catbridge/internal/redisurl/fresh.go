package redisurl

import (
	"errors"
	"strings"
	"sync"
)

// fresh is a value from files that are read again for each get. While the files cannot be
// read or do not fit together, as in the middle of a rotation, get returns the last valid
// value. It is safe for concurrent use.
type fresh[T any] struct {
	read func() (T, error)

	mu   sync.Mutex
	last T
}

// newFresh reads the files for the first time.
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

// readPassword reads a password without the end of its line.
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
		return "", errors.New(path + " is not a text file")
	case strings.ContainsAny(password, "\r\n"):
		return "", errors.New(path + " has more than one line: write only the password into it")
	}
	return password, nil
}
