package leader

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // for leaders without a Logger
	goleak.VerifyTestMain(m)
}

const testKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// testEnv is an environment in virtual time: a Redis, a CDN, and leaders that a test starts.
type testEnv struct {
	*testing.T
	server *redistest.VirtualServer
	client *redis.Client
	cdn    *fakecdn.CDN
	keys   cachekeys.Keys
	log    *syncbuffer.Buffer
}

func runEnv(t *testing.T, f func(s *testEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		f(&testEnv{t, server, server.Client(t, nil), fakecdn.New(), cachekeys.For(testKey, "", 0), new(syncbuffer.Buffer)})
	})
}

// start starts a leader. stop shuts it down and waits.
func (s *testEnv) start(link *redistest.Link) (l *Leader, stop func()) {
	s.Helper()
	l, err := New(Config{
		Redis: s.server.Client(s.T, link), SDKKeys: []SDKKey{{Name: "main", Key: testKey, BaseURL: "http://cdn.test"}},
		Transport: s.cdn, Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		s.Fatal(err)
	}
	return l, s.run(l)
}

// run runs l in a goroutine. stop shuts it down and waits.
func (s *testEnv) run(l *Leader) (stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.Error(err)
		}
	})
	s.Cleanup(stop)
	synctest.Wait()
	return stop
}

func (s *testEnv) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (s *testEnv) stats(l *Leader) KeyStats { return l.Stats().Keys[0] }

func (s *testEnv) entry() cachekeys.Entry {
	s.Helper()
	entry, err := cachekeys.ParseEntry([]byte(s.client.Get(s.Context(), s.keys.Entry).Val()))
	if err != nil {
		s.Fatal(err)
	}
	return entry
}

func (s *testEnv) hasVersion(version int64) {
	s.Helper()
	want := fmt.Sprintf(`"i":%d`, version)
	if json := s.entry().JSON; !bytes.Contains(json, []byte(want)) {
		s.Errorf("no version %d in %s", version, json)
	}
}

// The numbers of arguments of EVALSHA: the script and the number of keys, the keys, the
// script's arguments.
const (
	commitArgs = 2 + 8 + 35
	renewArgs  = 2 + 7 + 17
	trimArgs   = 2 + 2 + 2
)

// refuse makes scripts with that many arguments fail before they run, until allow is called.
func (s *testEnv) refuse(args int) (allow func()) {
	var refuse atomic.Bool
	refuse.Store(true)
	s.refuseWhile(args, &refuse)
	return func() { refuse.Store(false) }
}

// refuseWhile makes scripts with that many arguments fail before they run, while the flag is set.
func (s *testEnv) refuseWhile(args int, refuse *atomic.Bool) {
	s.server.Mini().Server().SetPreHook(func(peer *server.Peer, cmd string, have ...string) bool {
		if !refuse.Load() || cmd != "EVALSHA" && cmd != "EVAL" || len(have) != args {
			return false
		}
		peer.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
		return true
	})
}

// messages subscribes and returns a function that returns the messages published since.
func (s *testEnv) messages() func() string {
	s.Helper()
	sub := s.client.Subscribe(s.Context(), s.keys.Events)
	if _, err := sub.Receive(s.Context()); err != nil {
		s.Fatal(err)
	}
	var all syncbuffer.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, err := sub.ReceiveMessage(s.Context())
			if err != nil {
				return
			}
			_, _ = all.Write([]byte(m.Payload + "\n"))
		}
	}()
	s.Cleanup(func() {
		_ = sub.Close()
		<-done
	})
	return all.String
}

func mainKey() SDKKey { return SDKKey{Name: "main", Key: testKey, BaseURL: "http://cdn.test"} }

func (s *testEnv) meta() wire.Meta {
	s.Helper()
	m, err := wire.ParseMeta(s.client.HMGet(s.Context(), s.keys.Meta, wire.MetaFields()...).Val())
	if err != nil {
		s.Fatal(err)
	}
	return m
}

// wantNeverBelow checks for d that the entry's version does not fall.
func (s *testEnv) wantNeverBelow(version int64, d time.Duration) {
	s.Helper()
	for range int(d / (50 * time.Millisecond)) {
		s.wait(50 * time.Millisecond)
		if have := s.version(); have < version {
			s.Fatalf("version %d, want at least %d", have, version)
		}
	}
}

// wantOwnEntry checks that the leader's rev is the fetch time of the entry.
func (s *testEnv) wantOwnEntry(l *Leader) {
	s.Helper()
	if now := s.stats(l); now.Rev != s.entry().FetchTime {
		s.Errorf("the entry is not the leader's yet: %+v", now)
	}
}

func (s *testEnv) version() int64 {
	s.Helper()
	var version int64
	for version = s.cdn.Version(); version > 0; version-- {
		if string(s.entry().JSON) == string((fakecdn.Config{Version: version}).JSON()) {
			break
		}
	}
	return version
}

// writeAsSDK writes an entry as an official SDK does after it fetched the config.
func (s *testEnv) writeAsSDK(fetchTime int64, config fakecdn.Config) cachekeys.Entry {
	s.Helper()
	entry := cachekeys.Entry{FetchTime: fetchTime, ETag: config.ETag(), JSON: config.JSON()}
	if err := s.client.Set(s.Context(), s.keys.Entry, entry.Append(nil), 0).Err(); err != nil {
		s.Fatal(err)
	}
	return entry
}

// change publishes a version at the CDN and waits until the leader has committed it.
func (s *testEnv) change(l *Leader) (version int64) {
	s.Helper()
	version = s.cdn.Publish()
	if err := l.RequestRefresh(s.Context(), "main"); err != nil {
		s.Fatal(err)
	}
	s.wait(1500 * time.Millisecond)
	s.hasVersion(version)
	return version
}

// commitAsOther commits c as another leader process, which has seen revs up to highest. The CDN's
// answer has that age.
func (s *testEnv) commitAsOther(highest int64, age time.Duration, c *script.Content) script.WriteReply {
	s.Helper()
	store := script.NewBatcher(s.client, func() {}).NewStore(s.keys, "OTHER", 15*time.Second)
	g, err := store.Acquire(s.Context(), highest)
	if err != nil || g.Outcome != script.Acquired {
		s.Fatal(g, err)
	}
	w, err := store.Commit(s.Context(), script.Assertion{
		Lock: g.Lock, Base: g.Meta.Rev, Above: highest, Age: age.Milliseconds(), Latest: wire.MaxRev, ETag: c.StoredETag(), OverwriteUpTo: wire.MaxRev,
		SourceETag: c.StoredETag(), FormerETag: g.Meta.ETag,
		Message: wire.Message{Type: wire.Change, Hash: c.Hash, Len: len(c.JSON), Poll: 55 * time.Second, ETag: c.StoredETag()},
	}, c)
	if err != nil || w.Outcome != script.OK {
		s.Fatal(w, err)
	}
	return w
}
