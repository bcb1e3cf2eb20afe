package test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/catbridge/catbridge/test/redistest"
)

// Many faults at random, several at a time. No follower ever goes back meanwhile, and
// once the faults stop all hold the same (I1, I8). A seed gives the same faults each
// time; the pauses that leaders and followers take by chance still differ.
func TestRandomFaultsNeverTakeContentBack(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, to(redistest.Virtual(t)), virtualProfile(), true)
				c := &chaos{world: w, random: rand.New(rand.NewPCG(seed, 0))}
				c.play(40)
			})
		})
	}
}

// chaos is a world in which things go wrong.
type chaos struct {
	*world
	random  *rand.Rand
	runners []*runner
	started int
	past    []stored
}

// stored is what Redis held at a moment.
type stored struct {
	entry, blob string
	meta        map[string]string
}

func (c *chaos) play(steps int) {
	for range 3 {
		c.startLeader()
	}
	c.followers(4)
	c.reached(c.cdn.Version(), c.poll())
	for range steps {
		c.past = append(c.past, c.now())
		c.step()
		c.pass(time.Duration(c.random.Int64N(int64(c.leader.LeaseDuration))))
	}
	c.heal()
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
		c.runners[runner].link.Thaw() // a frozen process does not shut down
		c.runners[runner].stop()
		c.replace(runner)
	case 6, 7:
		link.Freeze()
	case 8, 9:
		for _, l := range links {
			restore(l)
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
		c.fallBack(c.past[c.random.IntN(len(c.past))])
	case 16:
		// What the leader writes is written, and it does not hear of it.
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK")) })
	}
}

func (c *chaos) now() stored {
	ctx := c.Context()
	return stored{c.admin.Get(ctx, c.keys.Entry).Val(), c.admin.Get(ctx, c.keys.Blob).Val(), c.admin.HGetAll(ctx, c.keys.Meta).Val()}
}

// fallBack is a failover to a replica that is as far behind, when the lock has run out.
func (c *chaos) fallBack(to stored) {
	c.flushAll()
	ctx := c.Context()
	for key, value := range map[string]string{c.keys.Entry: to.entry, c.keys.Blob: to.blob} {
		if value != "" {
			c.admin.Set(ctx, key, value, 0)
		}
	}
	if len(to.meta) > 0 {
		c.admin.HSet(ctx, c.keys.Meta, to.meta)
	}
	c.audit.forget()
}

func restore(l *redistest.Link) {
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
	// Redis forgets what was stored; a leader that was cut off may fill it with what it
	// held. Followers must not take that.
	c.flushAll()
	c.audit.forget()
}

func (c *chaos) breakCDN() {
	faults := []fakecdn.Fault{nil, nil, down, fakecdn.Status(503), fakecdn.Garbage(), fakecdn.TooMany(5 * time.Second)}
	c.cdn.Break(faults[c.random.IntN(len(faults))])
}

func (c *chaos) heal() {
	c.cdn.Mend()
	for _, r := range c.runners {
		restore(r.link)
	}
	for _, r := range c.readers {
		restore(r.link)
	}
}
