package bench_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/bench"
)

// measurement is a running case.
type measurement struct {
	testing.TB
	suite  string
	labels bench.Labels
	ctx    context.Context // it replaces that of the testing.TB
}

// Context ends when the case exceeds its time limit. All waiting depends on it.
func (m *measurement) Context() context.Context {
	if m.ctx == nil {
		return m.TB.Context()
	}
	return m.ctx
}

// measure measures one case of a suite. labels are names and values in turn. A case that
// hangs fails alone, and the others continue.
func measure(b *testing.B, suite string, run func(m *measurement), labels ...any) {
	b.Helper()
	m := &measurement{suite: suite}
	name := ""
	for i := 0; i < len(labels); i += 2 {
		key, value := fmt.Sprint(labels[i]), fmt.Sprint(labels[i+1])
		m.labels = m.labels.With(key, value)
		name += "/" + key + "=" + value
	}
	if name == "" {
		name = "/all"
	}
	b.Run(name[1:], func(b *testing.B) {
		m.TB = b
		b.ReportMetric(0, "ns/op") // the total time is of no interest
		start, limit := time.Now(), pick(90*time.Second, 6*time.Minute)
		var cancel context.CancelFunc
		m.ctx, cancel = context.WithTimeoutCause(b.Context(), limit, fmt.Errorf("the case is not over after %v", limit))
		b.Cleanup(cancel)
		title := suite + strings.ReplaceAll(name, "/", " ")
		b.Cleanup(watch(title, limit))
		b.Cleanup(func() {
			if b.Skipped() {
				fmt.Fprintf(os.Stderr, "          %s: not measured, since something is missing; -v tells what\n", title)
			}
		})
		run(m)
		m.put("took", "s", time.Since(start).Seconds())
		save(b)
	})
}

// begun is when the first case began.
var begun = time.Now()

// watch prints at intervals on standard error that a case runs, and for how long, until its
// result is called. If the case lasts much longer than its limit, watch ends the program
// with the stacks of all goroutines.
func watch(name string, limit time.Duration) (over func()) {
	start, done, ended := time.Now(), make(chan struct{}), make(chan struct{})
	say := func(what string) {
		fmt.Fprintf(os.Stderr, "%8s  %s%s\n", time.Since(begun).Round(time.Second), name, what)
	}
	say("")
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				took := time.Since(start).Round(time.Second)
				say(fmt.Sprintf(": %v so far", took))
				if took > limit+time.Minute {
					panic(fmt.Sprintf("bench: %s hangs: not over %v after its limit of %v", name, took-limit, limit))
				}
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// put records a figure of the case.
func (m *measurement) put(metric, unit string, value float64) {
	m.putFor(m.labels, metric, unit, value)
}

// putFor records a figure of a case with further labels.
func (m *measurement) putFor(labels bench.Labels, metric, unit string, value float64) {
	results.Add(m.suite, labels, metric, unit, value)
	if b, ok := m.TB.(*testing.B); ok {
		name := metric
		if via := labels["via"]; via != m.labels["via"] {
			name += "-" + via
		}
		b.ReportMetric(value, name+"-"+unit)
	}
}

// until waits until a condition holds, and fails after a time that no machine needs.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Minute); !holds(); {
		select {
		case <-tick.C:
			if time.Now().After(deadline) {
				t.Fatalf("never: %s", what)
			}
		case <-t.Context().Done():
			t.Fatalf("never: %s: %v", what, context.Cause(t.Context()))
		}
	}
}

// awaitReady waits until a client is ready.
func awaitReady(t testing.TB, c *follower.Client) {
	t.Helper()
	select {
	case <-c.Ready():
	case <-t.Context().Done():
		t.Fatalf("a client does not become ready: %v", context.Cause(t.Context()))
	}
}

// pause waits for d, or until the case exceeds its time limit.
func pause(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatalf("no time left: %v", context.Cause(t.Context()))
	}
}
