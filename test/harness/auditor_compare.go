package harness

import (
	"encoding/json"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// compare checks the keys that exist: some may be missing after a fault.
func (a *Auditor) compare(entryText, blobText string, fields []any, o ordered) {
	meta, err := wire.ParseMeta(fields)
	if err != nil {
		a.fault("%v", err)
	}
	rev, hash := meta.Rev, meta.Hash
	agree := func(what string, thisRev int64, thisHash string) {
		if rev != 0 && (thisRev != rev || thisHash != hash) {
			a.fault("%s has rev %d and hash %.8s, others have %d and %.8s (I3)", what, thisRev, thisHash, rev, hash)
		}
		rev, hash = thisRev, thisHash
	}
	if blobText != "" {
		blob, err := wire.ParseBlob([]byte(blobText))
		if err == nil && blob.Hash != a.sound {
			_, err = blob.JSON()
		}
		if err != nil {
			a.fault("%v", err)
		}
		a.sound = blob.Hash
		agree("the blob", blob.Rev, blob.Hash)
	}
	if entryText != "" {
		entry, err := cachekeys.ParseEntry([]byte(entryText))
		if err != nil {
			a.fault("%v", err)
			return
		}
		contentHash := wire.ContentHash(entry.JSON)
		agree("the entry", entry.FetchTime, contentHash)
		version, source, known := a.source(entry, contentHash, o.source)
		if !known {
			version = a.last.version
		}
		a.order(found{entry.FetchTime, version})
		if known {
			a.controlled(meta, entry, contentHash, source, o)
		}
		if known && meta.Hash == contentHash && meta.CDN != 0 {
			a.answered(version, meta.CDN)
		}
	} else if version, ok := a.known[meta.Hash]; ok && meta.CDN != 0 && meta.Control == 0 {
		a.answered(version, meta.CDN)
	}
}

// assertTolerance allows for clocks that are read in whole milliseconds.
const assertTolerance = 5 * time.Millisecond

// answered checks that the CDN has confirmed a version since the asserted time (I14).
func (a *Auditor) answered(version, asserted int64) {
	if at := a.cdn.Answered(version); !a.Skewed && time.UnixMilli(asserted).After(at.Add(assertTolerance)) {
		a.fault("meta says that the CDN answered about version %d at %v; it last did at %v (I14)", version, time.UnixMilli(asserted), at)
	}
}

// order checks that nothing goes back (I1, I9).
func (a *Auditor) order(now found) {
	switch {
	case !a.lossy && now.fetched < a.highest.fetched:
		a.fault("fetch time %d after %d", now.fetched, a.highest.fetched)
		a.back++
	case !a.lossy && now.version < a.highest.version:
		a.fault("version %d after %d", now.version, a.highest.version)
		a.back++
	case now.fetched < a.last.fetched || now.version < a.last.version:
		a.lost++
	}
	a.last = now
	a.highest = found{max(now.fetched, a.highest.fetched), max(now.version, a.highest.version)}
}

// versionOf returns the version in a content.
func (a *Auditor) versionOf(data []byte, hash string) int64 {
	version, ok := a.known[hash]
	if !ok {
		var err error
		if version, err = VersionIn(data); err != nil {
			a.fault("%v", err)
		}
		a.known[hash] = version
	}
	return version
}

// VersionIn returns the version in a config of the stand-in CDN.
func VersionIn(data []byte) (int64, error) {
	var config struct {
		F map[string]struct{ V struct{ I int64 } }
	}
	err := json.Unmarshal(data, &config)
	return config.F[fakecdn.VersionFlag].V.I, err
}
