package bench_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/redis/go-redis/v9"
)

// arrivals is a line that a child process with followers prints once all of them have a version.
type arrivals struct {
	Version int64
	At      []int64 // when each follower had it, Unix ns
}

// runFollowers runs followers, each with its own connections, until the standard input ends. It
// prints arrivals for each version.
func runFollowers(cfg childConfig) error {
	var mu sync.Mutex
	waiting := map[int64]*arrivals{}
	arrived := func(version int64) {
		now := time.Now().UnixNano()
		mu.Lock()
		defer mu.Unlock()
		a := waiting[version]
		if a == nil {
			a = &arrivals{Version: version}
			waiting[version] = a
		}
		if a.At = append(a.At, now); len(a.At) == cfg.Followers {
			delete(waiting, version)
			_ = json.NewEncoder(os.Stdout).Encode(a)
		}
	}
	clients := make([]*follower.Client, cfg.Followers)
	defer closeAll(clients)
	for i := range clients {
		opts := &redis.Options{Addr: cfg.Redis}
		sparing(opts)
		patient(opts)
		client := redis.NewClient(opts)
		defer func() { _ = client.Close() }()
		c, err := follower.New(follower.Config{SDKKey: sdkKey, Redis: client, MaxInitWait: -1})
		if err != nil {
			return err
		}
		c.OnConfigChanged(func(*evaluate.Config) { arrived(versionOf(c)) })
		clients[i] = c
	}
	for _, c := range clients {
		for c.Stats().State != follower.StateLive || versionOf(c) == 0 {
			time.Sleep(2 * time.Millisecond)
		}
	}
	fmt.Println("started")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}
