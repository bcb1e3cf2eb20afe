package settings

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Fault is one error in the settings.
type Fault struct {
	Where string // file:line, --flag or $VARIABLE; empty: a setting is missing
	Text  string // what is wrong, and what to do
}

func (f Fault) String() string {
	if f.Where == "" {
		return f.Text
	}
	return f.Where + ": " + f.Text
}

// Faults are all errors in the settings, at least one.
type Faults []Fault

func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0].String()
	}
	lines := []string{fmt.Sprintf("%d errors:", len(f))}
	for _, fault := range f {
		lines = append(lines, "  "+fault.String())
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds the number of faults that are reported.
const maxFaults = 100

func (f *Faults) add(where, format string, args ...any) {
	switch {
	case len(*f) > maxFaults:
		return
	case len(*f) == maxFaults:
		where, format, args = "", "and more", nil
	}
	fault := Fault{where, fmt.Sprintf(format, args...)}
	if !slices.Contains(*f, fault) {
		*f = append(*f, fault)
	}
}

// sort puts the faults of the file first, in the order of their lines.
func (f Faults) sort(file string) {
	line := func(fault Fault) int {
		rest, ok := strings.CutPrefix(fault.Where, file+":")
		if n, err := strconv.Atoi(strings.SplitN(rest, ":", 2)[0]); ok && err == nil {
			return n
		}
		return math.MaxInt
	}
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(line(a), line(b)) })
}

func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
