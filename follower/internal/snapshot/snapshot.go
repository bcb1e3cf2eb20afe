// Package snapshot contains the content of a client, with what is known about it: a config with
// its rev, the content in force of one client, and the answer of the CDN that confirmed it last.
// Everything that brings content and everything that evaluates it uses this package.
package snapshot

import (
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// Source says where content comes from.
type Source string

const (
	SourceBlob    Source = "blob"    // the blob in Redis
	SourceMessage Source = "message" // a message that contained the content
	SourcePatches Source = "patches" // the patches in Redis, and the content before
	SourceEntry   Source = "entry"   // the entry in Redis that the official SDKs share
	SourceCache   Source = "cache"   // the client's Cache
	SourceCDN     Source = "cdn"     // the CDN
	SourceFile    Source = "file"    // the client's snapshot file
)

// noCopy makes go vet (copylocks) report every copy by value of a struct that has a field of
// this type.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// Snapshot is content with its rev. It must not change once it was passed on.
type Snapshot struct {
	_ noCopy

	Config *evaluate.Config
	Rev    int64
	Hash   string // SHA-256 of JSON
	ETag   string
	Source Source
	JSON   []byte
	// FetchTime is when the CDN returned or confirmed it, in Unix ms; 0: Rev is that time.
	FetchTime int64

	// shared owns Config and JSON, and keeps them in compiledTable; nil: they are not there.
	shared *compiled
}

// Clone returns a copy, which the caller may change until it passes it on.
func (s *Snapshot) Clone() *Snapshot {
	return &Snapshot{
		Config: s.Config, Rev: s.Rev, Hash: s.Hash, ETag: s.ETag, Source: s.Source, JSON: s.JSON, FetchTime: s.FetchTime,
		shared: s.shared,
	}
}

// At returns the same content at another rev, which it gets when the CDN confirms the content.
// An empty etag leaves the one of s.
func (s *Snapshot) At(rev int64, etag string) *Snapshot {
	moved := s.Clone()
	moved.Rev, moved.FetchTime = rev, 0
	if moved.Source == SourceFile {
		moved.Source = SourceBlob // Redis names it, too
	}
	if etag != "" {
		moved.ETag = etag
	}
	return moved
}

// FetchedAt returns when the CDN last returned or confirmed the content, in UTC; zero if s is
// nil or not from the CDN.
func (s *Snapshot) FetchedAt() time.Time {
	switch {
	case s == nil, s.Rev == 0 && s.FetchTime == 0: // no part of it comes from the CDN
		return time.Time{}
	case s.FetchTime != 0:
		return time.UnixMilli(s.FetchTime).UTC()
	default:
		return time.UnixMilli(s.Rev).UTC()
	}
}

// Content returns the config; nil if s is nil.
func (s *Snapshot) Content() *evaluate.Config {
	if s == nil {
		return nil
	}
	return s.Config
}

// RevAndHash returns zeros for nil, below those of any content.
func (s *Snapshot) RevAndHash() (rev int64, hash string) {
	if s == nil {
		return 0, ""
	}
	return s.Rev, s.Hash
}

// Supersedes reports whether the rev of s orders it after held, which may be nil. At the same
// rev it supersedes the same content from a file: Redis confirms it.
func (s *Snapshot) Supersedes(held *Snapshot) bool {
	return held == nil || s.Rev > held.Rev || s.Rev == held.Rev && s.Hash == held.Hash && held.Source == SourceFile
}
