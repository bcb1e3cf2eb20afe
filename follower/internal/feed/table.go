package follower

import (
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// feedKey identifies a feed. Clients with equal keys share one.
type feedKey struct {
	redis   redis.UniversalClient
	keys    cachekeys.Keys // they differ by SDK key, namespace and database
	timings Timings
	listen  bool
	fleet   fleetOptions
}

// sameFlags identifies clients that serve the same flags. It does not apply to those without
// Redis.
type sameFlags struct {
	redis redis.UniversalClient
	keys  cachekeys.Keys
}

// running is process-wide state. Through it clients share feeds, detect other clients with the
// same flags, and can be closed all at once.
var running = struct {
	sync.Mutex
	feeds    map[feedKey]*sharedFeed
	limiters limiterTable
	clients  map[*Client]sameFlags
	serving  map[sameFlags]int // how many clients
}{feeds: map[feedKey]*sharedFeed{}, limiters: limiterTable{}, clients: map[*Client]sameFlags{}, serving: map[sameFlags]int{}}

// sharedFeed is a feed and the number of its clients.
type sharedFeed struct {
	*feed
	address string
	users   int
}

// register adds a client, and reports whether another live one serves the same flags.
func register(c *Client, flags sameFlags) (another bool) {
	running.Lock()
	defer running.Unlock()
	running.clients[c] = flags
	if flags.redis == nil {
		return false
	}
	running.serving[flags]++
	return running.serving[flags] > 1
}

func unregister(c *Client) {
	running.Lock()
	defer running.Unlock()
	flags, registered := running.clients[c]
	if !registered {
		return
	}
	delete(running.clients, c)
	if flags.redis == nil {
		return
	}
	running.serving[flags]--
	if running.serving[flags] == 0 {
		delete(running.serving, flags)
	}
}

// acquireFeed returns the feed for key with m as a member. It starts a new one with the content
// of the client's file. The returned function leaves the feed. If no other client uses it, it
// stops the feed and waits for that.
func acquireFeed(key feedKey, m *member, file *snapshot) (*feed, func()) {
	running.Lock()
	defer running.Unlock()
	shared := running.feeds[key]
	if shared == nil {
		address := redisnode.OptionsOf(key.redis).Addr
		shared = &sharedFeed{feed: newFeed(key, running.limiters.join(address)), address: address}
		shared.current.Store(file)
		shared.join(m, nil)
		shared.start()
		running.feeds[key] = shared
	} else {
		shared.join(m, file)
	}
	shared.users++
	return shared.feed, func() {
		if releaseFeed(key, shared) {
			shared.stop()
		}
		shared.leave(m)
	}
}

// releaseFeed reports whether its user was the last one.
func releaseFeed(key feedKey, shared *sharedFeed) bool {
	running.Lock()
	defer running.Unlock()
	shared.users--
	if shared.users > 0 {
		return false
	}
	delete(running.feeds, key)
	running.limiters.leave(shared.address)
	return true
}

// CloseAll closes all clients of this process (S2), see [Client.Close].
func CloseAll() {
	running.Lock()
	clients := make([]*Client, 0, len(running.clients))
	for c := range running.clients {
		clients = append(clients, c)
	}
	running.Unlock()
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(c.Close)
	}
	group.Wait()
}
