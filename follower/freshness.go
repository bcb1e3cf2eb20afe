package follower

import "time"

const (
	// upToDateSlack is added to the leader's poll interval: content whose last answer
	// from the CDN is younger than both together is up to date (S47).
	upToDateSlack = 15 * time.Second
	// defaultPoll is the leader's poll interval as long as nothing told another.
	defaultPoll = 55 * time.Second
)

// freshness tells how long ago the CDN answered, from times that Redis's clock
// gave, without trusting the local clock more than it must (I14).
//
// When a message tells a later answer than the one before it did, that answer came
// between the two, whatever the local clock says. So the local clock counts only
// for the first answer heard of, and within that bound later.
type freshness struct {
	epoch    int64
	cdn      int64     // the last answer known of, Unix ms by Redis's clock; 0: none
	answered time.Time // when that was by the local clock, rather too early than too late
	seen     time.Time // when it was last seen to be the last one
	past     [16]pastAnswer
	next     int // where the next one goes
}

// pastAnswer is an answer that was heard of. After Redis lost its data an older one is the
// last, and then one of these may come again, when a leader writes what was lost.
type pastAnswer struct {
	cdn int64
	at  time.Time // as answered
}

// observation is what a message or a read of meta says about the last answer. It was so
// at some moment between asked and received, which are equal for a message.
type observation struct {
	epoch, cdn      int64
	asked, received time.Time
	// primary: read, and from a node that is not behind any other.
	primary bool
	// message: of a message; published: when that was, Unix ms by Redis's clock, 0: not stated.
	message   bool
	published int64
}

// observe takes in an observation, and reports whether that is what is known to be the last answer now.
func (f *freshness) observe(o observation) bool {
	if o.cdn == 0 {
		return false
	}
	was, again := f.recall(o.cdn)
	switch {
	case f.cdn == 0:
		f.answered = o.received.Add(-max(0, sinceClock(o.received, o.cdn)))
	case o.epoch < f.epoch && !o.primary:
		return false // of a term that is over
	case o.epoch < f.epoch, o.epoch > f.epoch && o.cdn < f.cdn:
		// Redis lost its data, or its clock went back. The two times do not compare, so
		// nothing is asserted: answered stays, unless this answer is known.
		if again {
			f.answered = was
		}
	case o.cdn > f.cdn && again:
		f.answered = was
	case o.cdn > f.cdn:
		f.answered = o.received.Add(-bounded(sinceClock(o.received, o.cdn), o.received.Sub(f.seen)))
	case o.cdn < f.cdn:
		return false // late, or from a replica that is behind
	}
	if !again && o.cdn > f.cdn {
		f.past[f.next] = pastAnswer{o.cdn, f.answered}
		f.next = (f.next + 1) % len(f.past)
	}
	f.epoch, f.cdn, f.seen = o.epoch, o.cdn, o.asked
	return true
}

// recall gives when an answer was that was heard of before.
func (f *freshness) recall(cdn int64) (at time.Time, known bool) {
	for _, past := range f.past {
		if past.cdn == cdn {
			return past.at, true
		}
	}
	return time.Time{}, false
}

// restart forgets the order of answers, after a rebase. The age of the last one stays.
func (f *freshness) restart(o observation) {
	f.epoch, f.cdn, f.seen = o.epoch, o.cdn, o.asked
	if f.answered.IsZero() {
		f.answered = o.received.Add(-max(0, sinceClock(o.received, o.cdn)))
	}
}

// sinceClock is the age of a time of Redis's clock by the local clock.
func sinceClock(now time.Time, ms int64) time.Duration { return now.Sub(time.UnixMilli(ms)) }

// bounded is the age by the local clock if it is possible, else the greatest possible one.
func bounded(age, most time.Duration) time.Duration {
	if age < 0 || age > most {
		return most
	}
	return age
}

// answer is what evaluation's callers see: the last answer from the CDN that
// confirmed the content in force. Immutable.
type answer struct {
	hash string // of the content
	cdn  int64
	at   time.Time // local, monotonic
	poll time.Duration
}

func (a *answer) age(now time.Time) (age time.Duration, known bool) {
	if a == nil {
		return 0, false
	}
	return max(0, now.Sub(a.at)), true
}

func (a *answer) upToDate(now time.Time) bool {
	age, known := a.age(now)
	return known && age < a.poll+upToDateSlack
}
