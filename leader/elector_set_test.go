package leader

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const otherKey = "configcat-sdk-1/TEST_KEY-0123456789012/ABCDEFGHIJKLMNOPQRSTUV"

func (s *testEnv) set(l *Leader, keys ...SDKKey) {
	s.Helper()
	if err := l.SetSDKKeys(keys); err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

func (s *testEnv) lockOf(sdkKey string) string {
	return s.client.Get(s.Context(), cachekeys.For(sdkKey, "", 0).Lock).Val()
}

func TestAnAddedSDKKeyIsLedAndARemovedOneReleasedAtOnce(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		other, stop := s.start(nil)
		s.wait(10 * time.Second)
		before := s.stats(l)
		second := SDKKey{Name: "second", Key: otherKey, BaseURL: "http://cdn.test"}
		s.set(l, second, mainKey())
		if lock := s.lockOf(otherKey); !strings.HasPrefix(lock, l.ID()+":") {
			s.Fatalf("the added SDK key's lock is %q", lock)
		}
		stats := l.Stats()
		if stats.Keys[0].Name != "second" || stats.Keys[0].State != StateSteady || stats.Keys[1].Terms != before.Terms || stats.Keys[1].Polls != before.Polls {
			s.Errorf("stats %+v", stats)
		}
		s.set(l, second)
		if lock := s.lockOf(testKey); !strings.HasPrefix(lock, other.ID()+":") {
			s.Errorf("the removed SDK key's lock is %q, not the other leader's", lock)
		}
		s.set(other, mainKey(), second)
		stop()
		if len(l.Stats().Keys) != 1 || s.lockOf(testKey) != "" {
			s.Errorf("led again: %q", s.lockOf(testKey))
		}
		if lock := s.lockOf(otherKey); !strings.HasPrefix(lock, l.ID()+":") {
			s.Errorf("the lock of the SDK key that stayed is %q", lock)
		}
		s.set(l, second, mainKey())
		if !strings.HasPrefix(s.lockOf(testKey), l.ID()+":") {
			s.Error("not led though it came back")
		}
	})
}

func TestChangedNamesAndSigningKeysEndNoTerm(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		before, lock := s.stats(l), s.lockOf(testKey)
		key := mainKey()
		s.set(l, key)
		key.Name, key.AllowedHosts = "shop", []string{}
		s.set(l, key)
		s.wait(l.cfg.Timings.PollInterval)
		now := s.stats(l)
		if now.Name != "shop" || now.Terms != 1 || now.State != StateSteady || now.Polls != before.Polls+1 || s.lockOf(testKey) != lock {
			s.Errorf("stats %+v, lock %q", now, s.lockOf(testKey))
		}
		if err := l.RequestRefresh(s.Context(), "shop"); err != nil {
			s.Error(err)
		}
		if err := l.RequestRefresh(s.Context(), "main"); err == nil {
			s.Error("the old name is still known")
		}
		s.cdn.Break(fakecdn.Status(404))
		s.wait(l.cfg.Timings.PollInterval)
		if !strings.Contains(s.log.String(), "level=ERROR") || !strings.Contains(s.log.String(), "sdk_key=shop") {
			s.Error("the log does not know the new name")
		}
	})
}

func TestChangedSettingsStartANewTermAtOnce(t *testing.T) {
	for name, change := range map[string]func(*SDKKey){
		"base URL":      func(k *SDKKey) { k.BaseURL = "http://cdn2.test" },
		"governance":    func(k *SDKKey) { k.DataGovernance = EUOnly },
		"poll interval": func(k *SDKKey) { k.PollInterval = 20 * time.Second },
		"hosts":         func(k *SDKKey) { k.AllowedHosts = []string{"cdn3.test"} },
		"private":       func(k *SDKKey) { k.AllowPrivate = true },
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(10 * time.Second)
				before := s.stats(l)
				version := s.cdn.Publish()
				key := mainKey()
				change(&key)
				s.set(l, key)
				now := s.stats(l)
				if now.Terms != 2 || now.Fenced+now.Lapsed != 0 || now.State == StateStopped || now.Epoch <= before.Epoch || now.Polls < before.Polls {
					s.Errorf("stats %+v", now)
				}
				s.hasVersion(version)
				if got := s.meta().Poll; key.PollInterval != 0 && got != key.PollInterval {
					s.Errorf("followers receive a poll interval of %v", got)
				}
			})
		})
	}
}

// S85: a Retry-After applies to the server that sent it, not to the SDK key.
func TestRetryAfterDoesNotApplyToAnotherServer(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.cdn.Break(fakecdn.TooMany(time.Hour))
		s.wait(l.cfg.Timings.PollInterval)
		s.cdn.Repair()
		polls := s.stats(l).Polls
		key := mainKey()
		key.PollInterval = 30 * time.Second
		s.set(l, key)
		s.wait(time.Minute)
		if now := s.stats(l).Polls; now != polls {
			s.Errorf("%d polls of a server that asked to be left alone", now-polls)
		}
		key.BaseURL = "http://cdn2.test"
		s.set(l, key)
		s.wait(time.Second)
		if now := s.stats(l).Polls; now != polls+1 {
			s.Errorf("%d polls of the other server, want 1", now-polls)
		}
	})
}

