package feed

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

// members are the members of a feed.
type members struct {
	mu    sync.Mutex
	list  []*Member
	clock redisClock
}

// join adds a client and offers it the feed's content. If the feed has no content from Redis
// yet, the client starts with the content of its file. This becomes the feed's, too: Redis can
// replace it by a lower rev only under the rebase rule.
func (f *feed) join(m *Member, file *snapshot.Snapshot) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	m.index = len(f.members.list)
	f.members.list = append(f.members.list, m)
	held := f.current.Load()
	if a := f.confirmed.Load(); a != nil && held != nil {
		m.note(item{assertion: assertion{rev: held.Rev, cdn: a.CDN, hash: a.Hash}, at: time.Now()}, &f.members.clock)
	}
	m.offer(held, false)
	m.holder.Confirm(f.confirmed.Load())
	if held != nil && held.Source != snapshot.SourceFile || !m.offer(file, false) {
		return
	}
	if f.file == nil || f.file.Rev < file.Rev {
		f.file = file
	}
	select {
	case f.files <- struct{}{}:
	default:
	}
}

// takeFile returns file content that clients brought since the last call, or nil.
func (f *feed) takeFile() *snapshot.Snapshot {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	file := f.file
	f.file = nil
	return file
}

func (f *feed) leave(m *Member) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	list := f.members.list
	last := list[len(list)-1]
	list[m.index], last.index = last, m.index
	list[len(list)-1] = nil
	f.members.list = list[:len(list)-1]
}

// publish sets the feed's content and offers it to all clients. If back is set, its rev is
// lower than the previous one.
func (f *feed) publish(next *snapshot.Snapshot, back bool) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	f.current.Store(next)
	f.offer(next, back)
}

// offer offers content to all clients. The caller holds members.mu.
func (f *feed) offer(next *snapshot.Snapshot, back bool) {
	for _, m := range f.members.list {
		if hadOwn := m.own != nil; m.offer(next, back) && hadOwn {
			m.holder.Confirm(f.confirmed.Load()) // refused before, when other content was in force
		}
	}
}

// note passes an item to the clients that fetched for themselves, and reports whether one may
// now use its content.
func (f *feed) note(i item) (outrun bool) {
	f.members.mu.Lock()
	var waiting []*Member
	if i.published != 0 {
		f.members.clock.observe(i.published, i.at)
	}
	for _, m := range f.members.list {
		outrun = m.note(i, &f.members.clock) || outrun
		if m.startsWaiting() {
			waiting = append(waiting, m)
		}
	}
	f.members.mu.Unlock()
	for _, m := range waiting {
		m.log.Info(eventid.Waits, "Redis names another config than the one that this client fetched from the CDN. The one in Redis waits until the CDN is known to have confirmed it later.",
			slog.String("hash", i.hash), slog.Int64("rev", i.rev))
	}
	return outrun
}

// forget drops the evidence of clients that fetched for themselves.
func (f *feed) forget() {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	for _, m := range f.members.list {
		m.forget()
	}
}

// offerAgain offers the feed's content to clients that fetched for themselves and may use it now.
func (f *feed) offerAgain() {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	held := f.current.Load()
	for _, m := range f.members.list {
		if m.mayReplaceOwn(held) && m.offer(held, false) {
			m.holder.Confirm(f.confirmed.Load())
		}
	}
}

// isAwaited reports whether content waits for a client that fetched for itself.
func (f *feed) isAwaited() bool {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	return slices.ContainsFunc(f.members.list, func(m *Member) bool { return m.isWaiting() })
}

func (f *feed) publishAnswer(a *snapshot.Answer) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	f.confirmed.Store(a)
	for _, m := range f.members.list {
		m.holder.Confirm(a)
	}
}
