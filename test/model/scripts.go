package model

import (
	"cmp"
	"slices"

	"github.com/catbridge/catbridge/internal/wire"
)

// longLock times its own lease is the longest remaining time of a lock that a candidate
// accepts.
const longLock = 4

func (s *store) expire(now int64) {
	if s.lock.owner != 0 && s.lock.until <= now {
		s.lock = lock{}
	}
}

func (s *store) holds(l lock) bool { return s.lock.owner == l.owner && s.lock.epoch == l.epoch }

// acquire is acquire.lua.
func (s *store) acquire(now int64, r *request, without Guard) reply {
	if s.lock.owner != 0 && s.lock.owner != r.lock.owner {
		if s.lock.until-now > longLock*r.lease && !without.has(LockEnds) {
			s.lock.until = now + r.lease
		}
		return reply{outcome: outcomeHeld, lock: s.lock, left: s.lock.until - now, now: now, meta: s.meta}
	}
	epoch := max(now, s.meta.epoch+1, s.lock.epoch+1, r.highest+1)
	s.lock = lock{owner: r.lock.owner, epoch: epoch, until: now + r.lease}
	s.meta.epoch = epoch
	return reply{outcome: outcomeAcquired, lock: s.lock, left: r.lease, now: now, meta: s.meta}
}

// commit is commit.lua.
func (s *store) commit(now int64, r *request, without Guard) reply {
	if !s.holds(r.lock) && !without.has(FencedCommit) {
		return reply{outcome: outcomeFenced}
	}
	if s.meta.rev != r.base && !without.has(Base) {
		return reply{outcome: outcomeStale, now: now, meta: s.meta}
	}
	var answered int64
	if r.age >= 0 {
		answered = min(now-r.age, r.latest)
	}
	if s.entry.rev > r.overwriteUpTo && s.entry.etag != r.hash && s.entry.rev > s.meta.rev && s.entry.rev >= answered && !without.has(AskBeforeRepair) {
		return reply{outcome: outcomeOverwritten, found: s.entry.rev, now: now, meta: s.meta}
	}
	rev := max(answered, s.meta.rev+1, r.above+1, wire.MinRev)
	if !without.has(EntryFloor) {
		rev = max(rev, s.entry.rev+1)
	}
	if without.has(RevRises) {
		rev = now
		if r.age >= 0 {
			rev = answered
		}
	}
	if without.has(RepairStaysBehind) {
		rev = max(rev, now)
	}
	cdn := answered
	if r.age < 0 {
		cdn = r.cdn
	}
	recent := s.meta.merge(now, r)
	if r.hash != s.meta.hash {
		switch {
		case r.patchFrom != none && r.patchFrom == s.meta.hash:
			s.patches = r.patches
		case !without.has(PatchesDeleted):
			s.patches = nil
		}
	}
	s.record(r)
	waits := r.waits
	if rev > waits {
		waits = 0
	}
	s.entry = entry{rev: rev, etag: r.hash, body: r.hash}
	s.blob = blob{rev: rev, hash: r.hash, body: r.hash}
	s.meta = meta{epoch: r.lock.epoch, rev: rev, hash: r.hash, cdn: cdn, recent: recent, waits: waits}
	if s.holds(r.lock) {
		s.lock.until = now + r.lease
	}
	return reply{outcome: outcomeOK, rev: rev, cdn: cdn, now: now, message: message{
		kind: change, rev: rev, cdn: cdn, hash: r.hash, epoch: r.lock.epoch, inline: r.inline, base: r.patchFrom, body: r.hash, stored: len(r.patches) > 0,
	}}
}

// maxHistory is the greatest number of entries in the history.
const maxHistory = 5

// record is the function record of commit.lua.
func (s *store) record(r *request) {
	before := s.meta.hash
	switch newest := len(s.history) - 1; {
	case before == r.hash:
		return
	case before == none && newest >= 0 && s.history[newest].hash == r.hash:
		return
	}
	e := recorded{hash: r.hash, from: before, back: before != none && r.backTo == before}
	s.history = append(slices.Clone(s.history), e)
	s.history = s.history[max(0, len(s.history)-maxHistory):]
}

// merge returns the contents that were replaced last: the one replaced now, those that the
// leader knows, and those in meta.
func (m *meta) merge(now int64, r *request) []replaced {
	var all []replaced
	add := func(until int64, c content) {
		if c == r.hash || c == none {
			return
		}
		i := slices.IndexFunc(all, func(old replaced) bool { return old.etag == c })
		switch {
		case i < 0:
			all = append(all, replaced{until, c})
		case all[i].until < until:
			all[i].until = until
		}
	}
	if m.rev != 0 {
		add(now, m.hash)
	}
	for _, old := range r.replaced {
		add(max(now-old.until, 1), old.etag)
	}
	for _, old := range m.recent {
		add(old.until, old.etag)
	}
	slices.SortStableFunc(all, func(a, b replaced) int { return cmp.Compare(b.until, a.until) })
	return all[:min(len(all), 8)]
}

// renew is renew.lua.
func (s *store) renew(now int64, r *request, without Guard) reply {
	if !s.holds(r.lock) && !without.has(FencedRenewal) {
		return reply{outcome: outcomeFenced}
	}
	state := outcomeOK
	switch m := s.meta; {
	case m.rev != r.base || m.hash != r.hash:
		state = outcomeRegressed
		if m.rev > r.base && m.hash == r.hash {
			state = outcomeStale
		}
	case r.base == 0:
	case s.entry.rev != m.rev || s.entry.etag != r.hash, s.blob.rev != m.rev || s.blob.hash != r.hash, m.epoch != r.lock.epoch:
		state = outcomeOverwritten
	}
	if without.has(RenewalChecks) {
		state = outcomeOK
	}
	if s.holds(r.lock) {
		s.lock.until = now + r.lease
	}
	if state != outcomeOK {
		return reply{outcome: state, found: s.entry.rev, now: now, meta: s.meta}
	}
	rev, cdn := r.base, s.meta.cdn
	if r.age >= 0 && r.base > 0 {
		cdn = min(now-r.age, r.latest)
		rev = max(cdn, r.base+1, r.above+1)
		s.entry.rev, s.blob.rev, s.meta.rev, s.meta.cdn = rev, rev, rev, cdn
	}
	if r.base > 0 {
		s.meta.waits = r.waits
	}
	return reply{outcome: outcomeOK, rev: rev, cdn: cdn, now: now, message: message{
		kind: heartbeat, rev: rev, cdn: cdn, hash: r.hash, epoch: r.lock.epoch, stored: len(r.patches) > 0,
	}}
}

// release is release.lua.
func (s *store) release(r *request) reply {
	if !s.holds(r.lock) {
		return reply{outcome: outcomeFenced}
	}
	s.lock = lock{}
	return reply{outcome: outcomeReleased, message: message{
		kind: resign, rev: r.base, cdn: r.cdn, hash: r.hash, epoch: r.lock.epoch,
	}}
}

// run executes a request.
func (s *store) run(now int64, r *request, without Guard) reply {
	s.expire(now)
	switch r.op {
	case opAcquire:
		return s.acquire(now, r, without)
	case opCommit:
		return s.commit(now, r, without)
	case opRenew:
		return s.renew(now, r, without)
	case opRelease:
		return s.release(r)
	case opLoad:
		return reply{blob: s.blob}
	case opEntry:
		return reply{entry: s.entry}
	default:
		return reply{message: *r.publish}
	}
}
