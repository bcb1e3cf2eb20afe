package ui

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

// A plot is drawn in its own units, and scaled to the width of the page. It uses attributes alone, since
// the Content-Security-Policy allows no inline styles, and the colour of the text around it.
const (
	plotWidth, plotHeight = 480, 150
	plotLeft, plotRight   = 52, 8 // for the labels, and for the last point
	plotTop, plotBottom   = 10, 22

	plotInner  = plotWidth - plotLeft - plotRight
	plotGround = plotHeight - plotBottom
)

// plot draws an image, whose title says in words what it shows.
type plot struct{ strings.Builder }

func newPlot(title string) *plot {
	p := new(plot)
	title = template.HTMLEscapeString(title)
	fmt.Fprintf(p, `<svg class="plot" viewBox="0 0 %d %d" role="img" aria-label="%s" fill="none" stroke="currentColor"><title>%[3]s</title>`,
		plotWidth, plotHeight, title)
	return p
}

// end returns the image. Only numbers and escaped strings are in it.
func (p *plot) end() template.HTML {
	p.WriteString("</svg>")
	return template.HTML(p.String()) //nolint:gosec // see above
}

// grid draws a horizontal line with its label.
func (p *plot) grid(y float64, label string) {
	fmt.Fprintf(p, `<line class="plot-grid" stroke-opacity=".2" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, plotLeft, plotWidth-plotRight, y, y)
	p.text(plotLeft-6, y+3.5, "end", label)
}

func (p *plot) text(x, y float64, anchor, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" text-anchor="%s" font-size="10" fill="currentColor" stroke="none">%s</text>`,
		x, y, anchor, template.HTMLEscapeString(text))
}

// spreadPlot shows for each change the times until the median and the last of the followers had it, on
// a logarithmic scale. It is empty if no time is known.
func spreadPlot(label string, spreads []observe.Spread) template.HTML {
	least, most, known := time.Duration(math.MaxInt64), time.Duration(0), 0
	spreads = slices.Clone(spreads)
	for i := range spreads {
		s := &spreads[i]
		s.Median, s.Last = min(s.Median, mostPlotted), min(s.Last, mostPlotted)
		if s.Reported > 0 {
			least, most, known = min(least, s.Median), max(most, s.Last), known+1
		}
	}
	if known == 0 {
		return ""
	}
	low := math.Floor(decade(least))
	high := max(math.Ceil(decade(most)), low+1)
	y := func(d time.Duration) float64 {
		return plotGround - (decade(d)-low)/(high-low)*(plotGround-plotTop)
	}
	last := newestSpread(spreads)
	p := newPlot(fmt.Sprintf("Time until followers of %s had each of the last %d changes, oldest first, from %s to %s. The newest one took %s until the median follower had it, and %s until the last.",
		label, len(spreads), dur(least), dur(most), dur(last.Median), dur(last.Last)))
	for d := low; d <= high; d++ {
		p.grid(y(time.Duration(math.Pow(10, d)*float64(time.Millisecond))), dur(time.Duration(math.Round(math.Pow(10, d)*float64(time.Millisecond)))))
	}
	step := float64(plotInner) / float64(len(spreads))
	size := min(4, max(1.5, step/4))
	for i, s := range spreads {
		x := plotLeft + (float64(i)+0.5)*step
		if s.Reported == 0 {
			p.text(x, plotGround-2, "middle", "–")
			continue
		}
		fmt.Fprintf(p, `<line class="plot-range" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x, y(s.Median), y(s.Last))
		fmt.Fprintf(p, `<circle class="plot-median" cx="%.1f" cy="%.1f" r="%.1f" fill="currentColor"/>`, x, y(s.Median), size)
		fmt.Fprintf(p, `<rect class="plot-last" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x-size, y(s.Last)-size, 2*size, 2*size)
	}
	p.text(plotLeft, plotHeight-6, "start", "oldest change")
	p.text(plotWidth-plotRight, plotHeight-6, "end", "newest: ● median, □ last")
	return p.end()
}

// newestSpread returns the newest spread that is known.
func newestSpread(spreads []observe.Spread) observe.Spread {
	for i := len(spreads) - 1; i >= 0; i-- {
		if spreads[i].Reported > 0 {
			return spreads[i]
		}
	}
	return observe.Spread{}
}

