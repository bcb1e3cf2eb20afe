package doctor

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// maxSkew is how much clocks may differ: a heartbeat, and some time for the network.
const maxSkew = 5 * time.Second

// clock compares this host's clock with that of each node.
func (d *Doctor) clock(ctx context.Context) {
	type reading struct {
		address     string
		ahead, trip time.Duration
	}
	var mu sync.Mutex
	var readings []reading
	err := redisnode.Each(ctx, d.client, func(ctx context.Context, client *redis.Client) error {
		sent := time.Now()
		theirs, err := client.Time(ctx).Result()
		trip := time.Since(sent)
		mu.Lock()
		defer mu.Unlock()
		readings = append(readings, reading{client.Options().Addr, theirs.Sub(sent.Add(trip / 2)), trip})
		return err
	})
	switch {
	case redis.IsPermissionError(err):
		d.unknown("unknown: this user has no right to TIME")
		return
	case err != nil:
		d.unknown("unknown: %v", redisurl.Explain(err))
		return
	}
	slices.SortFunc(readings, func(a, b reading) int { return strings.Compare(a.address, b.address) })
	for _, r := range readings {
		d.compareClocks("the clock of "+r.address, r.ahead, r.trip/2)
	}
}

// compareClocks reports how far a clock is ahead of this host's, within an uncertainty.
func (d *Doctor) compareClocks(whose string, ahead, uncertain time.Duration) {
	word, off := "ahead of", ahead
	if off < 0 {
		word, off = "behind", -off
	}
	if off-uncertain > maxSkew {
		d.fault("synchronize both clocks by NTP", "%s is %v %s this host's", whose, off.Round(time.Millisecond), word)
		return
	}
	d.good("%s agrees with this host's, within %v", whose, max(off, uncertain, time.Millisecond).Round(time.Millisecond))
}
