package leader

import (
	"bytes"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/wire"
)

// setWrongType replaces a key's value by a list.
func setWrongType(t *testing.T, client *redis.Client, key string) {
	t.Helper()
	client.Del(t.Context(), key)
	if err := client.RPush(t.Context(), key, "of another type").Err(); err != nil {
		t.Fatal(err)
	}
}

// I6: a value of any type is overwritten.
func TestScriptsOverwriteKeysOfTheWrongType(t *testing.T) {
	for _, name := range []string{"entry", "blob", "meta", "lock"} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				key := map[string]string{"entry": a.keys.Entry, "blob": a.keys.Blob, "meta": a.keys.Meta, "lock": a.keys.Lock}[name]
				setWrongType(t, client, key)
				a.mustAcquire()
				a.mustCommit(testContent(1))
				a.stored()

				setWrongType(t, client, key)
				want := map[string]outcome{"entry": outcomeOverwritten, "blob": outcomeOverwritten, "meta": outcomeRegressed, "lock": outcomeFenced}[name]
				w := a.renewAs(testContent(1), -1)
				if w.outcome != want {
					t.Fatalf("renew: %+v, want %s", w, want)
				}
				if name == "lock" {
					if got, err := a.release(t.Context(), a.lock, wire.Message{Type: wire.Resign}); err != nil || got != outcomeFenced {
						t.Errorf("release: %s, %v", got, err)
					}
					a.mustAcquire()
				}
				if name != "lock" {
					a.rev = w.meta.Rev
				}
				a.mustCommit(testContent(2))
				a.stored()
			})
		})
	}
}

func TestALeaderRepairsKeysOfTheWrongType(t *testing.T) {
	for _, name := range []string{"entry", "blob", "meta", "lock"} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(l.cfg.Timing.RenewInterval)
				before := s.entry()
				setWrongType(s.T, s.client, map[string]string{"entry": s.keys.Entry, "blob": s.keys.Blob, "meta": s.keys.Meta, "lock": s.keys.Lock}[name])
				s.wait(2 * l.cfg.Timing.RenewInterval)
				if got := s.entry(); got.FetchTime < before.FetchTime || !bytes.Equal(got.JSON, before.JSON) {
					s.Errorf("entry %d after %d", got.FetchTime, before.FetchTime)
				}
				if m := s.meta(); m.Hash != s.stats(l).Hash || m.Hash == "" {
					s.Errorf("meta %+v", m)
				}
				if now := s.stats(l); now.State != Steady || now.WriteError != "" {
					s.Errorf("stats %+v", now)
				}
			})
		})
	}
}
