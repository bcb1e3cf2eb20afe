package inspect

import "time"

const (
	// late is added to the poll interval: an answer of the CDN that is older than both
	// is late, as followers count it, too.
	late = 15 * time.Second
	// ahead is how far the rev may be ahead of Redis's clock.
	ahead = 5 * time.Minute
)

// judge says what is wrong.
func (k *Key) judge(now time.Time) {
	c := k.Content
	switch {
	case c == nil:
		if len(k.Remarks) > 0 && len(k.Faults) == 0 {
			k.fault("whether the content is current cannot be told: this user may not read what is current")
		}
	case c.Rev == 0 && k.Entry != nil && k.Entry.State != Missing:
		k.fault("no leader has written content yet; there is an entry that an official SDK wrote")
	case c.Rev == 0:
		k.fault("there is no content: no leader had an answer from the CDN yet")
	default:
		k.judgeContent(now)
	}
	if k.Fleet != nil && k.Fleet.Behind > 0 {
		k.fault("%d of %d followers that report are behind", k.Fleet.Behind, k.Fleet.Following)
	}
	k.OK = len(k.Faults) == 0
}

func (k *Key) judgeContent(now time.Time) {
	c := k.Content
	if c.Waits > c.Rev {
		k.fault("Redis holds an older config than it did, rev %d after %d: followers keep the newer one, and the leader waits for the CDN "+
			"to tell which one is current; see its log (event 6118)", c.Rev, c.Waits)
	}
	if c.Age == nil {
		k.fault("the CDN never answered a leader about this content")
	} else if poll := time.Duration(c.Poll * float64(time.Second)); now.Sub(*c.LastAnswer) > poll+late {
		k.fault("the CDN's last answer is %v old, though it is polled every %v: see the leader's log",
			now.Sub(*c.LastAnswer).Round(time.Second), poll)
	}
	if rev := time.UnixMilli(c.Rev); rev.Sub(now) > ahead {
		k.fault("the rev is %v ahead of the clock: the clock of Redis, or of a host that writes the entry, was wrong", rev.Sub(now).Round(time.Second))
	}
	if k.Leader != nil && k.Leader.Epoch != c.Epoch {
		k.fault("the lock is of the epoch %d, meta of %d: the leader mends that, or Redis lost writes", k.Leader.Epoch, c.Epoch)
	}
	k.judgePart("entry, which official SDKs read,", k.Entry)
	k.judgePart("blob, which followers read,", k.Blob)
}

func (k *Key) judgePart(what string, p *Part) {
	switch {
	case p == nil || p.State == Matches:
	case p.State == Missing:
		k.fault("the %s is missing; the leader writes it again with its next renewal", what)
	case p.State == Malformed:
		k.fault("the %s is spoilt: %s", what, p.Why)
	default:
		k.fault("the %s is not what meta names: %s; the leader mends it with its next renewal", what, p.Why)
	}
}

// grace is how long after a change a follower may report the content before: the longest
// that it takes to notice a dead connection, to read in its turn, and some.
const grace = 30 * time.Second
