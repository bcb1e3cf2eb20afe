package wire

import (
	"bytes"
	"strings"
)

const (
	// MaxHistoryEntries is the greatest number of entries that a history can be configured to keep.
	MaxHistoryEntries = 10_000
	// MaxHistoryBytes is the greatest size that a history can be configured to have.
	MaxHistoryBytes = 64 << 20
	// MaxHistoryValueBytes is the greatest size of a field of a [HistoryEntry].
	MaxHistoryValueBytes = MaxBlobBytes
	// MaxCauseBytes is the greatest length of a [Cause].
	MaxCauseBytes = 16
	// maxLeaderBytes is the greatest length of the leader's ID in an entry.
	maxLeaderBytes = MaxLockBytes
)

// Cause is why content became current: 1 to [MaxCauseBytes] lower-case letters. Later versions
// may have more.
type Cause string

const (
	CauseFirst   Cause = "first"   // nothing was known before
	CausePoll    Cause = "poll"    // a poll of the CDN by its interval, or at the start of a term
	CauseWebhook Cause = "webhook" // a poll that a webhook requested
	CauseRefresh Cause = "refresh" // a poll that was requested otherwise
	CauseSDK     Cause = "sdk"     // taken over from the entry that an official SDK wrote
	CauseRepair  Cause = "repair"  // written again after Redis had lost it, or kept only part of it

	CausePin       Cause = "pin"       // an operator pinned it
	CauseForce     Cause = "force"     // an operator forced a flag
	CauseWithdrawn Cause = "withdrawn" // an operator withdrew a pin or a force
	CauseExpired   Cause = "expired"   // a pin or a force ended
)

// valid reports whether c has the form of a cause.
func (c Cause) valid() bool { return len(c) <= MaxCauseBytes && isWord(string(c)) }

// HistoryEntry is one change of the content, an entry of the stream cachekeys.Keys.History. Its
// fields, in the order of [HistoryFields]:
//
//	rev      that the content got first
//	time     when it became current, Unix ms by Redis's clock
//	hash     of the content
//	etag     of the content, as stored
//	cause    why it became current
//	leader   the ID of the leader that wrote it
//	size     of the config JSON, in bytes
//	from     hash of the content before; empty: unknown
//	fromsize size of that config JSON
//	back     how to make the content before, see [Back]
//
// Readers ignore other fields, which later versions may have.
type HistoryEntry struct {
	ID     string // of the stream's entry
	Rev    int64
	Time   int64
	Hash   string
	ETag   string
	Cause  Cause
	Leader string
	Size   int

	From     string
	FromSize int // 0: unknown
	Back     Back
}

// HistoryFields returns the names of the fields that an entry has.
func HistoryFields() []string {
	return []string{"rev", "time", "hash", "etag", "cause", "leader", "size", "from", "fromsize", "back"}
}

// Back is how to make the content that other content replaced:
//
//	patch\n{patch}             a patch of the content that replaced it, see package patch
//	{codec}\n{payload}         that content itself
//	too large                  neither fits into the history
//	                           nothing: the leader did not hold the content before
//
// The result must have the hash that the entry names.
type Back struct {
	Codec   Codec // [Patch], or a codec of a blob; empty: there is no Payload
	Payload []byte
	// TooLarge reports whether the content before did not fit. Then there is no Codec.
	TooLarge bool
}

const tooLarge = "too large"

// ParseBack reads the stored form. It accepts codecs that this version does not know. All errors
// are [*ParseError].
func ParseBack(data []byte) (Back, error) {
	switch {
	case len(data) == 0:
		return Back{}, nil
	case string(data) == tooLarge:
		return Back{TooLarge: true}, nil
	case len(data) > MaxHistoryValueBytes:
		return Back{}, malformed("history entry", "back", "over the size limit")
	}
	name, payload, ok := bytes.Cut(data, []byte{'\n'})
	codec, valid := parseCodec(name)
	if !ok || !valid {
		return Back{}, malformed("history entry", "back", "invalid codec "+Excerpt(name))
	}
	return Back{Codec: codec, Payload: payload}, nil
}

// Append appends the stored form.
func (b Back) Append(dst []byte) []byte {
	switch {
	case b.TooLarge:
		return append(dst, tooLarge...)
	case b.Codec == "":
		return dst
	}
	dst = append(append(dst, b.Codec...), '\n')
	return append(dst, b.Payload...)
}

// Whole returns the content, which must have that hash, if b has it as a whole. All errors are
// [*ParseError].
func (b Back) Whole(hash string) ([]byte, error) {
	return Blob{Hash: hash, Codec: b.Codec, Payload: b.Payload}.JSON()
}

// ParseHistoryEntry reads an entry of the stream: the values of its fields by their names. All
// errors are [*ParseError].
func ParseHistoryEntry(id string, fields map[string]string) (HistoryEntry, error) {
	e := HistoryEntry{
		ID: id, Hash: fields["hash"], ETag: fields["etag"], Cause: Cause(fields["cause"]), Leader: fields["leader"], From: fields["from"],
	}
	bad := func(field string) error {
		return malformed("history entry", field, "bad value "+Excerpt(fields[field]))
	}
	var size, fromSize int64
	for _, n := range []struct {
		name      string
		dst       *int64
		low, high int64
	}{
		{"rev", &e.Rev, MinRev, MaxRev}, {"time", &e.Time, MinRev, MaxRev}, {"size", &size, 1, MaxConfigBytes}, {"fromsize", &fromSize, 1, MaxConfigBytes},
	} {
		if n.name == "fromsize" && fields[n.name] == "" {
			continue
		}
		value, ok := ParseNumber(fields[n.name])
		if !ok || value < n.low || value > n.high {
			return HistoryEntry{}, bad(n.name)
		}
		*n.dst = value
	}
	e.Size, e.FromSize = int(size), int(fromSize)
	switch {
	case !validHash(e.Hash):
		return HistoryEntry{}, bad("hash")
	case e.From != "" && !validHash(e.From):
		return HistoryEntry{}, bad("from")
	case e.ETag == "" || len(e.ETag) > MaxETagBytes || strings.ContainsAny(e.ETag, "\r\n"):
		return HistoryEntry{}, bad("etag")
	case !e.Cause.valid():
		return HistoryEntry{}, bad("cause")
	case len(e.Leader) > maxLeaderBytes:
		return HistoryEntry{}, bad("leader")
	}
	var err error
	e.Back, err = ParseBack([]byte(fields["back"]))
	return e, err
}
