package leader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// testEnv is an environment in virtual time: a Redis, a CDN, and leaders that a test starts.
type testEnv struct {
	*testing.T
	server *redistest.VirtualServer
	client *redis.Client
	cdn    *fakecdn.CDN
	keys   cachekeys.Keys
	log    *syncBuffer
}

func runEnv(t *testing.T, f func(s *testEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		f(&testEnv{t, server, server.Client(t, nil), fakecdn.New(), cachekeys.For(testKey, "", 0), new(syncBuffer)})
	})
}

// syncBuffer is a log that is safe for concurrent use.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
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

func TestRefreshRequestsCauseAtMostOnePollPerSecond(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		before := s.stats(l).Polls
		version := s.cdn.Publish()
		for range 1000 {
			if err := l.RequestRefresh(s.Context(), "main"); err != nil {
				s.Fatal(err)
			}
		}
		s.wait(time.Millisecond)
		s.hasVersion(version)
		s.wait(20 * time.Second)
		// A request that arrived during the first poll causes a second one, which finds nothing new.
		if polls := s.stats(l).Polls - before; polls > uint64(2+len(recheckPauses)) {
			s.Errorf("1000 requests in an instant made %d polls", polls)
		}
		requests := s.cdn.Requests()
		for i := range requests[1:] {
			if gap := requests[i+1].At.Sub(requests[i].At); gap < minFetchGap {
				s.Errorf("%v between two polls", gap)
			}
		}
		if err := l.RequestRefresh(s.Context(), "other"); !errors.Is(err, ErrUnknownName) {
			s.Errorf("got %v", err)
		}
	})
}

// A request is also counted in meta: if the message is lost, the next renewal returns it.
func TestALostRefreshRequestCostsOneRenewal(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		version := s.cdn.Publish()
		s.client.HIncrBy(s.Context(), s.keys.Meta, "refresh", 1)
		s.wait(l.cfg.Timing.RenewInterval)
		s.hasVersion(version)
		before := s.stats(l).Polls
		s.client.HDel(s.Context(), s.keys.Meta, "refresh") // the count restarts
		s.wait(l.cfg.Timing.RenewInterval)
		s.cdn.Publish()
		s.client.HIncrBy(s.Context(), s.keys.Meta, "refresh", 1)
		s.wait(l.cfg.Timing.RenewInterval)
		if polls := s.stats(l).Polls - before; polls != 1 {
			s.Errorf("%d polls after the count was lost, want 1", polls)
		}
	})
}

// F27: a lagging edge is asked again and not believed; a real rollback is believed.
func TestRecentlyReplacedContentIsBelievedOnlyIfServedTwice(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		old := s.cdn.Config()
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * time.Second)
		s.hasVersion(version)

		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
		before := s.stats(l)
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.hasVersion(version)
		if now := s.stats(l); now.Polls-before.Polls != 2 || now.Suspect-before.Suspect != 1 || now.Commits != before.Commits {
			s.Errorf("a lagging edge: from %+v to %+v", before, now)
		}

		s.cdn.Break(fakecdn.Stale(old)) // now every edge serves it
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.hasVersion(old.Version)
	})
}

func TestFailedPollsKeepTheCurrentContent(t *testing.T) {
	for name, fault := range map[string]fakecdn.Fault{
		"403": fakecdn.Status(403), "404": fakecdn.Status(404), "500": fakecdn.Status(500),
		"garbage": fakecdn.Garbage(), "html": fakecdn.HTML(), "oversize": fakecdn.Oversize(wire.MaxConfigBytes),
		"no f": fakecdn.Body("application/json", `{"p":{}}`), "network": fakecdn.Network(errors.New("refused")),
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				before, entry := s.stats(l), s.entry()
				s.cdn.Break(fault)
				s.cdn.Publish()
				s.wait(3 * l.cfg.Timing.PollInterval)
				now := s.stats(l)
				if got := s.entry(); got.FetchTime != entry.FetchTime || !bytes.Equal(got.JSON, entry.JSON) {
					s.Errorf("the entry changed: %d to %d", entry.FetchTime, got.FetchTime)
				}
				if now.LastAnswer != before.LastAnswer || now.PollErrors == 0 || now.PollError == "" || now.State != Steady {
					s.Errorf("stats %+v", now)
				}
				if s.client.TTL(s.Context(), s.keys.Lock).Val() <= 0 {
					s.Error("the lock was lost")
				}
				s.cdn.Repair()
				s.wait(l.cfg.Timing.PollInterval)
				s.hasVersion(s.cdn.Version())
				if strings.Contains(s.log.String(), testKey) {
					s.Error("the log has the SDK key")
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.cdn.Break(fakecdn.TooMany(5 * time.Minute))
		s.wait(l.cfg.Timing.PollInterval)
		before := s.stats(l).Polls
		s.wait(4 * time.Minute)
		if polls := s.stats(l).Polls - before; polls != 0 {
			s.Errorf("%d polls while asked to wait", polls)
		}
		s.cdn.Repair()
		s.wait(2 * time.Minute)
		if polls := s.stats(l).Polls - before; polls == 0 {
			s.Error("no poll after the wait")
		}
	})
}

// An official SDK may have fetched new content before the leader did.
func TestTheCDNIsAskedBeforeANewerEntryOfAnSDKIsOverwritten(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		version := s.cdn.Publish()
		before := s.entry()
		sdkEntry := cachekeys.Entry{FetchTime: before.FetchTime + 8000, ETag: "sdk", JSON: []byte(`{"f":{"version":{"t":2,"v":{"i":2}}}}`)}
		s.client.Set(s.Context(), s.keys.Entry, sdkEntry.Append(nil), 0)
		s.wait(l.cfg.Timing.RenewInterval + time.Second)
		s.hasVersion(version)
		if got := s.entry(); got.FetchTime <= sdkEntry.FetchTime || got.ETag == "sdk" {
			s.Errorf("entry %d after the sdkEntry %d", got.FetchTime, sdkEntry.FetchTime)
		}
	})
}

