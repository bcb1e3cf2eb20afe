package wire

import (
	"strconv"
	"strings"
	"time"
)

// MaxRecentETags is the number of ETags that the meta hash keeps.
const MaxRecentETags = 8

// Proto is the version of the protocol of the leader that wrote it, and the number of its term:
//
//	{version} {epoch}
//
// Leaders of versions without history do not write it. If they lead after one that does, it names an
// earlier term than meta, see [Meta.HasProto].
type Proto struct {
	Version int64 // 1: with a history
	Epoch   int64
}

// parseProto reads the field. It returns the zero Proto for a field that is missing or malformed.
func parseProto(text string) Proto {
	version, epoch, _ := strings.Cut(text, " ")
	v, okVersion := ParseNumber(version)
	e, okEpoch := ParseNumber(epoch)
	if !okVersion || !okEpoch {
		return Proto{}
	}
	return Proto{v, e}
}

// MaxMetaFieldBytes is the greatest size of a field of the meta hash.
const MaxMetaFieldBytes = MaxRecentETags * (MaxDigits + MaxETagBytes + 2)

// Meta is the hash that says which content is current. Its fields, in the order of [MetaFields]:
//
//	epoch    the number of the latest leader's term
//	rev      of the current content
//	hash     of the current content
//	len      of the current config JSON, in bytes
//	etag     of the current content, as stored
//	cdn      when the CDN last answered, Unix ms by Redis's clock
//	poll     the leader's poll interval in ms
//	refresh  the number of refresh requests
//	etags    the most recently replaced ETags, latest first: lines "{Unix ms when replaced} {etag}"
//	waits    the highest rev that the leader has seen, while rev is lower and the leader waits
//	         for the CDN to show which content is current
//	control  the seq of the operator's control that the current content was made with
//	proto    the protocol of the leader that wrote it, see [Proto]
type Meta struct {
	Epoch   int64
	Rev     int64 // 0: no content yet
	Hash    string
	Len     int
	ETag    string
	CDN     int64
	Poll    time.Duration
	Refresh int64
	Recent  []RecentETag
	Waits   int64 // 0: the leader does not wait
	// Control is 0 if no control is in force. It is also 0 if the latest leader does not know of
	// controls: it leaves the field as it was, and makes the CDN's content current.
	Control int64
	Proto   Proto
}

// HasProto reports whether the latest leader wrote [Meta.Proto]. A leader that did not leaves the
// fields that it does not know as they were.
func (m Meta) HasProto() bool { return m.Epoch != 0 && m.Proto.Epoch == m.Epoch }

// RecentETag is an ETag that was current in the past.
type RecentETag struct {
	Until int64 // Unix ms by Redis's clock
	ETag  string
}

// MetaFields returns the names of the fields that [ParseMeta] expects, in order.
func MetaFields() []string {
	return []string{"epoch", "rev", "hash", "len", "etag", "cdn", "poll", "refresh", "etags", "waits", "control", "proto"}
}

// ParseMeta reads the reply to HMGET with [MetaFields]. For a missing hash it returns the zero
// Meta. All errors are [*ParseError].
func ParseMeta(reply []any) (Meta, error) {
	fields := MetaFields()
	if len(reply) != len(fields) {
		return Meta{}, malformed("meta", "", "wrong number of fields")
	}
	text := make([]string, len(fields))
	for i, value := range reply {
		switch value := value.(type) {
		case nil:
		case string:
			text[i] = value
		default:
			return Meta{}, malformed("meta", fields[i], "not a string")
		}
	}
	m := Meta{Proto: parseProto(text[11])}
	var length, poll int64
	for i, n := range []struct {
		dst  *int64
		low  int64
		high int64
	}{
		0: {&m.Epoch, 0, MaxRev}, 1: {&m.Rev, MinRev, MaxRev}, 3: {&length, 1, MaxConfigBytes},
		5: {&m.CDN, MinRev, MaxRev}, 6: {&poll, 1, MaxPoll.Milliseconds()}, 7: {&m.Refresh, 0, MaxRev}, 9: {&m.Waits, MinRev, MaxRev},
		10: {&m.Control, MinRev, MaxRev},
	} {
		if n.dst == nil || text[i] == "" || n.dst == &m.Control && !m.HasProto() {
			continue // the epoch, which HasProto needs, is read first
		}
		value, ok := ParseNumber(text[i])
		if !ok || value < n.low || value > n.high {
			return Meta{}, malformed("meta", fields[i], "bad value "+Excerpt(text[i]))
		}
		*n.dst = value
	}
	m.Len, m.Poll = int(length), time.Duration(poll)*time.Millisecond
	if m.Hash = text[2]; (m.Hash != "" || m.Rev != 0) && !validHash(m.Hash) {
		return Meta{}, malformed("meta", "hash", "not a content hash: "+Excerpt(m.Hash))
	}
	if m.ETag = text[4]; len(m.ETag) > MaxETagBytes {
		return Meta{}, malformed("meta", "etag", "over the size limit")
	}
	var err error
	m.Recent, err = parseRecent(text[8])
	return m, err
}

func parseRecent(text string) ([]RecentETag, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > MaxMetaFieldBytes {
		return nil, malformed("meta", "etags", "over the size limit")
	}
	var recent []RecentETag
	for line := range strings.SplitSeq(text, "\n") {
		until, etag, ok := strings.Cut(line, " ")
		ms, isNumber := ParseNumber(until)
		if !ok || !isNumber || etag == "" || len(etag) > MaxETagBytes {
			return nil, malformed("meta", "etags", "bad line "+Excerpt(line))
		}
		recent = append(recent, RecentETag{Until: ms, ETag: etag})
	}
	if len(recent) > MaxRecentETags {
		return nil, malformed("meta", "etags", "more than "+strconv.Itoa(MaxRecentETags)+" lines")
	}
	return recent, nil
}
