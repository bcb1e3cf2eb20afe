package feed

import "time"

// freshness computes how long ago the CDN answered, see Freshness in the package documentation.
// It trusts the local clock as little as possible (I14).
type freshness struct {
	epoch    int64
	cdn      int64     // the last known answer, Unix ms by Redis's clock; 0: none
	answered time.Time // the same by the local clock, too early rather than too late
	seen     time.Time // when an observation last named this answer
	past     [16]pastAnswer
	next     int // index in past of the next one
}

// pastAnswer is an answer that was observed. After Redis lost its data, an older answer may be
// the last one. Once a leader restores the data, a past answer is observed again.
type pastAnswer struct {
	cdn int64
	at  time.Time // as answered
}

// observation is the last answer according to a message or a read of meta. It was current at
// some time between asked and received, which are equal for a message.
type observation struct {
	epoch, cdn      int64
	asked, received time.Time
	primary         bool  // it was read from the primary, which is not behind other nodes
	message         bool  // it comes from a message
	locked          bool  // a read found that a leader holds the lock
	published       int64 // when the message was published, Unix ms by Redis's clock; 0: not stated
}

// observe adds an observation, and reports whether its answer is now the last known one.
func (f *freshness) observe(o observation) bool {
	if o.cdn == 0 {
		return false
	}
	was, again := f.recall(o.cdn)
	switch {
	case f.cdn == 0:
		f.answered = o.received.Add(-max(0, sinceClock(o.received, o.cdn)))
	case o.epoch < f.epoch && !o.primary:
		return false // from a former term
	case o.epoch < f.epoch, o.epoch > f.epoch && o.cdn < f.cdn:
		// Redis lost its data, or its clock was set back. The two times are not comparable, so
		// answered stays, unless this answer was observed before.
		if again {
			f.answered = was
		}
	case o.cdn > f.cdn && again:
		f.answered = was
	case o.cdn > f.cdn:
		f.answered = o.received.Add(-bounded(sinceClock(o.received, o.cdn), o.received.Sub(f.seen)))
	case o.cdn < f.cdn:
		return false // a late message, or a read from a replica that is behind
	}
	if !again && o.cdn > f.cdn {
		f.past[f.next] = pastAnswer{o.cdn, f.answered}
		f.next = (f.next + 1) % len(f.past)
	}
	f.epoch, f.cdn, f.seen = o.epoch, o.cdn, o.asked
	return true
}

// recall returns the local time of an answer that was observed before.
func (f *freshness) recall(cdn int64) (at time.Time, known bool) {
	for _, past := range f.past {
		if past.cdn == cdn {
			return past.at, true
		}
	}
	return time.Time{}, false
}

// restart takes the answer of a rebase, even if it is older than the last one. The age stays.
func (f *freshness) restart(o observation) {
	f.epoch, f.cdn, f.seen = o.epoch, o.cdn, o.asked
	if f.answered.IsZero() {
		f.answered = o.received.Add(-max(0, sinceClock(o.received, o.cdn)))
	}
}

// sinceClock returns the age by the local clock of a time in Unix ms by Redis's clock.
func sinceClock(now time.Time, ms int64) time.Duration { return now.Sub(time.UnixMilli(ms)) }

func bounded(age, most time.Duration) time.Duration {
	if age < 0 || age > most {
		return most
	}
	return age
}
