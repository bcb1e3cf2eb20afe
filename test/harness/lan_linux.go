package harness

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/netns"
	"github.com/redis/go-redis/v9"
)

// LAN is an environment in its own network, in which each leader and each follower is a
// host.
type LAN struct {
	*Environment
	Net   *netns.Network
	hosts map[*redistest.Link]string
}

// OnLAN runs in a network that can drop packets.
func OnLAN(t *testing.T, p Profile, run func(l *LAN)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts servers: not with -short")
	}
	t.Parallel()
	InLanes(t, func(t *testing.T) *LAN { return newLAN(t, p) }, run)
}

func newLAN(t *testing.T, p Profile) *LAN {
	l := &LAN{Net: netns.New(t), hosts: map[*redistest.Link]string{}}
	guard := &redistest.Guard{Network: l.Net}
	server := guard.Start(t, "--protected-mode", "no") // protected mode accepts only 127.0.0.1
	connect := func(t testing.TB, _ Role, link *redistest.Link) redis.UniversalClient {
		opts := *server.Client(t, nil).Options()
		if link != nil {
			l.hosts[link] = "127.0.0." + strconv.Itoa(len(l.hosts)+2)
			opts.Dialer = redistest.Through(link, l.Net.Host(l.hosts[link]))
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
	l.Environment = New(t, connect, p)
	l.Server = server
	l.Tap(server)
	return l
}

// Direction is a direction in which packets are dropped.
type Direction string

// The directions.
const (
	ToRedis   Direction = "saddr"
	FromRedis Direction = "daddr"
)

// Cut drops the packets of a host in the given directions.
func (l *LAN) Cut(link *redistest.Link, ways ...Direction) {
	l.Helper()
	var rules []string
	for _, way := range ways {
		rules = append(rules, fmt.Sprintf("ip %s %s drop", way, l.hosts[link]))
	}
	l.Net.Filter(l.T, rules...)
}

// Reconnect lets all packets pass again.
func (l *LAN) Reconnect() { l.Net.Filter(l.T) }
