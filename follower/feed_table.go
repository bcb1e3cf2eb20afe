package follower

import (
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
)

// feedKey says which clients share a feed: those of one SDK key in one namespace and the
// same Redis client value that want the same of it.
type feedKey struct {
	redis   redis.UniversalClient
	keys    cachekeys.Keys // all of them, so that neither namespaces nor databases are mixed up
	timings Timings
	listen  bool
	fleet   fleetOptions
}

// sameFlags says which clients serve the same flags (S1). Without Redis they serve nobody's.
type sameFlags struct {
	redis redis.UniversalClient
	keys  cachekeys.Keys
}

// running is what runs in this process: that clients share feeds, are told of each other
// and can be closed all at once makes it the package's one global variable.
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
	address string // see [addressOf]
	users   int
}

// register notes a live client, and tells whether another one serves the same flags.
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

// acquireFeed gives the feed for key, which it starts if there is none, with what the client's
// file holds. The function that it gives leaves the feed, and stops it and waits for that
// if nobody else uses it.
func acquireFeed(key feedKey, m *member, file *snapshot) (*feed, func()) {
	running.Lock()
	defer running.Unlock()
	shared := running.feeds[key]
	if shared == nil {
		address := addressOf(key.redis)
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

// releaseFeed tells whether nobody uses the feed any more.
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

// CloseAll closes every client of this process that is not closed (S2), see [Client.Close].
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
