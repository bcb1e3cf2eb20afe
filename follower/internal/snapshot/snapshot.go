package follower

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// Source says where content comes from.
type Source string

const (
	SourceBlob    Source = "blob"    // the blob in Redis
	SourceMessage Source = "message" // a message that contained the content
	SourceEntry   Source = "entry"   // the entry in Redis that the official SDKs share
	SourceCache   Source = "cache"   // Config.Cache
	SourceCDN     Source = "cdn"     // the CDN
	SourceFile    Source = "file"    // Config.SnapshotFile
)

// noCopy makes go vet (copylocks) report every copy by value of a struct that has a field of
// this type.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// snapshot is content with its rev. It is immutable.
type snapshot struct {
	_ noCopy

	config *evaluate.Config
	rev    int64
	hash   string
	etag   string
	source Source
	json   []byte
	// shared owns config and json, and keeps them in compiledTable; nil: they are not there.
	shared *compiled

	// fetchTime is when the CDN returned or confirmed it, in Unix ms; 0: rev is that time.
	fetchTime int64
}

// clone returns a copy, which the caller may change until it passes it on.
func (s *snapshot) clone() *snapshot {
	return &snapshot{
		config: s.config, rev: s.rev, hash: s.hash, etag: s.etag, source: s.source, json: s.json, shared: s.shared,
		fetchTime: s.fetchTime,
	}
}

// at returns the same content at another rev, which it gets when the CDN confirms the content.
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

// fetchedAt returns when the CDN last returned or confirmed the content, in UTC; zero if s is
// nil or not from the CDN.
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

// isLocal reports whether no part of it comes from the CDN.
func (s *snapshot) isLocal() bool { return s != nil && s.rev == 0 && s.fetchTime == 0 }

func (s *snapshot) content() *evaluate.Config {
	if s == nil {
		return nil
	}
	return s.config
}

// revAndHash returns zeros for nil, below those of any content.
func (s *snapshot) revAndHash() (rev int64, hash string) {
	if s == nil {
		return 0, ""
	}
	return s.rev, s.hash
}
