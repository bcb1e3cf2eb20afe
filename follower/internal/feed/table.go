package feed

import (
	"sync"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// table contains the feeds of the process, through which clients share them.
var table = struct {
	sync.Mutex
	feeds    map[Options]*sharedFeed
	limiters limiterTable
}{feeds: map[Options]*sharedFeed{}, limiters: limiterTable{}}

// sharedFeed is a feed and the number of its users.
type sharedFeed struct {
	*feed
	address string
	users   int
}

// Join makes a client a member of the feed with these options, and starts that feed if there is
// none. The client receives the feed's content through holder, and its events through log. file
// is the content of its snapshot file, or nil. The holder must not have content yet. The caller
// must call [Member.Leave].
func Join(options Options, log eventlog.Log, holder *snapshot.Holder, file *snapshot.Snapshot) *Member {
	table.Lock()
	defer table.Unlock()
	shared := table.feeds[options]
	isNew := shared == nil
	if isNew {
		address := redisnode.OptionsOf(options.Redis).Addr
		shared = &sharedFeed{feed: newFeed(options, table.limiters.join(address)), address: address}
		table.feeds[options] = shared
	}
	shared.users++
	m := &Member{feed: shared.feed, log: log, holder: holder}
	if isOwn(file) {
		m.Preload(file)
		file = nil // revs do not order it, so other members must not get it
	}
	if isNew {
		shared.current.Store(file)
		shared.join(m, nil)
		shared.start()
	} else {
		shared.join(m, file)
	}
	return m
}

// release reports whether its user was the last one.
func release(options Options) bool {
	table.Lock()
	defer table.Unlock()
	shared := table.feeds[options]
	shared.users--
	if shared.users > 0 {
		return false
	}
	delete(table.feeds, options)
	table.limiters.leave(shared.address)
	return true
}
