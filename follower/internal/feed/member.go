package feed

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// Member is a client's membership of a feed. All methods are safe for concurrent use.
type Member struct {
	feed   *feed
	log    eventlog.Log
	holder *snapshot.Holder

	index int  // in members.list; guarded by members.mu
	own   *own // nil: the client did not fetch the content in force itself; guarded by members.mu

	waits   atomic.Uint64 // times that other content had to wait because of own
	rebases atomic.Uint64 // times that own was replaced by content of a lower rev
}

// Leave ends the membership. The last member stops the feed and waits for its goroutines. The
// content in force stays. Leave must be called once.
func (m *Member) Leave() {
	if release(m.feed.Options) {
		m.feed.stop()
	}
	m.feed.leave(m)
}

// Synced returns a channel that is closed once the feed has tried its first sync. All members of
// a feed share it.
func (m *Member) Synced() <-chan struct{} { return m.feed.synced }

// IsSynced reports whether [Member.Synced] is closed.
func (m *Member) IsSynced() bool { return m.feed.isSynced() }

// Refresh reads what is current, and then newer content. If full is set, it reads the content in
// any case. Concurrent calls of all members share one refresh. It returns an error if Redis does
// not answer, or lacks the content that it names, or the cause of ctx's end.
func (m *Member) Refresh(ctx context.Context, full bool) error { return m.feed.refresh(ctx, full) }

// Replace puts content in force that the client fetched itself, unless held is not the content in
// force any more, and reports whether it did. The CDN was asked at asked. Other content in Redis
// then waits until the CDN is known to have confirmed it later. If the feed has the same content
// at a higher rev, Replace adopts that rev.
func (m *Member) Replace(held, next *snapshot.Snapshot, asked time.Time) bool {
	m.feed.members.mu.Lock()
	defer m.feed.members.mu.Unlock()
	if shared := m.feed.current.Load(); shared != nil && shared.Hash == next.Hash && shared.Rev > next.Rev {
		next.Rev = shared.Rev
	}
	if !m.holder.Replace(held, next) {
		return false
	}
	m.setOwn(&own{asked: asked})
	return true
}

// Preload puts content of a file or a Cache in force if nothing is in force yet. Other content
// then waits if the writer of the file or the Cache fetched this content from the CDN itself. It
// ignores nil.
func (m *Member) Preload(next *snapshot.Snapshot) {
	m.feed.members.mu.Lock()
	defer m.feed.members.mu.Unlock()
	if next == nil || !m.holder.Replace(nil, next) {
		return
	}
	if isOwn(next) {
		m.setOwn(&own{asked: time.UnixMilli(next.FetchTime), preloaded: true})
	}
}

// Status returns the state of the feed.
func (m *Member) Status() Status {
	status := *m.feed.status.Load()
	status.Control = m.feed.inForce(status.Control)
	return status
}

// Counters returns the counters of the feed and the member.
func (m *Member) Counters() Counters {
	counters := m.feed.counters()
	counters.Waits = m.waits.Load()
	counters.Rebases += m.rebases.Load()
	return counters
}
