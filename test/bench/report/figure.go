package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/test/bench"
)

// unmeasured is a missing figure.
const unmeasured = "not measured"

// figure is a median of runs in a unit. NaN means not measured.
type figure struct {
	value, least, most float64
	unit               string
}

func get(r *bench.Results, suite string, labels bench.Labels, metric string) figure {
	s, ok := r.Get(suite, labels, metric)
	if !ok {
		return figure{value: math.NaN()}
	}
	least, most := s.Spread()
	return figure{s.Median(), least, most, s.Unit}
}

// in returns labels from alternating names and values.
func in(pairs ...string) bench.Labels {
	l := bench.Labels{}
	for i := 0; i < len(pairs); i += 2 {
		l[pairs[i]] = pairs[i+1]
	}
	return l
}

func (f figure) known() bool { return !math.IsNaN(f.value) }

// String returns the figure, with its range if runs differ.
func (f figure) String() string {
	if !f.known() {
		return unmeasured
	}
	value, unit := readable(f.value, f.unit)
	if least, most := show(f.least), show(f.most); f.least != f.most && f.unit != "B" && f.unit != "B/s" && least != most {
		return fmt.Sprintf("%s%s (%s–%s)", show(value), unit, least, most)
	}
	return show(value) + unit
}

// readable formats bytes in a suitable unit.
func readable(value float64, unit string) (float64, string) {
	switch {
	case unit == "B" || unit == "B/s":
		scaled, prefix := value, ""
		for _, p := range []string{"K", "M", "G", "T"} {
			if math.Abs(scaled) < 1000 {
				break
			}
			scaled, prefix = scaled/1000, p
		}
		return scaled, " " + prefix + unit
	case unit == "1" || unit == "":
		return value, ""
	case unit == "1/s":
		return value, "/s"
	}
	return value, " " + unit
}

// show formats a number with three significant digits and separated thousands.
func show(v float64) string {
	if math.Abs(v) < 1000 {
		digits := 2
		for limit := 1.0; digits > 0 && math.Abs(v) >= 10*limit; limit *= 10 {
			digits--
		}
		if math.Abs(v) < 1 && v != 0 {
			digits = 3
		}
		text := strconv.FormatFloat(v, 'f', digits, 64)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return text
	}
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// over returns the ratio of two figures, or NaN if one is missing.
func (f figure) over(floor figure) figure {
	ratio := f.value / floor.value
	return figure{ratio, ratio, ratio, "×"}
}

// minus returns the difference of two figures, or NaN if one is missing.
func (f figure) minus(other figure) figure {
	d := f.value - other.value
	return figure{d, d, d, f.unit}
}

// size formats a number of bytes in powers of two, as the plans do.
func size(label string) string {
	n, err := strconv.Atoi(label)
	switch {
	case err != nil:
		return label
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + " MB"
	}
	return strconv.Itoa(n>>10) + " KB"
}

// values returns the values of a label in a suite, in numeric order.
func values(r *bench.Results, suite, label string) []string {
	var all []string
	for _, c := range r.Cases(suite) {
		if v := c[label]; v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return all
}
