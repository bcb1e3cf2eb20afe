package leader

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// An official SDK may have fetched new content before the leader did.
func TestTheCDNIsAskedBeforeANewerEntryOfAnSDKIsOverwritten(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(10 * time.Second)
		version := s.cdn.Publish()
		before := s.entry()
		sdkEntry := cachekeys.Entry{FetchTime: before.FetchTime + 8000, ETag: "sdk", JSON: []byte(`{"f":{"version":{"t":2,"v":{"i":2}}}}`)}
		s.client.Set(s.Context(), s.keys.Entry, sdkEntry.Append(nil), 0)
		s.wait(l.cfg.Timings.RenewInterval + time.Second)
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
		s.wait(l.cfg.Timings.RenewInterval)
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
		s.wait(2 * l.cfg.Timings.RenewInterval)
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
		if now := s.stats(l); now.State != StateWarm || now.Renewals == 0 || now.Rev != mine.FetchTime {
			s.Errorf("stats %+v", now)
		}
		s.client.Del(s.Context(), s.keys.Entry)
		s.wait(l.cfg.Timings.RenewInterval)
		if got := s.entry(); !bytes.Equal(got.JSON, mine.JSON) {
			s.Errorf("entry %+v", got)
		}
		s.cdn.Repair()
		s.wait(l.cfg.Timings.PollInterval + time.Minute)
		if now := s.stats(l); now.State != StateSteady || now.NotModified == 0 {
			s.Errorf("the content in Redis was not used for the first poll: %+v", now)
		}
	})
}

// Damage that waits for the CDN is found by each renewal. It is logged once, and its end with how long it lasted.
func TestDamageIsLoggedOnceUntilItIsRepaired(t *testing.T) {
	for name, damage := range map[string]func(s *testEnv){
		"missing": func(s *testEnv) { s.client.Del(s.Context(), s.keys.Entry, s.keys.Blob) },
		"invalid": func(s *testEnv) {
			s.client.Del(s.Context(), s.keys.Blob)
			s.client.Set(s.Context(), s.keys.Entry, strconv.FormatInt(s.entry().FetchTime, 10)+"\netag\n{\"p\":1}", 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				_, stop := s.start(nil)
				s.wait(5 * time.Second)
				stop()
				damage(s)
				s.cdn.Break(fakecdn.Status(500))
				l, _ := s.start(nil)
				s.wait(10 * l.cfg.Timings.RenewInterval)
				counts := func() (damaged, repaired int) {
					log := s.log.String()
					return strings.Count(log, "is missing or was overwritten") + strings.Count(log, "is not a valid config"), strings.Count(log, "event_id=6124")
				}
				most := map[string]int{"missing": 1, "invalid": 2}[name]
				damaged, repaired := counts()
				if damaged == 0 || damaged > most || repaired != 0 {
					s.Errorf("%d events of damage, %d of repairs:\n%s", damaged, repaired, s.log.String())
				}
				s.cdn.Repair()
				s.wait(l.cfg.Timings.PollInterval + time.Minute)
				if again, repaired := counts(); again != damaged || repaired != 1 {
					s.Errorf("%d events of damage, %d of repairs:\n%s", again, repaired, s.log.String())
				}
				s.client.Del(s.Context(), s.keys.Blob)
				s.wait(2 * l.cfg.Timings.RenewInterval)
				if again, repaired := counts(); again != damaged+1 || repaired != 1 {
					s.Errorf("after another damage, which is repaired at once: %d events of damage, %d of repairs", again, repaired)
				}
			})
		})
	}
}

// I1: official SDKs read the entry, and so do followers while no process leads.
func TestALaterEntryOfAnSDKIsCommittedWhileTheCDNDoesNotAnswer(t *testing.T) {
	for name, fault := range map[string]fakecdn.Fault{"500": fakecdn.Status(500), "Retry-After": fakecdn.TooMany(5 * time.Minute)} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.cdn.Break(fault)
				s.wait(l.cfg.Timings.PollInterval)
				before := s.stats(l)
				version := s.cdn.Publish()
				entry := s.writeAsSDK(s.entry().FetchTime+30_000, s.cdn.Config())
				s.wait(l.cfg.Timings.RenewInterval + time.Second)
				s.hasVersion(version)
				now := s.stats(l)
				if now.Rev != entry.FetchTime+1 || now.ETag != entry.ETag || now.LastAnswer != before.LastAnswer || now.Repairs != 1 {
					s.Errorf("stats %+v", now)
				}
				if name == "Retry-After" && now.Polls != before.Polls {
					s.Error("the CDN was asked though it asked to wait")
				}
			})
		})
	}
}

