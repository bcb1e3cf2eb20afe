package follower

import (
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
)

// sameFlags identifies clients that serve the same flags. It does not apply to those without
// Redis.
type sameFlags struct {
	redis redis.UniversalClient
	keys  cachekeys.Keys
}

// clients contains the open clients of the process. Through it clients detect others with the
// same flags, and can be closed all at once.
var clients = struct {
	sync.Mutex
	open    map[*Client]sameFlags
	serving map[sameFlags]int // how many clients
}{open: map[*Client]sameFlags{}, serving: map[sameFlags]int{}}

// register adds a client, and reports whether another open one serves the same flags.
func register(c *Client, flags sameFlags) (another bool) {
	clients.Lock()
	defer clients.Unlock()
	clients.open[c] = flags
	if flags.redis == nil {
		return false
	}
	clients.serving[flags]++
	return clients.serving[flags] > 1
}

func unregister(c *Client) {
	clients.Lock()
	defer clients.Unlock()
	flags, registered := clients.open[c]
	if !registered {
		return
	}
	delete(clients.open, c)
	if flags.redis == nil {
		return
	}
	clients.serving[flags]--
	if clients.serving[flags] == 0 {
		delete(clients.serving, flags)
	}
}

// CloseAll closes all clients of this process (S2), see [Client.Close].
func CloseAll() {
	clients.Lock()
	open := make([]*Client, 0, len(clients.open))
	for c := range clients.open {
		open = append(open, c)
	}
	clients.Unlock()
	var group sync.WaitGroup
	for _, c := range open {
		group.Go(c.Close)
	}
	group.Wait()
}
