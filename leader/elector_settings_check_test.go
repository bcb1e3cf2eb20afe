package leader

import (
	"fmt"
	"strings"
	"testing"
)

// The leader checks a change of a large config by what changed. It keeps no small ones compiled:
// there may be thousands.
func TestOnlyLargeConfigsAreKeptForTheNextCheck(t *testing.T) {
	document := func(padding int, flag string) []byte {
		return fmt.Appendf(nil, `{"f":{"large":{"t":1,"v":{"s":"%s"}},"flag":%s}}`, strings.Repeat("x", padding), flag)
	}
	const valid, broken = `{"t":0,"v":{"b":true}}`, `{"t":9}`
	s := new(settings)
	for _, step := range []struct {
		json   []byte
		broken int
		kept   bool
	}{
		{document(10, valid), 0, false}, {document(keptConfig, valid), 0, true}, {document(keptConfig, broken), 1, true},
		{document(keptConfig, valid), 0, true}, {document(10, broken), 1, false}, {document(keptConfig, broken), 1, true},
	} {
		if err := s.check(step.json); err != nil {
			t.Fatal(err)
		}
		if kept := s.last != nil; s.broken != step.broken || kept != step.kept {
			t.Errorf("%d bytes: %d broken, kept %v; want %d, %v", len(step.json), s.broken, kept, step.broken, step.kept)
		}
	}
	last := s.last
	if err := s.check([]byte(`{"f":{"flag":`)); err == nil || s.last != last || s.broken != 1 {
		t.Errorf("invalid: error %v, %d broken", err, s.broken)
	}
}
