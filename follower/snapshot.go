package follower

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// Source says where a content was taken from.
type Source string

const (
	SourceBlob    Source = "blob"    // the bridge's own copy in Redis
	SourceMessage Source = "message" // a message that carried the content itself
	SourceEntry   Source = "entry"   // the entry that all official SDKs share
	SourceCache   Source = "cache"   // Config.Cache
	SourceCDN     Source = "cdn"     // the CDN itself
	SourceFile    Source = "file"    // Config.SnapshotFile
)

// noCopy makes go vet (copylocks) report every copy by value of a struct that has a field of
// this type.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// snapshot is one content and its place in the order of contents. It is immutable:
// evaluation takes the current one by an atomic load and needs nothing else.
type snapshot struct {
	_ noCopy

	config *evaluate.Config
	rev    int64
	hash   string
	etag   string
	source Source
	json   []byte
	// shared is what config and json are of, and keeps it in the process's table; nil: they are its own.
	shared *compiled

	// fetchTime is when the CDN gave or confirmed it, in Unix ms, where rev does not tell; 0: it does.
	fetchTime int64
}

// clone returns a new snapshot with the same fields. The caller may change them until it
// passes the snapshot on.
func (s *snapshot) clone() *snapshot {
	return &snapshot{
		config: s.config, rev: s.rev, hash: s.hash, etag: s.etag, source: s.source, json: s.json, shared: s.shared,
		fetchTime: s.fetchTime,
	}
}

// at returns the same content at another rev, as the CDN's 304 makes it.
func (s *snapshot) at(rev int64, etag string) *snapshot {
	moved := s.clone()
	moved.rev, moved.fetchTime = rev, 0
	if moved.source == SourceFile {
		moved.source = SourceBlob // Redis names it, too
	}
	if etag != "" {
		moved.etag = etag
	}
	return moved
}

// fetched is when the content was last known to be the CDN's, in UTC. Nothing held: zero.
func (s *snapshot) fetchedAt() time.Time {
	if s.isLocal() {
		return time.Time{}
	}
	if s == nil {
		return time.Time{}
	}
	if s.fetchTime != 0 {
		return time.UnixMilli(s.fetchTime).UTC()
	}
	return time.UnixMilli(s.rev).UTC()
}

// isLocal tells that nothing of it came from the CDN.
func (s *snapshot) isLocal() bool { return s != nil && s.rev == 0 && s.fetchTime == 0 }

// content is the config; nil: there is none.
func (s *snapshot) content() *evaluate.Config {
	if s == nil {
		return nil
	}
	return s.config
}

// place gives rev and hash; nothing held: zeros, below every content.
func (s *snapshot) place() (rev int64, hash string) {
	if s == nil {
		return 0, ""
	}
	return s.rev, s.hash
}
