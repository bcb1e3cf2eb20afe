package snapshot

import "time"

// UpToDateSlack is added to the leader's poll interval: content is up to date if the CDN's last
// answer about it is younger than their sum (S47).
const UpToDateSlack = 15 * time.Second

// Answer is the last answer of the CDN that confirmed some content. It is immutable. A nil Answer
// is an unknown one.
type Answer struct {
	Hash string // of the content
	CDN  int64  // its time, Unix ms by Redis's clock or, if the client asked itself, the local one
	At   time.Time
	Poll time.Duration // the interval at which the CDN is asked
}

// Age returns how long ago the CDN answered.
func (a *Answer) Age(now time.Time) (age time.Duration, known bool) {
	if a == nil {
		return 0, false
	}
	return max(0, now.Sub(a.At)), true
}

// UpToDate reports whether the CDN answered within the last poll interval and [UpToDateSlack].
func (a *Answer) UpToDate(now time.Time) bool {
	age, known := a.Age(now)
	return known && age-UpToDateSlack < a.Poll // a sum might overflow: Poll may be any interval
}
