package leader

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// redisState is a copy of what Redis stores.
type redisState struct {
	entry, blob string
	meta        map[string]string
}

func (s *testEnv) state() redisState {
	ctx := s.Context()
	return redisState{s.client.Get(ctx, s.keys.Entry).Val(), s.client.Get(ctx, s.keys.Blob).Val(), s.client.HGetAll(ctx, s.keys.Meta).Val()}
}

// rollBack makes Redis store k and no lock, as after a failover to a replica that was
// behind.
func (s *testEnv) rollBack(k redisState) {
	ctx := s.Context()
	s.server.Mini().FlushAll()
	s.client.Set(ctx, s.keys.Entry, k.entry, 0)
	s.client.Set(ctx, s.keys.Blob, k.blob, 0)
	s.client.HSet(ctx, s.keys.Meta, k.meta)
}

// F5, I1: Redis rolls back to replaced content and loses the lock. A process that knows newer
// content must not give the old content a rev above the one that followers hold: neither to
// repair an entry, nor because an edge of the CDN lags, nor without the CDN.
func TestRolledBackContentDoesNotOutrankNewerContent(t *testing.T) {
	for name, test := range map[string]struct {
		fault   func(old fakecdn.Config) fakecdn.Fault
		corrupt func(s *testEnv)
	}{
		"the CDN answers":         {nil, nil},
		"a lagging edge":          {func(old fakecdn.Config) fakecdn.Fault { return fakecdn.Times(1, fakecdn.Stale(old)) }, nil},
		"no CDN":                  {func(fakecdn.Config) fakecdn.Fault { return fakecdn.Status(500) }, nil},
		"no CDN, and no entry":    {func(fakecdn.Config) fakecdn.Fault { return fakecdn.Status(500) }, func(s *testEnv) { s.client.Del(s.Context(), s.keys.Entry) }},
		"a lagging edge, no blob": {func(old fakecdn.Config) fakecdn.Fault { return fakecdn.Times(1, fakecdn.Stale(old)) }, func(s *testEnv) { s.client.Del(s.Context(), s.keys.Blob) }},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				old, before := s.cdn.Config(), s.state()
				version := s.cdn.Publish()
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(5 * time.Second)
				s.hasVersion(version)
				top := s.entry().FetchTime

				s.rollBack(before)
				if test.corrupt != nil {
					test.corrupt(s)
				}
				if test.fault != nil {
					s.cdn.Break(test.fault(old))
				}
				for range 200 {
					s.wait(50 * time.Millisecond)
					entry, err := cachekeys.ParseEntry([]byte(s.client.Get(s.Context(), s.keys.Entry).Val()))
					if err == nil && s.version() < version && entry.FetchTime > top {
						s.Fatalf("version %d at %d, above %d", s.version(), entry.FetchTime, top)
					}
				}
				s.hasVersion(version)
				if got := s.entry().FetchTime; got <= top {
					s.Errorf("fetch time %d after %d", got, top)
				}
			})
		})
	}
}