func TestAnOlderEntryOfAnSDKIsOverwrittenWithoutAPoll(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		polls, mine := s.stats(l).Polls, s.entry()
		s.client.Set(s.Context(), s.keys.Entry, "1700000000000\nold\n{}", 0)
		s.wait(l.cfg.Timing.RenewInterval)
		if got := s.entry(); got.FetchTime != mine.FetchTime+1 || !bytes.Equal(got.JSON, mine.JSON) {
			s.Errorf("entry %d, want %d", got.FetchTime, mine.FetchTime+1)
		}
		if now := s.stats(l); now.Polls != polls || now.Repairs != 1 {
			s.Errorf("stats %+v", now)
		}
	})
}

// Redis lost everything and the CDN fails: the leader writes its content again, without a new
// answer of the CDN.
func TestWithoutTheCDNRedisIsRepairedFromMemory(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		mine, answer := s.entry(), s.stats(l).LastAnswer
		s.cdn.Break(fakecdn.Status(500))
		s.server.Mini().FlushAll()
		s.wait(2 * l.cfg.Timing.RenewInterval)
		if got := s.entry(); got.FetchTime <= mine.FetchTime || got.FetchTime > mine.FetchTime+10_000 || !bytes.Equal(got.JSON, mine.JSON) {
			s.Errorf("entry %d after %d", got.FetchTime, mine.FetchTime)
		}
		if now := s.stats(l); now.LastAnswer != answer || now.Terms != 2 {
			s.Errorf("stats %+v", now)
		}
	})
}

// A new leader that the CDN does not answer continues with the content in Redis.
func TestATakeoverWithoutTheCDNKeepsAndRepairsTheContentInRedis(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		mine := s.entry()
		stop()
		s.cdn.Break(fakecdn.Status(500))
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		if now := s.stats(l); now.State != Warm || now.Renewals == 0 || now.Rev != mine.FetchTime {
			s.Errorf("stats %+v", now)
		}
		s.client.Del(s.Context(), s.keys.Entry)
		s.wait(l.cfg.Timing.RenewInterval)
		if got := s.entry(); !bytes.Equal(got.JSON, mine.JSON) {
			s.Errorf("entry %+v", got)
		}
		s.cdn.Repair()
		s.wait(l.cfg.Timing.PollInterval + time.Minute)
		if now := s.stats(l); now.State != Steady || now.NotModified == 0 {
			s.Errorf("the content in Redis was not used for the first poll: %+v", now)
		}
	})
}

func TestALostReplyToACommitCausesNoSecondChange(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(time.Second)
		version := s.cdn.Publish()
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*6\r\n$2\r\nOK")) })
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * time.Second)
		s.hasVersion(version) // the commit ran; only its reply was lost
		rev := s.entry().FetchTime
		link.Drop(nil)
		s.wait(8 * time.Second)
		if now := s.stats(l); now.Rev < rev || now.Commits != 1 || now.Terms != 1 || now.Repairs != 0 {
			s.Errorf("stats %+v, rev %d", now, rev)
		}
	})
}

func TestAllConfigurationErrorsAreReportedAtOnce(t *testing.T) {
	_, err := New(Config{
		Namespace: "a b",
		SDKKeys:   []SDKKey{{Name: "a", Key: "short"}, {Name: "a", Key: testKey, PollInterval: time.Millisecond}},
		Timing:    Timing{LeaseDuration: time.Second, RetryPeriod: math.MaxInt64 / 4 * 3},
	})
	for _, want := range []string{"Redis: a client is required", `Namespace: "a b"`, "RenewDeadline must be below LeaseDuration", "RetryPeriod must be", `duplicate name "a"`, "PollInterval: 1ms", "SDKKeys[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), testKey) {
		t.Error("the SDK key is in the error")
	}
}

// A command without a timeout could stop the renewals for good.
func TestAClientWhoseCommandsMayOutliveTheLeaseIsRefused(t *testing.T) {
	single := func(o redis.Options) redis.UniversalClient { return redis.NewClient(&o) }
	cluster := func(o redis.ClusterOptions) redis.UniversalClient { return redis.NewClusterClient(&o) }
	for _, tt := range []struct {
		client redis.UniversalClient
		want   string
	}{
		{(*redis.Client)(nil), "a client is required"},
		{(*redis.ClusterClient)(nil), "a client is required"},
		{single(redis.Options{}), "ContextTimeoutEnabled"},
		{cluster(redis.ClusterOptions{}), "ContextTimeoutEnabled"},
		{single(redis.Options{ContextTimeoutEnabled: true, ReadTimeout: -2}), "ReadTimeout"},
		{cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, WriteTimeout: -2}), "WriteTimeout"},
		{single(redis.Options{ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1}), ""},
		{cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1}), ""},
	} {
		err := checkRedis(tt.client)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%T: got %v, want %q", tt.client, err, tt.want)
		}
		if tt.want != "a client is required" {
			_ = tt.client.Close()
		}
	}
}

// S103: a name appears in logs; an SDK key must not.
func TestANameMustNotContainTheSDKKey(t *testing.T) {
	_, err := New(Config{SDKKeys: []SDKKey{{Name: "my " + testKey, Key: testKey}}})
	if err == nil || !strings.Contains(err.Error(), "the Name contains the SDK key") || strings.Contains(err.Error(), testKey) {
		t.Errorf("got %v", err)
	}
}
