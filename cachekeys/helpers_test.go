package cachekeys_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
)

const rev = int64(1_767_225_600_000)

// requireParseError fails the test unless err is a ParseError with a short text, whatever the
// input was.
func requireParseError(t testing.TB, err error) {
	t.Helper()
	_, ok := errors.AsType[*cachekeys.ParseError](err)
	switch {
	case err == nil:
		t.Error("accepted, want it refused as malformed")
	case !ok:
		t.Errorf("error %T, want *ParseError", err)
	case len(err.Error()) > 300:
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// configOf returns a config JSON of exactly size bytes.
func configOf(size int) []byte {
	const head, foot = `{"x":"`, `"}`
	return []byte(head + strings.Repeat("x", size-len(head)-len(foot)) + foot)
}
