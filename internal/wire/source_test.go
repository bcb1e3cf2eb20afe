package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/internal/wire"
)

func sourceOf(json []byte) wire.Source {
	blob := blobOf(json)
	return wire.Source{Rev: rev, CDN: rev - 1, Hash: blob.Hash, ETag: `"a b"`, Codec: blob.Codec, Payload: blob.Payload}
}

func TestSourcesRoundTrip(t *testing.T) {
	unknown := sourceOf([]byte("{}"))
	unknown.CDN = 0
	for _, want := range []wire.Source{sourceOf([]byte("{}")), sourceOf(configOf(64 << 10)), unknown} {
		have, err := wire.ParseSource(want.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Error(diff)
		}
		if _, err := have.JSON(); err != nil {
			t.Error(err)
		}
	}
}

func TestInvalidSourcesAreRejected(t *testing.T) {
	good := string(sourceOf([]byte("{}")).Append(nil))
	lines := strings.SplitAfter(good, "\n")
	with := func(line int, text string) string {
		changed := append([]string(nil), lines...)
		changed[line-1] = text + "\n"
		return strings.Join(changed, "")
	}
	for name, data := range map[string]string{
		"empty":           "",
		"five lines":      strings.Join(lines[:5], "")[:len(strings.Join(lines[:5], ""))-1],
		"rev":             with(1, "176722560000"),
		"time":            with(2, "0000000000001"),
		"short time":      with(2, "0"),
		"hash":            with(3, "abc"),
		"no ETag":         with(4, ""),
		"endless ETag":    with(4, strings.Repeat("e", wire.MaxETagBytes+1)),
		"carriage return": with(4, "a\rb"),
		"codec":           with(5, "lz4"),
		"too large":       good + strings.Repeat(" ", wire.MaxSourceBytes),
	} {
		_, err := wire.ParseSource([]byte(data))
		t.Run(name, func(t *testing.T) { requireParseError(t, err, "source") })
	}
	bad := sourceOf([]byte("{}"))
	bad.Payload = []byte("{ }")
	if _, err := bad.JSON(); err == nil {
		t.Error("content with another hash was accepted")
	}
}

func FuzzParseSource(f *testing.F) {
	f.Add(sourceOf([]byte("{}")).Append(nil))
	f.Add(sourceOf(configOf(1 << 10)).Append(nil))
	f.Add([]byte("\n\n\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := wire.ParseSource(data)
		if err != nil {
			requireParseError(t, err, "source")
			return
		}
		if !bytes.Equal(s.Append(nil), data) {
			t.Errorf("%q became %q", data, s.Append(nil))
		}
	})
}
