package model

// content is a config. The same number means the same bytes, hash and ETag.
type content int32

const (
	none    content = 0
	garbage content = -1 // bytes that are no config
)

// entry is the official entry, blob the bridge's own copy. rev 0: there is none.
type entry struct {
	rev  int64
	etag content
	body content
}

type blob struct {
	rev  int64
	hash content // what the head says
	body content // what the payload is
}

type meta struct {
	epoch  int64
	rev    int64
	hash   content
	cdn    int64
	recent []replaced // never changed in place
}

// replaced is an ETag that was current until a moment of Redis's clock.
type replaced struct {
	until int64
	etag  content
}

// lock is free if its owner is 0. It ends at a time of Redis's clock.
type lock struct {
	owner int32
	epoch int64
	until int64
}

// store is what one Redis holds.
type store struct {
	entry entry
	blob  blob
	meta  meta
	lock  lock
}

type operation uint8

const (
	opAcquire operation = iota
	opCommit
	opTouch
	opRelease
	opLoad      // GET blob
	opEntry     // GET entry
	opPublish   // only without the guard OneScript: what a commit announces
	operations_ // how many there are
)

type outcome uint8

const (
	outcomeOK outcome = iota
	outcomeAcquired
	outcomeHeld
	outcomeFenced
	outcomeStale
	outcomeRegressed
	outcomeForeign
	outcomeReleased
)

// request is one command of a leader on its way to Redis.
type request struct {
	op      operation
	from    int32 // the process
	side    int   // the server
	lock    lock  // that the writer believes to hold; acquire: only its owner
	base    int64
	highest int64
	age     int64 // at the time of sending; -1: no answer of the CDN
	cdn     int64
	hash    content // current, or for a commit to be so
	expiry  int64
	inline  bool
	over    bool // commit: an entry that is newer may be written over

	sent int64 // true time
	// Of the oracle: when the CDN was asked whose answer age is about, and what it answered.
	asked    int64
	answered content
	publish  *message
}

type reply struct {
	outcome outcome
	rev     int64
	cdn     int64
	now     int64
	found   int64
	lock    lock
	left    int64
	meta    meta
	blob    blob
	entry   entry
	message message // published; of kind 0: none
}

type messageKind uint8

const (
	noMessage messageKind = iota
	change
	heartbeat
	resign
)

// message is the head of what is published; inline: with content.
type message struct {
	kind   messageKind
	rev    int64
	cdn    int64
	hash   content
	epoch  int64
	inline bool
	body   content
	at     int64 // oracle: when it was published
}

// longLock times its own expiry is what a candidate takes for longer than a lock can last.
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
		if s.lock.until-now > longLock*r.expiry && !without.has(LockEnds) {
			s.lock.until = now + r.expiry
		}
		return reply{outcome: outcomeHeld, lock: s.lock, left: s.lock.until - now, now: now, meta: s.meta}
	}
	epoch := max(now, s.meta.epoch+1, s.lock.epoch+1, r.highest+1)
	if without.has(NewEpoch) && s.lock.owner != 0 {
		epoch = s.lock.epoch
	}
	s.lock = lock{owner: r.lock.owner, epoch: epoch, until: now + r.expiry}
	s.meta.epoch = epoch
	return reply{outcome: outcomeAcquired, lock: s.lock, left: r.expiry, now: now, meta: s.meta}
}

// commit is commit.lua.
func (s *store) commit(now int64, r *request, without Guard) reply {
	if !s.holds(r.lock) && !without.has(FencedCommit) {
		return reply{outcome: outcomeFenced}
	}
	if s.meta.rev != r.base && !without.has(Base) {
		return reply{outcome: outcomeStale, meta: s.meta}
	}
	var answered int64
	if r.age >= 0 {
		answered = now - r.age
	}
	if !r.over && s.entry.etag != r.hash && s.entry.rev > s.meta.rev && s.entry.rev >= answered && !without.has(AskBeforeHealing) {
		return reply{outcome: outcomeForeign, found: s.entry.rev, meta: s.meta}
	}
	rev := max(answered, s.meta.rev+1, r.highest+1)
	if !without.has(EntryFloor) {
		rev = max(rev, s.entry.rev+1)
	}
	if without.has(RevRises) {
		rev = now
		if r.age >= 0 {
			rev = answered
		}
	}
	if without.has(HealingStaysBehind) {
		rev = max(rev, now)
	}
	cdn := answered
	if r.age < 0 {
		cdn = r.cdn
	}
	recent := s.meta.recent
	if s.meta.hash != none && s.meta.hash != r.hash {
		recent = append([]replaced{{now, s.meta.hash}}, recent[:min(len(recent), 7)]...)
	}
	s.entry = entry{rev: rev, etag: r.hash, body: r.hash}
	s.blob = blob{rev: rev, hash: r.hash, body: r.hash}
	s.meta = meta{epoch: r.lock.epoch, rev: rev, hash: r.hash, cdn: cdn, recent: recent}
	if s.holds(r.lock) {
		s.lock.until = now + r.expiry
	}
	return reply{outcome: outcomeOK, rev: rev, cdn: cdn, now: now, message: message{
		kind: change, rev: rev, cdn: cdn, hash: r.hash, epoch: r.lock.epoch, inline: r.inline, body: r.hash,
	}}
}

// touch is touch.lua.
func (s *store) touch(now int64, r *request, without Guard) reply {
	if !s.holds(r.lock) && !without.has(FencedTouch) {
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
	case s.entry.rev != m.rev || s.entry.etag != r.hash, s.blob.rev != m.rev || s.blob.hash != r.hash:
		state = outcomeForeign
	}
	if without.has(TouchChecks) {
		state = outcomeOK
	}
	if s.holds(r.lock) {
		s.lock.until = now + r.expiry
	}
	if state != outcomeOK {
		return reply{outcome: state, found: s.entry.rev, meta: s.meta}
	}
	rev, cdn := r.base, s.meta.cdn
	if r.age >= 0 && r.base > 0 {
		cdn = now - r.age
		rev = max(cdn, r.base+1, r.highest+1)
		s.entry.rev, s.blob.rev, s.meta.rev, s.meta.cdn = rev, rev, rev, cdn
	}
	return reply{outcome: outcomeOK, rev: rev, cdn: cdn, now: now, message: message{
		kind: heartbeat, rev: rev, cdn: cdn, hash: r.hash, epoch: r.lock.epoch,
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
	case opTouch:
		return s.touch(now, r, without)
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