func TestInvalidSDKKeysAreAllReportedAndChangeNothing(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		before := s.stats(l)
		polls := l.set.Load()
		err := l.SetSDKKeys([]SDKKey{
			{Name: "a", Key: otherKey, PollInterval: time.Millisecond},
			{Name: "a", Key: "short"}, {Name: "b", Key: otherKey}, {Name: "c" + testKey, Key: testKey},
		})
		for _, want := range []string{
			"leader: SDKKeys[0]: PollInterval", `SDKKeys[1]: duplicate name "a"`, "SDKKeys[1]: cdn: SDKKey", "SDKKeys[2]: ", "duplicate SDK key", "SDKKeys[3]: the Name contains",
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				s.Errorf("no %q in: %v", want, err)
			}
		}
		if err != nil && (strings.Contains(err.Error(), testKey) || strings.Contains(err.Error(), otherKey)) {
			s.Error("an SDK key is in the error")
		}
		if err := l.SetSDKKeys(nil); err == nil || !strings.Contains(err.Error(), "at least one") {
			s.Errorf("an empty set: %v", err)
		}
		if now := s.stats(l); l.set.Load() != polls || now.Terms != before.Terms || now.Name != before.Name {
			s.Errorf("stats %+v", now)
		}
	})
}

// The subscription includes SDK keys that are added later, and misses no message of the others
// meanwhile.
func TestTheSubscriptionFollowsTheSet(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(10 * time.Second)
		s.set(l, mainKey(), SDKKey{Name: "second", Key: otherKey, BaseURL: "http://cdn.test"})
		s.wait(1500 * time.Millisecond)
		want := []string{cachekeys.For(testKey, "", 0).Events, cachekeys.For(otherKey, "", 0).Events}
		slices.Sort(want)
		if got := s.server.Mini().PubSubChannels(""); !slices.Equal(got, want) {
			s.Fatalf("subscribed to %q, want %q", got, want)
		}
		for _, name := range []string{"main", "second"} {
			before := s.cdn.RequestsOf(l.set.Load().byName[name].settings().Key)
			if err := l.RequestRefresh(s.Context(), name); err != nil {
				s.Fatal(err)
			}
			s.wait(time.Millisecond)
			if n := s.cdn.RequestsOf(l.set.Load().byName[name].settings().Key) - before; n != 1 {
				s.Errorf("%s: %d polls at once, want 1", name, n)
			}
		}
		s.set(l, mainKey())
		if got := s.server.Mini().PubSubChannels(""); !slices.Equal(got, []string{s.keys.Events}) {
			s.Errorf("still subscribed to %q", got)
		}
		if n := s.server.Mini().PubSubNumSub(s.keys.Events)[s.keys.Events]; n != 1 {
			s.Errorf("%d subscriptions", n)
		}
	})
}

func TestSetSDKKeysIsSafeForConcurrentUseBeforeAndAfterRun(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, err := New(Config{Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: s.cdn})
		if err != nil {
			s.Fatal(err)
		}
		second := SDKKey{Name: "second", Key: otherKey, BaseURL: "http://cdn.test"}
		s.set(l, second)
		if stats := l.Stats(); len(stats.Keys) != 1 || stats.Keys[0].Name != "second" || stats.Keys[0].State != StateCandidate {
			s.Errorf("before Run: %+v", stats)
		}
		stop := s.run(l)
		if s.lockOf(testKey) != "" || s.lockOf(otherKey) == "" {
			s.Error("Run began with another set")
		}
		var many sync.WaitGroup
		for i := range 20 {
			many.Go(func() {
				a, b := mainKey(), second
				a.PollInterval = time.Duration(1+i) * time.Second
				_ = l.SetSDKKeys([]SDKKey{a, b})
				_ = l.Stats()
				_ = l.RequestRefresh(s.Context(), "main")
				_ = l.SetSDKKeys([]SDKKey{b})
			})
		}
		many.Wait()
		s.set(l, mainKey(), second)
		s.wait(time.Second)
		for _, k := range l.Stats().Keys {
			if k.State != StateSteady {
				s.Errorf("%s is %s", k.Name, k.State)
			}
		}
		many.Go(func() { _ = l.SetSDKKeys([]SDKKey{mainKey()}) })
		stop()
		many.Wait()
		s.set(l, second)
		if stats := l.Stats(); stats.Keys[0].State != StateStopped {
			s.Errorf("after Run: %+v", stats)
		}
		if s.lockOf(testKey) != "" || s.lockOf(otherKey) != "" {
			s.Error("a lock was kept")
		}
		if err := l.Run(s.Context()); err == nil {
			s.Error("Run ran twice")
		}
	})
}
