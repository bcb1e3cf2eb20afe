package test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/netns"
	"github.com/redis/go-redis/v9"
)

// lan is an environment in its own network, in which each leader and each follower is a
// host.
type lan struct {
	*environment
	net   *netns.Network
	hosts map[*redistest.Link]string
}

// onLAN runs in a network that can drop packets.
func onLAN(t *testing.T, p profile, run func(l *lan)) {
	t.Helper()
	if testing.Short() {
		t.Skip("waits for connections to time out")
	}
	t.Parallel()
	inLanes(t, func(t *testing.T) *lan { return newLAN(t, p) }, run)
}

func newLAN(t *testing.T, p profile) *lan {
	l := &lan{net: netns.New(t), hosts: map[*redistest.Link]string{}}
	guard := &redistest.Guard{Network: l.net}
	server := guard.Start(t, "--protected-mode", "no") // protected mode accepts only 127.0.0.1
	connect := func(t testing.TB, _ role, link *redistest.Link) redis.UniversalClient {
		opts := *server.Client(t, nil).Options()
		if link != nil {
			l.hosts[link] = "127.0.0." + strconv.Itoa(len(l.hosts)+2)
			opts.Dialer = redistest.Through(link, l.net.Host(l.hosts[link]))
		}
		client := redis.NewClient(&opts)
		t.Cleanup(func() {
			_ = client.Close()
			if link != nil {
				link.Cut()
			}
		})
		return client
	}
	l.environment = newEnvironment(t, connect, p)
	l.server = server
	l.tap(server)
	return l
}

// way is a direction in which packets are dropped.
type way string

const (
	toRedis   way = "saddr"
	fromRedis way = "daddr"
)

// cut drops the packets of a host in the given directions.
func (l *lan) cut(link *redistest.Link, ways ...way) {
	l.Helper()
	var rules []string
	for _, way := range ways {
		rules = append(rules, fmt.Sprintf("ip %s %s drop", way, l.hosts[link]))
	}
	l.net.Filter(l.T, rules...)
}

func (l *lan) reconnect() { l.net.Filter(l.T) }

// patient returns the default durations: a lost connection is detected within 10 s.
func patient() profile {
	p := profile{leader: leader.DefaultTiming(), follower: follower.DefaultTimings(), slack: busy}
	p.leader.PollInterval = 2 * time.Second
	return p
}

var cuts = map[string][]way{"to Redis": {toRedis}, "from Redis": {fromRedis}, "both ways": {toRedis, fromRedis}}

// The network silently drops packets, in each direction and in both.
func TestF11_FollowerNoticesThatItIsCutOff(t *testing.T) {
	for name, ways := range cuts {
		t.Run(name, func(t *testing.T) {
			onLAN(t, patient(), func(l *lan) {
				l.ready(2)
				for range l.rounds(1) {
					cut := l.readers[0]
					l.pass(l.upTo(l.leader.RenewInterval))
					l.cut(cut.link, ways...)
					since, bound := time.Now(), l.follower.Dead+roundTrip
					if !slices.Contains(ways, fromRedis) {
						bound += l.leader.RenewInterval // a heartbeat may arrive until TCP misses an acknowledgement
					}
					l.noticed(cut, since)
					l.part("from the cut on").recovered(since, bound)
					version := l.cdn.Publish()
					l.eventually(l.poll(), "the other follower has it", func() bool { return l.readers[1].version() == version })
					if v := cut.version(); v != version-1 {
						l.Errorf("version %d through a network that is cut", v)
					}
					l.reconnect()
					reconnected, bound := time.Now(), l.follower.BackoffMax+l.follower.Dead
					l.reached(version, bound)
					l.part("content after reconnecting").recovered(reconnected, bound)
					l.settle()
				}
			})
		})
	}
}

// A leader that is cut off detects it and stops acting. Another one takes over when the
// lock expires; if only the replies are lost, the leader's renewals arrive until it stops.
func TestF11_LeaderThatIsCutOffIsReplaced(t *testing.T) {
	for name, ways := range cuts {
		t.Run(name, func(t *testing.T) {
			onLAN(t, patient(), func(l *lan) {
				first, second := l.ready(2)
				for range l.rounds(1) {
					l.pass(l.upTo(l.leader.RenewInterval))
					l.cut(first.link, ways...)
					since := time.Now()
					bound := l.leader.RenewDeadline + roundTrip
					l.eventually(bound, "the one that is cut off stops acting", func() bool { return !first.leads() })
					l.recovered(since, bound)
					bound = l.takeover()
					if !slices.Contains(ways, toRedis) {
						bound += l.leader.RenewDeadline
					}
					l.eventually(bound, "the other leads", second.leads)
					l.part("another leads").recovered(since, bound)
					l.reached(l.cdn.Publish(), l.poll())
					l.reconnect()
					l.eventually(l.takeover(), "it knows the new leader", func() bool { return first.stats().LockHolder == second.ID() })
					l.settle()
					first, second = second, first
				}
			})
		})
	}
}

// One packet in twenty is lost: the leader stays, and no follower gives up its connection.
func TestF31_LostPacketsDoNotReplaceTheLeader(t *testing.T) {
	onLAN(t, patient(), func(l *lan) {
		first, _ := l.ready(3)
		l.net.Filter(l.T, "numgen random mod 100 < 5 counter drop")
		l.steadyFor(first, 2*l.leader.LeaseDuration)
		if n := l.net.Counted(l.T); n == 0 {
			l.Error("no packet was lost")
		}
		l.reconnect()
		l.settle()
	})
}
