package test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Random faults, several at a time. No follower ever goes back, and all have the same
// content once the faults stop (I1, I8). A seed fixes the faults, but not the random pauses
// of leaders and followers.
func TestRandomFaultsNeverRollContentBack(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &chaos{environment: inVirtualTime(t), random: rand.New(rand.NewPCG(seed, 0))}
				c.run(40)
			})
		})
	}
}

// chaos is an environment with random faults.
type chaos struct {
	*environment
	random  *rand.Rand
	runners []*runner
	started int
	past    []backup
}

func (c *chaos) run(steps int) {
	for range 3 {
		c.startLeader()
	}
	c.followers(4)
	c.reached(c.cdn.Version(), c.poll())
	for range steps {
		c.past = append(c.past, c.backup())
		c.step()
		c.pass(time.Duration(c.random.Int64N(int64(c.leader.LeaseDuration))))
	}
	c.endFaults()
	c.reached(c.cdn.Publish(), c.follower.MetaReread*3/2+c.poll()+c.takeover())
	c.settle()
}

func (c *chaos) startLeader() {
	c.started++
	c.runners = append(c.runners, c.lead("leader "+strconv.Itoa(c.started)))
}

func (c *chaos) step() {
	runner := c.random.IntN(len(c.runners))
	links := []*redistest.Link{c.runners[runner].link, c.readers[c.random.IntN(len(c.readers))].link}
	link := links[c.random.IntN(len(links))]
	switch c.random.IntN(17) {
	case 0, 1, 2:
		c.cdn.Publish()
	case 3:
		c.cdn.SetMinBytes(c.random.IntN(50 << 10))
	case 4:
		c.runners[runner].kill()
		c.replace(runner)
	case 5:
		c.runners[runner].link.Thaw() // a frozen process cannot shut down
		c.runners[runner].stop()
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
		c.environment.restore(c.past[c.random.IntN(len(c.past))])
		c.audit.forget()
	case 16:
		// The leader's writes arrive, but not the replies.
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK")) })
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
	keys := []string{c.keys.Entry, c.keys.Blob, c.keys.Meta, c.keys.Lock}
	if i := c.random.IntN(len(keys) + 1); i < len(keys) {
		c.del(keys[i])
		return
	}
	// Redis loses its data, and a leader that was cut off may write back the content that
	// it has. Followers must not accept it.
	c.flushAll()
	c.audit.forget()
}

func (c *chaos) breakCDN() {
	faults := []fakecdn.Fault{nil, nil, fakecdn.Down, fakecdn.Status(503), fakecdn.Garbage(), fakecdn.TooMany(5 * time.Second)}
	c.cdn.Break(faults[c.random.IntN(len(faults))])
}

func (c *chaos) endFaults() {
	c.cdn.Repair()
	for _, r := range c.runners {
		repair(r.link)
	}
	for _, r := range c.readers {
		repair(r.link)
	}
}
