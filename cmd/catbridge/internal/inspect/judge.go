package inspect

import "time"

const (
	// late is added to the poll interval: an answer of the CDN that is older than both is
	// late. Followers use the same limit.
	late = 15 * time.Second
	// ahead is how far the rev may be ahead of Redis's clock.
	ahead = 5 * time.Minute
)

func (k *Key) judge(now time.Time) {
	c := k.Content
	switch {
	case c == nil:
		if len(k.Remarks) > 0 && len(k.Faults) == 0 {
			k.fault("unknown whether the content is current: this user has no right to read meta")
		}
	case c.Rev == 0 && k.Entry != nil && k.Entry.State != Missing:
		k.fault("no leader has written content yet; the entry was written by an official SDK")
	case c.Rev == 0:
		k.fault("no content: no leader has had a usable answer from the CDN yet; see the leader's log, or run catbridge doctor")
	default:
		k.judgeContent(now)
	}
	if k.Fleet != nil && k.Fleet.Behind > 0 {
		k.fault("%d of %d followers that report are behind; see their logs", k.Fleet.Behind, k.Fleet.Following)
	}
	k.OK = len(k.Faults) == 0
}

func (k *Key) judgeContent(now time.Time) {
	c := k.Content
	if c.Waits > c.Rev {
		k.fault("Redis has an older config than before, rev %d after %d: followers keep the newer one, and the leader waits for the CDN "+
			"to confirm the current one; see its log (event 6118)", c.Rev, c.Waits)
	}
	if c.Age == nil {
		k.fault("the CDN has never confirmed this content; see the leader's log")
	} else if poll := time.Duration(c.Poll * float64(time.Second)); now.Sub(*c.LastAnswer) > poll+late {
		k.fault("the CDN's last answer is %v old, but the poll interval is %v: see the leader's log",
			now.Sub(*c.LastAnswer).Round(time.Second), poll)
	}
	if rev := time.UnixMilli(c.Rev); rev.Sub(now) > ahead {
		k.fault("the rev is %v ahead of Redis's clock: check the clocks of Redis and of every host that writes the entry", rev.Sub(now).Round(time.Second))
	}
	if k.Leader != nil && k.Leader.Epoch != c.Epoch {
		k.fault("the lock has epoch %d, but meta has %d: the leader repairs that, unless Redis loses writes", k.Leader.Epoch, c.Epoch)
	}
	k.judgePart("entry, which official SDKs read,", k.Entry)
	k.judgePart("blob, which followers read,", k.Blob)
}

func (k *Key) judgePart(what string, p *Part) {
	switch {
	case p == nil || p.State == Matches:
	case p.State == Missing:
		k.fault("the %s is missing; the leader repairs it with its next renewal", what)
	case p.State == Malformed:
		k.fault("the %s is corrupt; if it stays so, delete the key, and the leader writes it again: %s", what, p.Why)
	default:
		k.fault("the %s is not the content that meta names; the leader repairs it with its next renewal: %s", what, p.Why)
	}
}

// grace is how long after a change a follower may report the previous content: the longest
// time to detect a dead connection, and to wait for its turn to read, with a reserve.
const grace = 30 * time.Second