func TestRepairFromMemoryKeepsALaterEntryOfAnSDK(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		mine := s.entry()
		s.cdn.Break(fakecdn.Status(500))
		version := s.cdn.Publish()
		s.server.Mini().FlushAll()
		s.writeAsSDK(mine.FetchTime+5000, s.cdn.Config())
		s.wait(2 * l.cfg.Timings.RenewInterval)
		s.hasVersion(version)
		if now := s.stats(l); now.Repairs != 1 || now.LastAnswer.UnixMilli() > mine.FetchTime {
			s.Errorf("stats %+v", now)
		}
	})
}

// The leader overwrites an invalid config, and content that it knows to be replaced.
func TestAnInvalidOrReplacedLaterEntryIsNotCommitted(t *testing.T) {
	for name, write := range map[string]func(s *testEnv, later int64, old fakecdn.Config){
		"no config": func(s *testEnv, later int64, _ fakecdn.Config) {
			s.client.Set(s.Context(), s.keys.Entry, strconv.FormatInt(later, 10)+"\nx\n{}", 0)
		},
		"no entry": func(s *testEnv, later int64, _ fakecdn.Config) {
			s.client.Set(s.Context(), s.keys.Entry, strconv.FormatInt(later, 10)+"\nx", 0)
		},
		"just replaced": func(s *testEnv, later int64, old fakecdn.Config) { s.writeAsSDK(later, old) },
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				old := s.cdn.Config()
				version := s.cdn.Publish()
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(time.Second)
				s.cdn.Break(fakecdn.Status(500))
				later := s.entry().FetchTime + 9000
				write(s, later, old)
				s.wait(l.cfg.Timings.RenewInterval + time.Second)
				s.hasVersion(version)
				if got := s.entry().FetchTime; got != later+1 {
					s.Errorf("fetch time %d, want %d", got, later+1)
				}
			})
		})
	}
}

// F27 and F32 together: until the leader knows that its commit succeeded, it takes the content
// that the commit replaced for current.
func TestALaggingEdgeDoesNotUndoACommitWithALostReply(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		old := s.cdn.Config()
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(2 * time.Second)
		s.hasVersion(version) // the commit ran; the leader waits for the reply
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(time.Second)
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
		link.Drop(nil)
		link.Down()
		s.wait(500 * time.Millisecond)
		link.Up()
		for range 20 {
			s.wait(500 * time.Millisecond)
			s.hasVersion(version)
		}
		if now := s.stats(l); now.Suspect != 1 {
			s.Errorf("stats %+v", now)
		}
	})
}

// I1: followers still hold the newer content.
func TestALaggingEdgeIsNotBelievedAfterRedisLostItsData(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		old := s.cdn.Config()
		s.wait(5 * time.Second)
		version := s.change(l)
		s.cdn.Break(fakecdn.Times(1, fakecdn.Stale(old)))
		s.server.Mini().FlushAll()
		s.wait(2 * l.cfg.Timings.RenewInterval)
		s.hasVersion(version)
		if now := s.stats(l); now.Suspect != 1 || now.Terms != 2 {
			s.Errorf("stats %+v", now)
		}
	})
}

// The CDN changes twice during a poll, and an SDK already has the second version.
func TestAnEntryThatAnSDKFetchedDuringAPollIsKept(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Publish()
		var version int64
		s.cdn.Break(fakecdn.Times(1, func(w http.ResponseWriter, r *http.Request, current func() fakecdn.Config) {
			mine := current()
			time.Sleep(time.Second)
			version = s.cdn.Publish()
			s.writeAsSDK(time.Now().UnixMilli(), current())
			fakecdn.Stale(mine)(w, r, current)
		}))
		_ = l.RequestRefresh(s.Context(), "main")
		s.wait(1500 * time.Millisecond)
		s.wantNeverBelow(version, 5*time.Second)
		s.wantOwnEntry(l)
	})
}

// The same if meta is lost: the content for its repair is older than the entry.
func TestRepairingALostMetaDoesNotOverwriteALaterEntry(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		version := s.cdn.Publish()
		s.client.Del(s.Context(), s.keys.Meta)
		s.writeAsSDK(s.entry().FetchTime+4000, s.cdn.Config())
		s.wantNeverBelow(version, 2*l.cfg.Timings.RenewInterval)
		s.wantOwnEntry(l)
	})
}

// A renewal does not notice damage behind the heads. The next leader repairs it.
func TestTheNextLeaderRepairsCorruptContent(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		stop()
		blob := []byte(s.client.Get(s.Context(), s.keys.Blob).Val())
		blob[len(blob)-10] ^= 1
		s.client.Set(s.Context(), s.keys.Blob, blob, 0)
		s.start(nil)
		s.wait(2 * time.Second)
		repaired, err := wire.ParseBlob([]byte(s.client.Get(s.Context(), s.keys.Blob).Val()))
		if err != nil {
			s.Fatal(err)
		}
		if _, err := repaired.JSON(); err != nil {
			s.Error(err)
		}
	})
}

