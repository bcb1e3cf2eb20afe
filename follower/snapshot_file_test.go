package follower

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/regularfile"
	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/wire"
)

func withSnapshotFile(path string) func(*Config) {
	return func(c *Config) { c.SnapshotFile = path }
}

func emptyFile(t *testing.T) string { return filepath.Join(t.TempDir(), "snapshot") }

// snapshotFile writes the file of a client that had this version age ago.
func snapshotFile(t *testing.T, age time.Duration, version int) string {
	t.Helper()
	json := configJSON(version)
	s := &snapshot.Snapshot{JSON: json, Rev: time.Now().Add(-age).UnixMilli(), ETag: `"x"`}
	path := emptyFile(t)
	if err := regularfile.Write(path, encodeFile(cachekeys.For(testSDKKey, "", 0).Entry, s)); err != nil {
		t.Fatal(err)
	}
	return path
}

// I5: a client starts with the config of its file though Redis is unreachable. The config is
// never reported as up to date.
func TestStartsFromTheSnapshotFile(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		path := emptyFile(t)
		first := n.ready(t, withSnapshotFile(path))
		w.commit(configJSON(2))
		wantVersion(t, first, 2)
		time.Sleep(time.Minute)
		w.confirm()
		synctest.Wait()
		first.Close()

		n.link.Down()
		changes := 0
		second := n.start(t, withSnapshotFile(path), func(c *Config) { c.Hooks = onChange(func() { changes++ }) })
		if got := version(second); got != 2 {
			t.Errorf("version %d at once", got)
		}
		if s := second.Stats(); s.Source != SourceFile || s.Rev != w.rev || !s.LastConfirmed.IsZero() || second.CacheState() != HasCachedFlagDataOnly {
			t.Errorf("%+v, %v", s, second.CacheState())
		}
		time.Sleep(time.Hour)
		if s := second.CacheState(); s != HasCachedFlagDataOnly {
			t.Error(s)
		}
		// Once Redis confirms the content, there is no change and no read of the content.
		n.link.Up()
		w.acquire()
		w.confirm()
		w.beat()
		time.Sleep(time.Minute)
		if s := second.Stats(); s.Reads != 0 || changes != 1 || second.CacheState() != HasUpToDateFlagData {
			t.Errorf("%+v, %d changes, %v", s, changes, second.CacheState())
		}
		w.commit(configJSON(3))
		wantVersion(t, second, 3)
	})
}

// I1: an older config in Redis does not replace the one in the file.
func TestAnOlderEntryDoesNotReplaceTheFile(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.entry(time.Hour, 1)
		c := n.ready(t, withSnapshotFile(snapshotFile(t, time.Minute, 2)))
		time.Sleep(5 * time.Minute)
		wantVersion(t, c, 2)
		n.entry(0, 3)
		time.Sleep(5 * time.Minute)
		wantVersion(t, c, 3)
	})
}

func TestFetchedContentIsWrittenToTheFile(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		path := emptyFile(t)
		cdn := cdnAt(4)
		first := n.ready(t, withSnapshotFile(path), online(cdn))
		first.Close()
		second := n.start(t, withSnapshotFile(path))
		wantVersion(t, second, 4)
		time.Sleep(11 * time.Second)
		w := n.writer(t) // the CDN answers the leader after the follower
		w.commit(configJSON(5))
		wantVersion(t, second, 5)
	})
}

// I4: a corrupt file is refused and logged, and the next config replaces it.
func TestACorruptFileIsRefused(t *testing.T) {
	for name, corrupt := range map[string]func(data []byte) []byte{
		"flipped bit":    func(data []byte) []byte { data[len(data)-5] ^= 1; return data },
		"cut off":        func(data []byte) []byte { return data[:len(data)/2] },
		"empty":          func([]byte) []byte { return nil },
		"another format": func([]byte) []byte { return []byte("{}") },
		"too long":       func([]byte) []byte { return make([]byte, maxFileBytes+1) },
		"another SDK key": func([]byte) []byte {
			return encodeFile(cachekeys.For(otherSDKKey, "", 0).Entry, &snapshot.Snapshot{JSON: configJSON(1), Rev: 5})
		},
		"no config": func([]byte) []byte {
			return encodeFile(cachekeys.For(testSDKKey, "", 0).Entry, &snapshot.Snapshot{JSON: []byte("[]"), Rev: 5})
		},
		"negative rev": func([]byte) []byte {
			return encodeFile(cachekeys.For(testSDKKey, "", 0).Entry, &snapshot.Snapshot{JSON: configJSON(1), Rev: -5})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				path := snapshotFile(t, 0, 1)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, corrupt(data), 0o600); err != nil {
					t.Fatal(err)
				}
				log, logging := recorded(slog.LevelWarn)
				c := n.start(t, logging, withSnapshotFile(path))
				wantVersion(t, c, -1)
				wantEvents(t, log, eventid.FileRead, 1)
				n.writer(t).commit(configJSON(2))
				wantVersion(t, c, 2)
				c.Close()
				if s, err := readFile(path, cachekeys.For(testSDKKey, "", 0).Entry); err != nil || s == nil {
					t.Errorf("%+v, %v", s, err)
				}
			})
		})
	}
}

// A failed write is logged and leaves no temporary file.
func TestAFailedWriteOfTheFileIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		dir := t.TempDir()
		path := filepath.Join(dir, "taken")
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		log, logging := recorded(slog.LevelWarn)
		n.writer(t, 1)
		c := n.ready(t, logging, withSnapshotFile(path))
		wantVersion(t, c, 1)
		c.Close()
		wantEvents(t, log, eventid.FileRead, 1)
		wantEvents(t, log, eventid.FileWrite, 1)
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%v", entries)
		}
	})
}

func FuzzDecodeFile(f *testing.F) {
	key := cachekeys.For(testSDKKey, "", 0).Entry
	f.Add(encodeFile(key, &snapshot.Snapshot{JSON: configJSON(1), Rev: wire.MinRev, FetchTime: 7, ETag: `"x"`}))
	f.Add([]byte(fileMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeFile(key, data)
		if err == nil && (s.Config == nil || s.Rev < 0 || s.Hash != wire.ContentHash(s.JSON)) {
			t.Errorf("%+v", s)
		}
	})
}

// A failed write is retried though no new config arrives, so that the config survives a crash.
func TestAFailedWriteOfTheFileIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		log, logging := recorded(slog.LevelWarn)
		n.writer(t).commit(configJSON(1))
		path := filepath.Join(t.TempDir(), "later", "snapshot")
		n.ready(t, logging, withSnapshotFile(path))
		time.Sleep(time.Hour)
		wantEvents(t, log, eventid.FileWrite, 1) // not once per attempt
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(saveRetry)
		synctest.Wait()
		if s, err := readFile(path, cachekeys.For(testSDKKey, "", 0).Entry); err != nil || s == nil {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestALinkToTheFileStaysALink(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		n.writer(t).commit(configJSON(2))
		target := snapshotFile(t, time.Hour, 1)
		path := emptyFile(t)
		if err := os.Symlink(target, path); err != nil {
			missing.Skip(t, "symbolic links are missing here: %v", err)
		}
		c := n.ready(t, withSnapshotFile(path))
		wantVersion(t, c, 2)
		c.Close()
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSymlink {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if s, err := readFile(target, cachekeys.For(testSDKKey, "", 0).Entry); err != nil || string(s.JSON) != string(configJSON(2)) {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
