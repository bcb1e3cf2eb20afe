package feed

import (
	"testing"
	"time"
)

func TestThePauseIsAsLongAsTheFailedWait(t *testing.T) {
	b := backoff{low: time.Second, high: 8 * time.Second}
	for i, step := range []struct{ least, span time.Duration }{
		{0, 1}, {0, 2}, {3, 4}, {6, 8}, {100, 8}, {0, 8},
	} {
		pause := b.next(step.least * time.Second)
		if b.span != step.span*time.Second || pause > b.span {
			t.Errorf("step %d: %v of %v, want a span of %d s", i, pause, b.span, step.span)
		}
	}
	b.reset()
	if b.next(5 * time.Second); b.span != 5*time.Second {
		t.Errorf("a span of %v at first", b.span)
	}
}
