package wire_test

import (
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

func TestOverwritesThatAreMalformedAreNone(t *testing.T) {
	for text, want := range map[string]wire.Overwrites{
		"1 1767225600000":             {Count: 1, Last: rev},
		"9999999999999 1767225600000": {Count: wire.MaxRev, Last: rev},
		"":                            {}, "1": {}, "1 ": {}, " 1767225600000": {}, "0 1767225600000": {}, "1 5": {}, "-1 1767225600000": {},
		"1 1767225600000 ": {}, "1  1767225600000": {}, "10000000000000 1767225600000": {}, "1 17672256000000": {}, "x\x00 1767225600000": {},
	} {
		if have := wire.ParseOverwrites(text); have != want {
			t.Errorf("%q: %+v", text, have)
		}
	}
}
