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
	resultsFile = flag.String("results", "", "add the results to this file")
	full        = flag.Bool("full", false, "run the full plan, which takes long")
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

// save writes the results so far, so that a run that is cut short still has some.
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

// plan returns the plan of the results, given the one of earlier results in the file.
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

// pick returns one of two values, by the plan.
func pick[T any](quick, whole T) T {
	if *full {
		return whole
	}
	return quick
}
