package ui

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

var coordinate = regexp.MustCompile(`\b(x|y|cx|cy|x1|x2|y1|y2)="([^"]*)"`)

// wantInside checks that all coordinates are numbers within the image.
func wantInside(t *testing.T, svg string) {
	t.Helper()
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("not a number: %s", svg)
	}
	for _, at := range coordinate.FindAllStringSubmatch(svg, -1) {
		n, err := strconv.ParseFloat(at[2], 64)
		limit := float64(plotWidth)
		if strings.Contains(at[1], "y") {
			limit = plotHeight
		}
		if err != nil || n < 0 || n > limit {
			t.Errorf("%s is outside of the image", at[0])
		}
	}
}

func TestPlotsStayInsideTheImage(t *testing.T) {
	now := time.Now()
	for _, lag := range []time.Duration{1, time.Microsecond, time.Millisecond, time.Second, 48 * time.Hour, 1 << 62} {
		for _, n := range []int{1, 2, 50} {
			spreads := make([]observe.Spread, n)
			for i := range spreads {
				spreads[i] = observe.Spread{Rev: int64(i), Time: now, Median: lag, Last: lag, Reported: i%3 + 1}
			}
			spreads[0].Median /= 2
			wantInside(t, string(spreadPlot(`"><script>`, spreads)))
		}
		answers := []observe.Answer{{At: now, Age: lag, Known: true}, {At: now.Add(time.Minute)}, {At: now.Add(2 * time.Minute), Known: true}, {At: now.Add(2 * time.Minute), Age: -lag, Known: true}}
		svg := string(answerPlot(`"><script>`, answers, time.Minute))
		wantInside(t, svg)
		if strings.Contains(svg, "<script") || strings.Contains(svg, "style=") || !strings.Contains(svg, "<title>") || svg == "" {
			t.Errorf("%s", svg)
		}
	}
}

func TestWhatIsNotKnownIsNotDrawn(t *testing.T) {
	if spreadPlot("a", nil) != "" || spreadPlot("a", []observe.Spread{{Rev: 1}}) != "" {
		t.Error("a plot of nothing")
	}
	if answerPlot("a", nil, 0) != "" || answerPlot("a", []observe.Answer{{}, {}}, 0) != "" || answerPlot("a", []observe.Answer{{Known: true}}, 0) != "" {
		t.Error("a plot of nothing")
	}
	now := time.Now()
	svg := string(answerPlot("a", []observe.Answer{{At: now, Known: true}, {At: now.Add(time.Minute)}, {At: now.Add(2 * time.Minute), Known: true}}, time.Minute))
	if strings.Count(svg, `M`) != 2 {
		t.Errorf("a gap is drawn as a line: %s", svg)
	}
	if svg := string(spreadPlot("a", []observe.Spread{{Rev: 1}, {Rev: 2, Median: time.Second, Last: time.Second, Reported: 1}})); strings.Count(svg, "<circle") != 1 {
		t.Errorf("%s", svg)
	}
}

func TestThinnedSamplesKeepTheGreatestAgesAndGaps(t *testing.T) {
	answers := make([]observe.Answer, 720)
	for i := range answers {
		answers[i] = observe.Answer{At: time.Unix(int64(i)*60, 0), Age: time.Second, Known: true}
	}
	answers[301].Age, answers[500].Known = time.Hour, false
	points := thinned(answers)
	gaps := 0
	for _, a := range points {
		if !a.Known {
			gaps++
		}
	}
	if len(points) > answerPoints || greatestAge(points) != time.Hour || gaps != 1 {
		t.Errorf("%d points, %v, %d gaps", len(points), greatestAge(points), gaps)
	}
	if rows := hourRows(answers); len(rows) != 12 || rows[11].From.Unix() != 0 || rows[6].Most != time.Hour || rows[3].Gaps != 1 {
		t.Errorf("%+v", rows)
	}
}
