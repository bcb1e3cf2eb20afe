//go:build ignore

package main

import (
	"context"
	"errors"
	"expvar"
	"io/fs"
	"log"
	"os"
	"path/filepath"
)

// served counts the evaluations of each flag, failed the errors.
var (
	served = expvar.NewMap("flags_served")
	failed = expvar.NewInt("flags_failed")
)

// printer is the service's logger.
type printer struct{ *log.Logger }

func (p printer) Debugf(format string, args ...any) {}
func (p printer) Infof(format string, args ...any)  { p.Printf("info: "+format, args...) }
func (p printer) Warnf(format string, args ...any)  { p.Printf("warning: "+format, args...) }
func (p printer) Errorf(format string, args ...any) { p.Printf("error: "+format, args...) }

// fileCache is a folder in which the SDK keeps its config for a start without the CDN.
type fileCache string

func (c fileCache) Get(_ context.Context, key string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(string(c), key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

func (c fileCache) Set(_ context.Context, key string, value []byte) error {
	return os.WriteFile(filepath.Join(string(c), key), value, 0o600)
}
