package observe

import (
	"slices"
	"time"
)

const (
	// maxAnswers samples are 12 hours.
	maxAnswers  = 12 * 60
	answerEvery = time.Minute
)

// answers records the age of the CDN's answer: for each minute, the greatest one that was seen.
type answers struct{ samples []Answer }

// add records an age at a time. known reports whether it is known.
func (a *answers) add(at time.Time, age time.Duration, known bool) {
	minute := at.Truncate(answerEvery)
	if n := len(a.samples); n > 0 && !minute.After(a.samples[n-1].At.Truncate(answerEvery)) {
		last := &a.samples[n-1]
		if known && (!last.Known || age > last.Age) {
			*last = Answer{At: at, Age: age, Known: true}
		}
		return
	}
	if len(a.samples) >= maxAnswers {
		a.samples = slices.Delete(a.samples, 0, 1)
	}
	a.samples = append(a.samples, Answer{At: at, Age: age, Known: known})
}

func (a *answers) all() []Answer { return slices.Clone(a.samples) }
