package e2e

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// Random faults, several at a time. No follower ever goes back, and all have the same
// content once the faults stop (I1, I8). A seed fixes the faults, but not the random pauses
// of leaders and followers.
func TestRandomFaultsNeverRollContentBack(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			harness.Virtual(t)
			synctest.Test(t, func(t *testing.T) {
				c := &chaos{Environment: harness.NewVirtual(t), random: rand.New(rand.NewPCG(seed, 0))}
				c.run(40)
			})
		})
	}
}

// chaos is an environment with random faults.
type chaos struct {
	*harness.Environment
	random  *rand.Rand
	runners []*harness.Leader
	started int
	past    []harness.Backup
}

func (c *chaos) run(steps int) {
	for range 3 {
		c.startLeader()
	}
	c.FollowN(4)
	c.AwaitVersion(c.CDN.Version(), c.PollBound())
	for range steps {
		c.past = append(c.past, c.Backup())
		c.step()
		c.Pass(time.Duration(c.random.Int64N(int64(c.Leader.LeaseDuration))))
	}
	c.endFaults()
	c.AwaitVersion(c.CDN.Publish(), c.Follower.MetaReread*3/2+c.PollBound()+c.TakeoverBound())
	c.Settle()
}

func (c *chaos) startLeader() {
	c.started++
	c.runners = append(c.runners, c.Lead("leader "+strconv.Itoa(c.started)))
}

func (c *chaos) step() {
	runner := c.random.IntN(len(c.runners))
	links := []*redistest.Link{c.runners[runner].Link, c.Followers[c.random.IntN(len(c.Followers))].Link}
	link := links[c.random.IntN(len(links))]
	switch c.random.IntN(17) {
	case 0, 1, 2:
		c.CDN.Publish()
	case 3:
		if bytes := c.random.IntN(50 << 10); c.random.IntN(2) == 0 {
			c.CDN.SetMinBytes(bytes)
		} else {
			c.CDN.SetVaryingBytes(bytes)
		}
	case 4:
		c.runners[runner].Kill()
		c.replace(runner)
	case 5:
		c.runners[runner].Link.Thaw() // a frozen process cannot shut down
		c.runners[runner].Stop()
		c.replace(runner)
	case 6, 7:
		link.Freeze()
	case 8, 9:
		for _, l := range links {
			repair(l)
		}
	case 10:
		link.Cut()
	case 11:
		link.Down()
	case 12:
		c.loseData()
	case 13:
		c.breakCDN()
	case 14, 15:
		// As after a failover to a replica that is behind.
		c.Environment.Restore(c.past[c.random.IntN(len(c.past))])
		c.Audit.Forget()
	case 16:
		// The leader's writes arrive, but not the replies.
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
	}
}

func repair(l *redistest.Link) {
	l.Drop(nil)
	l.Thaw()
	l.Up()
}

func (c *chaos) replace(i int) {
	c.runners = append(c.runners[:i], c.runners[i+1:]...)
	c.startLeader()
}

func (c *chaos) loseData() {
	keys := []string{c.Keys.Entry, c.Keys.Blob, c.Keys.Meta, c.Keys.Lock}
	if i := c.random.IntN(len(keys) + 1); i < len(keys) {
		c.Delete(keys[i])
		return
	}
	// Redis loses its data, and a leader that was cut off may write back the content that
	// it has. Followers must not accept it.
	c.FlushAll()
	c.Audit.Forget()
}

func (c *chaos) breakCDN() {
	faults := []fakecdn.Fault{nil, nil, fakecdn.Down, fakecdn.Status(503), fakecdn.Garbage(), fakecdn.TooMany(5 * time.Second)}
	c.CDN.Break(faults[c.random.IntN(len(faults))])
}

func (c *chaos) endFaults() {
	c.CDN.Repair()
	for _, r := range c.runners {
		repair(r.Link)
	}
	for _, r := range c.Followers {
		repair(r.Link)
	}
}