// I14: content that this leader took over from another keeps the time at which the CDN
// confirmed it to that leader.
func TestRepairedContentKeepsTheTimeOfItsAnswer(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Break(fakecdn.Status(500))
		s.client.Del(s.Context(), s.keys.Lock)
		c := script.NewContent((fakecdn.Config{Version: 7}).JSON(), `W/"v7"`)
		w := s.commitAsOther(s.stats(l).Rev, 20*time.Second, c)
		s.wait(l.cfg.Timings.RenewInterval) // the leader is fenced
		allow := s.refuse(renewArgs)        // so it receives no other time
		s.client.Del(s.Context(), s.keys.Lock)
		s.wait(2 * l.cfg.Timings.RetryPeriod) // the leader leads again
		s.server.Mini().FlushAll()
		allow()
		s.wait(3 * l.cfg.Timings.RenewInterval)
		now := s.stats(l)
		if got := s.client.HGet(s.Context(), s.keys.Meta, "cdn").Val(); got != strconv.FormatInt(w.CDN, 10) || now.Hash != c.Hash {
			s.Errorf("confirmed at %s, want %d: %+v", got, w.CDN, now)
		}
	})
}

// Followers refuse a meta with a malformed field, and refresh requests increment a field.
func TestTheNextRenewalRepairsACorruptFieldOfMeta(t *testing.T) {
	for name, fields := range map[string][]any{
		"len":                 {"len", "7"},
		"len gone":            {"len"},
		"len no number":       {"len", "x"},
		"etag":                {"etag", "other"},
		"etag gone":           {"etag"},
		"epoch":               {"epoch", "1e300"},
		"cdn no number":       {"cdn", "yesterday"},
		"cdn short":           {"cdn", "17672256"},
		"poll no number":      {"poll", "-1"},
		"refresh no number":   {"refresh", "many"},
		"refresh long":        {"refresh", "99999999999999"},
		"etags without times": {"etags", "W/x"},
		"etags empty line":    {"etags", "1767225600000 a\n\n1767225600000 b"},
		"etags too many":      {"etags", strings.Repeat("1767225600000 a\n", 8) + "1767225600000 a"},
		"etags too long":      {"etags", "1767225600000 " + strings.Repeat("x", 300)},
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(10 * time.Second)
				before := s.stats(l)
				if len(fields) == 1 {
					s.client.HDel(s.Context(), s.keys.Meta, fields[0].(string))
				} else {
					s.client.HSet(s.Context(), s.keys.Meta, fields...)
				}
				s.wait(l.cfg.Timings.RenewInterval)
				m := s.meta()
				if m.Rev == 0 || m.Hash != before.Hash || m.ETag != before.ETag || m.Len != before.Length || m.Poll != l.cfg.Timings.PollInterval || m.CDN == 0 {
					s.Errorf("meta %+v", m)
				}
				if now := s.stats(l); now.Repairs != 1 || now.Polls != before.Polls || now.Terms != 1 || now.WriteError != "" {
					s.Errorf("stats %+v", now)
				}
				version := s.cdn.Publish()
				if err := l.RequestRefresh(s.Context(), "main"); err != nil {
					s.Error(err)
				}
				s.wait(time.Millisecond)
				s.hasVersion(version)
			})
		})
	}
}

func TestIntactMetaIsNotWrittenAgain(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		for range 12 {
			s.wait(2 * time.Second)
			s.cdn.Publish()
			_ = l.RequestRefresh(s.Context(), "main")
		}
		if n := len(s.meta().Recent); n != wire.MaxRecentETags {
			s.Fatalf("%d ETags", n)
		}
		s.wait(5 * time.Minute)
		if now := s.stats(l); now.Repairs != 0 || now.Commits != 13 {
			s.Errorf("stats %+v", now)
		}
		s.client.HDel(s.Context(), s.keys.Meta, "refresh", "etags", "poll")
		s.wait(time.Minute)
		if now := s.stats(l); now.Repairs != 0 {
			s.Errorf("stats %+v", now)
		}
	})
}

func TestALeaderRepairsKeysOfTheWrongType(t *testing.T) {
	for _, name := range []string{"entry", "blob", "meta", "lock"} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(l.cfg.Timings.RenewInterval)
				before := s.entry()
				redistest.SetWrongType(s.T, s.client, map[string]string{"entry": s.keys.Entry, "blob": s.keys.Blob, "meta": s.keys.Meta, "lock": s.keys.Lock}[name])
				s.wait(2 * l.cfg.Timings.RenewInterval)
				if got := s.entry(); got.FetchTime < before.FetchTime || !bytes.Equal(got.JSON, before.JSON) {
					s.Errorf("entry %d after %d", got.FetchTime, before.FetchTime)
				}
				if m := s.meta(); m.Hash != s.stats(l).Hash || m.Hash == "" {
					s.Errorf("meta %+v", m)
				}
				if now := s.stats(l); now.State != StateSteady || now.WriteError != "" {
					s.Errorf("stats %+v", now)
				}
			})
		})
	}
}
