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
	waits  int64
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
	opRenew
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
	outcomeOverwritten
	outcomeReleased
)

// request is one command of a leader on its way to Redis.
type request struct {
	op       operation
	from     int32 // the process
	side     int   // the server
	lock     lock  // that the writer believes to hold; acquire: only its owner
	base     int64
	highest  int64 // acquire
	above    int64 // commit, touch: a rev that the new one is to be above
	age      int64 // at the time of sending; -1: no answer of the CDN
	latest   int64 // what age may come to at most
	cdn      int64
	hash     content // current, or for a commit to be so
	expiry   int64
	inline   bool
	over     int64 // commit: an entry that is newer, up to this, may be written over
	waits    int64
	replaced []replaced // commit: what the process knows to have been replaced; until is its age

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
	refresh // without content: rev is 0
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
	now    int64 // Redis's clock when it was published
	at     int64 // oracle: when it was published
}
