package bench_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/catbridge/catbridge/test/bench"
	"go.uber.org/goleak"
)

var (
	resultsFile = flag.String("results", "", "add what is measured to this file")
	full        = flag.Bool("full", false, "the full plan, which takes long")
)

var results = &bench.Results{}

func TestMain(m *testing.M) {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(runChild(child))
	}
	flag.Parse()
	if *resultsFile != "" {
		loaded, err := bench.Load(*resultsFile)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		results = loaded
	}
	goleak.VerifyTestMain(m)
}

// save keeps what was measured so far, so that a run that is cut short is not lost.
func save(t testing.TB) {
	t.Helper()
	if *resultsFile == "" {
		return
	}
	results.Machine, results.Plan = bench.ThisMachine(), plan(results.Plan)
	if err := results.Save(*resultsFile); err != nil {
		t.Fatal(err)
	}
}

// plan names what the results come from, with what they came from before.
func plan(before string) string {
	now := "quick"
	if *full {
		now = "full"
	}
	if before != "" && before != now {
		return "mixed"
	}
	return now
}

// pick gives one of two values, by the plan.
func pick[T any](quick, whole T) T {
	if *full {
		return whole
	}
	return quick
}

// measurement is a case that is being measured.
type measurement struct {
	testing.TB
	suite  string
	labels bench.Labels
}

// measure measures the case of a suite that the labels, names and values by turns, tell.
func measure(b *testing.B, suite string, play func(m *measurement), labels ...any) {
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
		b.ReportMetric(0, "ns/op") // the whole takes what it takes
		play(m)
		save(b)
	})
}

// put notes a figure of the case.
func (m *measurement) put(metric, unit string, value float64) {
	m.putFor(m.labels, metric, unit, value)
}

// putFor notes a figure of a case with further labels.
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
