package follower

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/wire"
)

// corruptBlob applies change to the blob in Redis.
func corruptBlob(t *testing.T, n *network, w *writer, change func(wire.Blob) wire.Blob) {
	t.Helper()
	data, err := n.Get(w.keys.Blob)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := wire.ParseBlob([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	_ = n.Set(w.keys.Blob, string(change(blob).Append(nil)))
}

func flipBit(b wire.Blob) wire.Blob {
	b.Payload = []byte(strings.Replace(string(b.Payload), `"i":`, `"i":9`, 1))
	return b
}

func revAboveMeta(b wire.Blob) wire.Blob {
	b.Rev += 1000
	return b
}

func otherHash(b wire.Blob) wire.Blob {
	b.Hash = wire.ContentHash(configJSON(99))
	b.Payload = configJSON(99)
	b.Codec = wire.Raw
	return b
}

var corruptions = map[string]func(wire.Blob) wire.Blob{
	"flipped bit":      flipBit,
	"rev above meta's": revAboveMeta,
	"another hash":     otherHash,
}

// A blob that differs from what meta names is refused; the official entry is used instead (F29).
func TestACorruptBlobIsRefusedAndTheEntryTaken(t *testing.T) {
	for name, change := range corruptions {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				corruptBlob(t, n, w, change)
				c := n.ready(t)
				wantVersion(t, c, 1)
				if s := c.Stats(); s.Source != SourceEntry || s.RefusedBlobs == 0 || s.Rev != w.rev {
					t.Errorf("%+v", s)
				}
				if err := c.Refresh(t.Context()); err != nil {
					t.Errorf("refresh: %v", err)
				}
			})
		})
	}
}

// With a corrupt blob and no entry the config stays, and the follower does not read in a loop.
func TestACorruptBlobWithoutEntryChangesNothing(t *testing.T) {
	for name, change := range corruptions {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				c := n.ready(t)
				w.mute = true
				w.commit(configJSON(2))
				corruptBlob(t, n, w, change)
				n.Del(w.keys.Entry)
				w.mute = false
				w.poll = time.Hour
				w.beat()
				time.Sleep(20 * time.Second)
				wantVersion(t, c, 1)
				s := c.Stats()
				if s.Reads > 1+3*(feed.LagTries+1) || s.RefusedBlobs == 0 {
					t.Errorf("%+v", s)
				}
				if c.CacheState() == HasUpToDateFlagData && confirmedAgo(s) < 20*time.Second {
					t.Errorf("the age is only %v", confirmedAgo(s))
				}
				if err := c.Refresh(t.Context()); err == nil {
					t.Error("a refresh that could not read the content that Redis names returns no error")
				}
				w.commit(configJSON(3)) // the leader repairs the blob
				wantVersion(t, c, 3)
			})
		})
	}
}

// The blob is intact but has another config, at the rev that meta names.
func TestABlobThatMetaDoesNotNameIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		codec, payload := wire.Encode(configJSON(5))
		other := wire.Blob{Rev: w.rev, Hash: wire.ContentHash(configJSON(5)), Codec: codec, Payload: payload}
		_ = n.Set(w.keys.Blob, string(other.Append(nil)))
		c := n.ready(t)
		wantVersion(t, c, 1)
		if s := c.Stats(); s.Source != SourceEntry || s.RefusedBlobs == 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestKeysOfTheWrongTypeAreRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		n.Del(w.keys.Blob)
		_, _ = n.Push(w.keys.Blob, "x")
		n.Del(w.keys.Meta)
		_ = n.Set(w.keys.Meta, "x")
		n.Del(w.keys.Lock)
		_, _ = n.Push(w.keys.Lock, "x")
		c := n.ready(t)
		wantVersion(t, c, 1)
		n.Del(w.keys.Entry)
		_, _ = n.Push(w.keys.Entry, "x")
		time.Sleep(10 * time.Minute)
		wantVersion(t, c, 1)
		if s := c.Stats(); s.Source != SourceEntry || s.FailedReads != 0 || s.EntryReads < 5 {
			t.Errorf("%+v", s)
		}
	})
}

