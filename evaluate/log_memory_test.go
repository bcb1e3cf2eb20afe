package evaluate_test

import (
	"runtime"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// The log of a chain of prerequisites grows with its length, not with the square of it: the indentation has a
// limit.
func TestTheLogOfDeepPrerequisitesIsLinear(t *testing.T) {
	logged := func(length int) (log, allocated int) {
		config := mustParse(t, chainConfig(length, ""))
		trace := evaluate.Trace{Log: true}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		result := config.Evaluate("f0", nil, evaluate.Value{}, &trace)
		runtime.ReadMemStats(&after)
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		for _, event := range trace.Events() {
			log += len(event.Message)
		}
		return log, int(after.TotalAlloc - before.TotalAlloc)
	}
	short, _ := logged(evaluate.MaxPrerequisiteDepth / 10)
	long, allocated := logged(evaluate.MaxPrerequisiteDepth)
	t.Logf("a tenth of the greatest depth: %d bytes; the greatest depth: %d bytes, %d allocated", short, long, allocated)
	if long > 11*short {
		t.Errorf("ten times as many prerequisites are logged in %d bytes instead of %d", long, short)
	}
	if allocated > 12*long {
		t.Errorf("%d bytes were allocated for a log of %d bytes", allocated, long)
	}
}
