package follower

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// member is a client that shares a feed.
type member struct {
	log    eventlog.Log
	holder *holder
	index  int // in members.list; guarded by members.mu
}

// members are the clients that share a feed.
type members struct {
	mu    sync.Mutex
	list  []*member
	clock redisClock
}

// join adds a client and offers it the feed's content. If the feed has no content from Redis
// yet, the client starts with the content of its file. This becomes the feed's, too: Redis can
// replace it by a lower rev only under the rebase rule.
func (f *feed) join(m *member, file *snapshot) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	m.index = len(f.members.list)
	f.members.list = append(f.members.list, m)
	held := f.current.Load()
	if a := f.confirmed.Load(); a != nil && held != nil {
		m.holder.note(item{assertion: assertion{rev: held.rev, cdn: a.cdn, hash: a.hash}, at: time.Now()}, &f.members.clock)
	}
	m.holder.offer(held, false)
	m.holder.confirm(f.confirmed.Load())
	if held != nil && held.source != SourceFile || !m.holder.offer(file, false) {
		return
	}
	if f.file == nil || f.file.rev < file.rev {
		f.file = file
	}
	select {
	case f.files <- struct{}{}:
	default:
	}
}

// takeFile returns file content that clients brought since the last call, or nil.
func (f *feed) takeFile() *snapshot {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	file := f.file
	f.file = nil
	return file
}

func (f *feed) leave(m *member) {
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
func (f *feed) publish(next *snapshot, back bool) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	f.current.Store(next)
	f.offer(next, back)
}

// offer offers content to all clients. The caller holds members.mu.
func (f *feed) offer(next *snapshot, back bool) {
	for _, m := range f.members.list {
		if own := m.holder.hasOwn.Load(); m.holder.offer(next, back) && own {
			m.holder.confirm(f.confirmed.Load()) // refused before, when other content was in force
		}
	}
}

// note passes an item to the clients that fetched for themselves, and reports whether one may
// now use its content.
func (f *feed) note(i item) (outrun bool) {
	f.members.mu.Lock()
	var waiting []*member
	if i.published != 0 {
		f.members.clock.observe(i.published, i.at)
	}
	for _, m := range f.members.list {
		outrun = m.holder.note(i, &f.members.clock) || outrun
		if m.holder.startsWaiting() {
			waiting = append(waiting, m)
		}
	}
	f.members.mu.Unlock()
	for _, m := range waiting {
		m.log.Info(eventWaits, "Redis names another config than the one that this client fetched from the CDN. The one in Redis waits until the CDN is known to have confirmed it later.",
			slog.String("hash", i.hash), slog.Int64("rev", i.rev))
	}
	return outrun
}

// forget drops the evidence of clients that fetched for themselves.
func (f *feed) forget() {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	for _, m := range f.members.list {
		m.holder.forget()
	}
}

// offerAgain offers the feed's content to clients that fetched for themselves and may use it now.
func (f *feed) offerAgain() {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	held := f.current.Load()
	for _, m := range f.members.list {
		if m.holder.mayReplaceOwn(held) && m.holder.offer(held, false) {
			m.holder.confirm(f.confirmed.Load())
		}
	}
}

// isAwaited reports whether content waits for a client that fetched for itself.
func (f *feed) isAwaited() bool {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	return slices.ContainsFunc(f.members.list, func(m *member) bool { return m.holder.isWaiting() })
}

// replace puts content in force that a client fetched itself. If the feed has the same content
// at a higher rev, replace adopts that rev.
func (f *feed) replace(h *holder, held, next *snapshot, asked time.Time) bool {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	if shared := f.current.Load(); shared != nil && shared.hash == next.hash && shared.rev > next.rev {
		next.rev = shared.rev
	}
	return h.replace(held, next, &own{asked: asked})
}

func (f *feed) publishAnswer(a *answer) {
	f.members.mu.Lock()
	defer f.members.mu.Unlock()
	f.confirmed.Store(a)
	for _, m := range f.members.list {
		m.holder.confirm(a)
	}
}

// feedLog writes a feed's events to the logs of all its clients.
type feedLog struct{ members *members }

func (l feedLog) Debug(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelDebug, id, text, attrs)
}

func (l feedLog) Info(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelInfo, id, text, attrs)
}

func (l feedLog) Warn(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelWarn, id, text, attrs)
}

func (l feedLog) Error(id int, text string, attrs ...slog.Attr) {
	l.event(slog.LevelError, id, text, attrs)
}

func (l feedLog) event(level slog.Level, id int, text string, attrs []slog.Attr) {
	for _, m := range l.clone() {
		m.log.Event(level, id, text, slices.Clip(attrs)...)
	}
}

// disconnected also logs whether the client has a config, perhaps one of its own.
func (l feedLog) disconnected(err error) {
	for _, m := range l.clone() {
		rest := "There is no config in memory yet."
		if m.holder.current.Load() != nil {
			rest = "Evaluation continues with the config in memory."
		}
		m.log.Warn(eventDisconnected, "Redis is unreachable; retrying. "+rest, eventlog.Err(err))
	}
}

func (l feedLog) clone() []*member {
	l.members.mu.Lock()
	defer l.members.mu.Unlock()
	return slices.Clone(l.members.list)
}