// A follower works with a cache that only official SDKs fill.
func TestTheOfficialEntryAloneIsEnough(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		keys := cachekeys.For(testSDKKey, "", 0)
		write := func(version int) {
			e := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: `"x"`, JSON: configJSON(version)}
			_ = n.Set(keys.Entry, string(e.Append(nil)))
		}
		write(1)
		c := n.ready(t)
		wantVersion(t, c, 1)
		wantState(t, c, StateNoLeader)
		s := c.Stats()
		if s.Source != SourceEntry || !s.LastConfirmed.IsZero() || c.CacheState() != HasCachedFlagDataOnly {
			t.Errorf("%+v, %v", s, c.CacheState())
		}
		for v := range 10 {
			time.Sleep(time.Millisecond)
			write(2 + v)
			time.Sleep(90 * time.Second)
			wantVersion(t, c, 2+v)
		}
		if reads := c.Stats().EntryReads; reads > 40 {
			t.Errorf("%d reads of the entry in 15 minutes", reads)
		}
		// An entry that is older than the config in force is refused (S95).
		old := cachekeys.Entry{FetchTime: time.Now().Add(-time.Hour).UnixMilli(), ETag: `"x"`, JSON: configJSON(99)}
		_ = n.Set(keys.Entry, string(old.Append(nil)))
		time.Sleep(5 * time.Minute)
		wantVersion(t, c, 11)
	})
}

// Without a leader the higher rev of blob and entry wins, and hooks are notified of that one only.
func TestWithoutLeaderTheNewerOfBlobAndEntryWins(t *testing.T) {
	for name, later := range map[string]time.Duration{"entry is newer": time.Hour, "entry is older": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				n.Del(w.keys.Lock)
				e := cachekeys.Entry{FetchTime: time.Now().Add(later).UnixMilli(), ETag: `"x"`, JSON: configJSON(2)}
				_ = n.Set(w.keys.Entry, string(e.Append(nil)))
				changes := 0
				c := n.ready(t, func(c *Config) { c.Hooks = onChange(func() { changes++ }) })
				want := 1
				if later > 0 {
					want = 2
				}
				wantVersion(t, c, want)
				if changes != 1 {
					t.Errorf("%d changes reported", changes)
				}
			})
		})
	}
}

// With a live leader the entry is not read, even if another process writes to it (F28).
func TestWithALeaderTheEntryIsNotRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		e := cachekeys.Entry{FetchTime: time.Now().Add(24 * time.Hour).UnixMilli(), ETag: `"x"`, JSON: configJSON(99)}
		_ = n.Set(w.keys.Entry, string(e.Append(nil)))
		c := n.ready(t)
		w.with(func() { w.poll = time.Hour })
		time.Sleep(5 * time.Minute)
		wantVersion(t, c, 1)
		if reads := c.Stats().EntryReads; reads != 0 {
			t.Errorf("%d reads of the entry", reads)
		}
	})
}

