package harness

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/busy"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"go.uber.org/goleak"
)

// settings are the flags of the tests, which [Main] defines. A test whose name begins with
// TestF and a number belongs to a row of docs/faults.md. It runs a few rounds of its fault,
// or, with -rounds, many in several environments at once, on which make faults reports.
var settings struct {
	rounds int
	seed   uint64
	report string
	time   string
}

// The values of the flag -time.
const (
	realTime    = "real"
	virtualTime = "virtual"
)

func defineFlags() {
	flag.IntVar(&settings.rounds, "rounds", 0, "number of rounds of the most frequent faults, fewer of the others; 0: a few of each")
	flag.Uint64Var(&settings.seed, "seed", 1, "seed of the random numbers")
	flag.StringVar(&settings.time, "time", "", "`real` or virtual: leave out the tests in the other time; empty: none")
	flag.StringVar(&settings.report, "report", "", "`path` of the report")
}

// ManyRounds reports whether each fault has many rounds.
func ManyRounds() bool { return settings.rounds > 0 }

// Seed returns the seed of the random numbers.
func Seed() uint64 { return settings.seed }

// Real skips a test in real time if only those in virtual time are wanted.
func Real(t *testing.T) {
	t.Helper()
	if settings.time == virtualTime {
		t.Skip("runs in real time: not with -time=virtual")
	}
}

// Virtual skips a test in virtual time if only those in real time are wanted.
func Virtual(t *testing.T) {
	t.Helper()
	if settings.time == realTime {
		t.Skip("runs in virtual time: not with -time=real")
	}
}

// ReportPath returns the path of the report; empty: none.
func ReportPath() string { return settings.report }

// Main runs the tests of a package that uses environments, and ends the process. It
// defines the flags of the tests, and checks that no goroutine and no descriptor is left.
func Main(m *testing.M) {
	defineFlags()
	allowParallel()
	if !slices.Contains([]string{"", realTime, virtualTime}, settings.time) {
		fmt.Fprintf(os.Stderr, "-time is %q, want real, virtual or nothing\n", settings.time)
		os.Exit(2)
	}
	open := descriptors()
	// A link of toxiproxy whose destination has closed never ends while it has undelivered
	// data, and no call of the proxy ends it.
	proxied := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")
	reading := goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read")
	goleak.VerifyTestMain(m, proxied, reading, goleak.Cleanup(func(code int) {
		if left := descriptorsLeft(open); code == 0 && len(left) > 0 {
			fmt.Fprintln(os.Stderr, "descriptors that were not closed:", strings.Join(left, ", "))
			code = 1
		}
		program.Remove()
		if settings.report != "" && ManyRounds() {
			if err := report(settings.report); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	}))
}

// allowParallel allows more parallel tests than processors, unless the command line sets a
// number: tests on real servers wait most of the time. On a busy machine it is few, because
// what they wait for would come too late.
func allowParallel() {
	const name = "test.parallel"
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	number := "8"
	if busy.Machine() {
		number = "2"
	}
	_ = flag.Set(name, number)
}
