package feed

import (
	"errors"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

// I4: each step makes the content that it names, and the last one the content that was announced.
func TestPatchesMakeOnlyTheAnnouncedContent(t *testing.T) {
	first, second, third := []byte("content 1"), []byte("content 2"), []byte("content 3")
	step := func(from, to []byte, last string) wire.PatchStep {
		return wire.PatchStep{From: wire.ShortHash(wire.ContentHash(from)), To: wire.ContentHash(to), Len: len(to), Patch: []byte("8 0 raw\n" + last)}
	}
	both := wire.Patches{step(first, second, "2"), step(second, third, "3")}
	for name, test := range map[string]struct {
		steps wire.Patches
		hash  string
		want  string // empty: refused
	}{
		"both steps":                 {both, wire.ContentHash(third), "content 3"},
		"they lead to other content": {both, wire.ContentHash(second), ""},
		"no step":                    {nil, wire.ContentHash(second), ""},
		"a step makes other content": {wire.Patches{step(first, second, "4"), both[1]}, wire.ContentHash(third), ""},
	} {
		got, err := applySteps(first, test.steps, test.hash)
		if string(got) != test.want || test.want == "" && !errors.Is(err, errOtherContent) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