// I4: invalid content never replaces a config, whether it arrives by blob, message or entry.
func TestInvalidContentNeverReplacesAConfig(t *testing.T) {
	const broken = `{"p":{"s":"x"},"f":null}`
	ways := map[string]func(n *network, w *writer){
		"blob": func(_ *network, w *writer) {
			w.commit([]byte(broken))
		},
		"message": func(_ *network, w *writer) {
			w.inline = true
			w.commit([]byte(broken))
			w.inline = false
		},
		"entry": func(n *network, w *writer) {
			n.Del(w.keys.Lock)
			n.Del(w.keys.Blob)
			e := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: `"x"`, JSON: []byte(broken)}
			_ = n.Set(w.keys.Entry, string(e.Append(nil)))
		},
	}
	for name, breakIt := range ways {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				w := n.writer(t, 1)
				w.poll = time.Hour
				changes := 0
				log, logging := recorded(slog.LevelInfo)
				c := n.ready(t, logging, func(c *Config) { c.Hooks = onChange(func() { changes++ }) })
				time.Sleep(time.Second)
				held := c.Stats()
				breakIt(n, w)
				if name != "entry" {
					w.beat()
				}
				time.Sleep(5 * time.Minute)
				wantVersion(t, c, 1)
				s := c.Stats()
				if s.Rev != held.Rev || s.Hash != held.Hash || changes != 1 {
					t.Errorf("held %+v, now %+v, %d changes", held, s, changes)
				}
				if s.RefusedConfigs != 1 {
					t.Errorf("refused %d times, want 1: it is known after the first", s.RefusedConfigs)
				}
				wantEvents(t, log, eventid.RefusedConfig, 1)
				if reads := s.Reads - held.Reads; reads > 2 {
					t.Errorf("%d reads of content known to be no config", reads)
				}
				if c.CacheState() == HasUpToDateFlagData {
					t.Error("the cache state is up to date (I14)")
				}
				w.acquire()
				w.commit(configJSON(2))
				wantVersion(t, c, 2)
			})
		})
	}
}

// A config in which single flags are broken is still valid (S77).
func TestABrokenFlagDoesNotAffectTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.commit([]byte(`{"p":{"s":"x"},"f":{"bad":{"t":0,"r":7,"v":{"b":true}},"version":{"t":2,"v":{"i":5}}}}`))
		c := n.ready(t)
		wantVersion(t, c, 5)
		if d := c.GetBoolValueDetails("bad", true, nil); !d.Data.IsDefaultValue || d.Data.ErrorCode != 1 || !d.Value {
			t.Errorf("%+v", d)
		}
	})
}

// No leader writes other content at the same rev, so the follower counts an anomaly.
func TestOtherContentAtTheSameRevIsAnAnomaly(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		log, logging := recorded(slog.LevelInfo)
		c := n.ready(t, logging)
		m := w.describe(wire.Heartbeat)
		m.Hash = wire.ContentHash(configJSON(2))
		for range 5 {
			w.publish(string(m.Append(nil)))
		}
		wantVersion(t, c, 1)
		if s := c.Stats(); s.Anomalies != 5 || s.Rev != w.rev {
			t.Errorf("%+v", s)
		}
		wantEvents(t, log, eventid.Anomaly, 1)
	})
}

// Reads of meta and of the entry find anomalies, too.
func TestAnomaliesAreFoundByReads(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		c := n.ready(t)
		held := c.Stats()
		w.mute, w.json = true, configJSON(2)
		w.store(wire.Change) // at the same rev
		time.Sleep(90 * time.Second)
		wantVersion(t, c, 1)
		byHead := c.Stats().Anomalies
		if err := c.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
		wantVersion(t, c, 1)
		if s := c.Stats(); byHead == 0 || s.Anomalies <= byHead || s.Rev != held.Rev || s.Hash != held.Hash {
			t.Errorf("%+v", s)
		}
	})
}

func TestAMalformedEntryIsRefusedAndLoggedOnce(t *testing.T) {
	for name, entry := range map[string]string{
		"no lines":    "x",
		"no number":   "yesterday\n\"x\"\n{}",
		"no JSON":     "1767225600000\n\"x\"\n{",
		"no object":   "1767225600000\n\"x\"\n[]",
		"empty lines": "\n\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				_ = n.Set(cachekeys.For(testSDKKey, "", 0).Entry, entry)
				log, logging := recorded(slog.LevelInfo)
				c := n.ready(t, logging)
				time.Sleep(10 * time.Minute)
				wantVersion(t, c, -1)
				if s := c.Stats(); s.RefusedEntries < 5 {
					t.Errorf("%+v", s)
				}
				wantEvents(t, log, eventid.RefusedContent, 1)
			})
		})
	}
}
