package bench_test

import (
	"bytes"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/test/bench"
)

func TestEditsChangeThatManyFlags(t *testing.T) {
	const size = 100 << 10
	content := bench.NewContent(size)
	if n := len(content.JSON(1_000_000)); n < size || n > size+500 {
		t.Errorf("%d bytes, want %d", n, size)
	}
	parse := func(json []byte) *evaluate.Config {
		c, err := evaluate.Parse(json)
		if err != nil || len(c.BrokenFlags()) > 0 {
			t.Fatalf("%v, broken: %v", err, c.BrokenFlags())
		}
		return c
	}
	all := len(parse(content.JSON(1)).Keys())
	for edit, flags := range map[bench.Edit]struct{ least, most int }{
		bench.OneFlag: {1, 1}, bench.TenFlags: {10, 10}, bench.Segment: {all / 9, all / 7}, bench.Half: {all / 2, all + 1},
	} {
		before, after := parse(content.Edited(1_000_001, edit)), parse(content.Edited(1_000_002, edit))
		if n := len(after.ChangedKeys(before)); n < flags.least || n > flags.most {
			t.Errorf("%s: %d of %d flags changed", edit, n, all)
		}
	}
	before := parse(content.After(0))
	for n := range 3 {
		next := parse(content.After(n + 1))
		if changed := next.ChangedKeys(before); len(changed) != 2 {
			t.Errorf("edit %d: %q changed", n+1, changed)
		}
		before = next
	}
	if n := len(parse(content.After(all + 7)).ChangedKeys(parse(content.After(0)))); n != all {
		t.Errorf("%d of %d flags changed", n, all)
	}
	if !bytes.Equal(content.JSON(7), bench.NewContent(size).JSON(7)) {
		t.Error("the same size gives other bytes")
	}
}
