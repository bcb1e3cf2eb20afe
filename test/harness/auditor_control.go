package harness

import (
	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
)

// ordered is what operators have put in force, as Redis has it: the control, the content of the pin, and
// what the CDN serves meanwhile.
type ordered struct{ control, pinned, source string }

// source returns the version and the JSON that the CDN served when an entry was made. Of an entry that is
// itself the CDN's they are its own. They are unknown if Redis has lost the source.
func (a *Auditor) source(entry cachekeys.Entry, hash, sourceText string) (version int64, json []byte, known bool) {
	if !control.IsETag(entry.ETag, hash) {
		return a.versionOf(entry.JSON, hash), entry.JSON, true
	}
	source, err := wire.ParseSource([]byte(sourceText))
	if err != nil || source.Rev != entry.FetchTime {
		return 0, nil, false
	}
	if json, err = source.JSON(); err != nil {
		a.fault("the source: %v", err)
		return 0, nil, false
	}
	return a.versionOf(json, source.Hash), json, true
}

// controlled checks that an entry is what the control makes of what the CDN served.
func (a *Auditor) controlled(meta wire.Meta, entry cachekeys.Entry, hash string, source []byte, o ordered) {
	if meta.Control == 0 {
		if meta.Rev == entry.FetchTime && control.IsETag(entry.ETag, hash) {
			a.fault("nothing is in force, and the entry has the ETag %s of content that operators made", entry.ETag)
		}
		return
	}
	c, err := control.Parse([]byte(o.control))
	if err != nil || c.Seq != meta.Control {
		return // the leader has not acted on it yet, or writes it again
	}
	var pinned []byte
	if blob, err := wire.ParseBlob([]byte(o.pinned)); err == nil {
		pinned, _ = blob.JSON()
	}
	if c.Pin != nil && wire.ContentHash(pinned) != c.Pin.Hash {
		return // lost: the leader writes it again
	}
	want, _, err := c.Effective(source, pinned)
	if err != nil || wire.ContentHash(want) != hash {
		a.fault("the entry has hash %.8s; what operators put in force makes %.8s of what the CDN served (%v)", hash, wire.ContentHash(want), err)
	}
}
