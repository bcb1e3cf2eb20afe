package model

// content is a config. The same number means the same bytes, hash and ETag.
type content int32

const (
	none    content = 0
	garbage content = -1 // not a valid config
)

// entry is the official entry, blob the bridge's own copy. If rev is 0, it is missing.
type entry struct {
	rev  int64
	etag content
	body content
}

type blob struct {
	rev  int64
	hash content // in the head
	body content // of the payload
}

type meta struct {
	epoch  int64
	rev    int64
	hash   content
	cdn    int64
	recent []replaced // immutable
	waits  int64
}

// replaced is an ETag and the time by Redis's clock until which it was current.
type replaced struct {
	until int64
	etag  content
}

// lock is the lock. If its owner is 0, it is free. until is a time of Redis's clock.
type lock struct {
	owner int32
	epoch int64
	until int64
}

// step is a patch from one content to another. makes is what it makes; a corrupt one makes
// other content.
type step struct{ from, to, makes content }

// recorded is an entry of the history: the content, and the one before it; none: unknown. back
// reports whether the entry leads back.
type recorded struct {
	hash, from content
	back       bool
}

// store is the data of a Redis server.
type store struct {
	entry   entry
	blob    blob
	patches []step     // immutable
	history []recorded // immutable
	meta    meta
	lock    lock
}

type operation uint8

const (
	opAcquire operation = iota
	opCommit
	opRenew
	opRelease
	opLoad    // GET blob
	opEntry   // GET entry
	opPublish // only without the guard OneScript: publishes a commit's message
	opEnd     // the number of operations
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

// request is a leader's command in flight to Redis.
type request struct {
	op            operation
	from          int32 // the process
	side          int   // the server
	lock          lock  // that the writer expects; acquire: only its owner
	base          int64
	highest       int64 // acquire
	above         int64 // commit, renew: the new rev must be above this one
	age           int64 // at the time of sending; -1: not an answer of the CDN
	latest        int64 // the latest time that the answer can be from
	cdn           int64
	hash          content // of the current content; commit: of the new content
	lease         int64
	inline        bool
	overwriteUpTo int64 // commit: a newer entry up to this may be overwritten
	waits         int64
	patchFrom     content    // commit: of the content that the patch starts from; none: there is no patch
	patches       []step     // commit: what Redis has then
	backTo        content    // commit: of the content that the history's entry leads back to; none: it does not
	replaced      []replaced // commit: what the process knows as replaced; until is its age

	sent int64 // true time
	// For the oracle: when the CDN was asked for the answer of age, and its answer.
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
	message message // the published message; kind 0: none
}

type messageKind uint8

const (
	noMessage messageKind = iota
	change
	heartbeat
	resign
	refresh // without content: rev is 0
)

// message is a published message. If inline is set, it carries the content, if base is not none, a
// patch from that content.
type message struct {
	kind   messageKind
	rev    int64
	cdn    int64
	hash   content
	epoch  int64
	inline bool
	base   content
	body   content // of the content, or what the patch makes
	stored bool    // there are patches
	now    int64   // Redis's clock when it was published
	at     int64   // oracle: when it was published
}
