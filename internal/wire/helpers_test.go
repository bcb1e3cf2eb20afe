package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

const rev = int64(1_767_225_600_000)

// requireParseError fails the test unless err is a ParseError of that format with a short text,
// whatever the input was.
func requireParseError(t testing.TB, err error, format string) {
	t.Helper()
	parse, ok := errors.AsType[*wire.ParseError](err)
	switch {
	case err == nil:
		t.Errorf("accepted, want it refused as malformed %s", format)
	case !ok:
		t.Errorf("error %T, want *ParseError", err)
	case parse.Format != format:
		t.Errorf("refused as %q, want %q: %v", parse.Format, format, err)
	case len(err.Error()) > 300:
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// configOf returns a config JSON of exactly size bytes that compresses about as well as real
// ones.
func configOf(size int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	const head, foot = `{"p":{"u":"https://cdn-global.configcat.com","r":0},"f":{`, `"last":{"t":0,"v":{"b":true}}},"x":"`
	out := bytes.NewBufferString(head)
	for i := 0; out.Len() < size-len(foot)-200; i++ {
		fmt.Fprintf(out, `"flag%d":{"t":1,"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example%d.com"]}}],"s":{"v":{"s":"%x"},"i":"%08x"}}],"v":{"s":"off"}},`,
			i, random.IntN(50), random.Uint64(), random.Uint32())
	}
	out.WriteString(foot)
	for out.Len() < size-2 {
		out.WriteByte('x')
	}
	out.WriteString(`"}`)
	return out.Bytes()
}

func randomBytes(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data)
	return data
}