// mostPlotted is drawn in place of longer times.
const mostPlotted = 1000 * time.Hour

// decade returns the logarithm of a number of milliseconds.
func decade(d time.Duration) float64 {
	return math.Log10(max(float64(d)/float64(time.Millisecond), 1))
}

// answerPoints is the greatest number of points of a plot of ages.
const answerPoints = 180

// answerPlot shows the age of the CDN's answer over time. It is empty if there is nothing to show.
func answerPlot(label string, answers []observe.Answer, poll time.Duration) template.HTML {
	points := thinned(answers)
	most, known := min(2*poll, mostPlotted), 0
	for i := range points {
		a := &points[i]
		a.Age = min(max(a.Age, 0), mostPlotted)
		if a.Known {
			most, known = max(most, a.Age), known+1
		}
	}
	if known == 0 || len(points) < 2 {
		return ""
	}
	most = max(most, time.Second)
	first, last := points[0].At, points[len(points)-1].At
	span := max(last.Sub(first), time.Minute)
	x := func(t time.Time) float64 { return plotLeft + float64(t.Sub(first))/float64(span)*plotInner }
	y := func(d time.Duration) float64 {
		return plotGround - float64(max(0, d))/float64(most)*(plotGround-plotTop)
	}
	now := "is not known"
	if end := points[len(points)-1]; end.Known {
		now = "is " + dur(end.Age)
	}
	p := newPlot(fmt.Sprintf("Age of the CDN's last answer for %s over the last %s: at most %s; now it %s.", label, dur(span.Round(time.Minute)), dur(greatestAge(points)), now))
	p.grid(y(0), "0 s")
	p.grid(y(most/2), dur((most / 2).Round(time.Second)))
	p.grid(y(most), dur(most.Round(time.Second)))
	p.WriteString(`<path class="plot-line" stroke-width="1.5" stroke-linejoin="round" d="`)
	pen := "M"
	for _, a := range points {
		if !a.Known {
			pen = "M"
			continue
		}
		fmt.Fprintf(p, "%s%.1f %.1f", pen, x(a.At), y(a.Age))
		if pen == "M" {
			fmt.Fprintf(p, "l.1 0") // a point alone is visible
		}
		pen = "L"
	}
	p.WriteString(`"/>`)
	p.text(plotLeft, plotHeight-6, "start", dur(span.Round(time.Minute))+" ago")
	p.text(plotWidth-plotRight, plotHeight-6, "end", "now")
	return p.end()
}

func greatestAge(answers []observe.Answer) time.Duration {
	var most time.Duration
	for _, a := range answers {
		if a.Known {
			most = max(most, a.Age)
		}
	}
	return most
}

// thinned returns at most answerPoints samples: of neighbours, the one with the greatest age, or an
// unknown one.
func thinned(answers []observe.Answer) []observe.Answer {
	every := (len(answers) + answerPoints - 1) / answerPoints
	if every < 2 {
		return slices.Clone(answers)
	}
	var points []observe.Answer
	for start := 0; start < len(answers); start += every {
		worst := answers[start]
		for _, a := range answers[start:min(start+every, len(answers))] {
			if worst.Known && (!a.Known || a.Age > worst.Age) {
				worst = a
			}
		}
		points = append(points, worst)
	}
	return points
}

// hourRow is a row of the table beside a plot of ages.
type hourRow struct {
	From  time.Time
	Most  time.Duration
	Known bool // something was known within it
	Gaps  int  // samples without a known age
}

// hourRows returns the greatest age in each hour, the newest first.
func hourRows(answers []observe.Answer) []hourRow {
	var rows []hourRow
	for i := len(answers) - 1; i >= 0; i-- {
		a := answers[i]
		from := a.At.Truncate(time.Hour)
		if len(rows) == 0 || !rows[len(rows)-1].From.Equal(from) {
			rows = append(rows, hourRow{From: from})
		}
		row := &rows[len(rows)-1]
		if a.Known {
			row.Most, row.Known = max(row.Most, a.Age), true
		} else {
			row.Gaps++
		}
	}
	return rows
}
