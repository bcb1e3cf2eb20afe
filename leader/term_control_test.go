package leader

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

func TestAForceIsInForceAtOnceAndEndsWithoutATrace(t *testing.T) {
	for name, size := range map[string]int{"small": 0, "large": largeBytes} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				s.cdn.SetMinBytes(size)
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				before := s.stats(l)
				seq := s.operate(forceVersion(time.Hour), nil)
				s.wantServed(forcedVersion)
				s.wantControlled(seq, s.cdn.Config())
				if !control.IsETag(s.entry().ETag, s.meta().Hash) {
					s.Errorf("ETag %s", s.entry().ETag)
				}
				s.operate(unforced(fakecdn.VersionFlag), nil)
				s.wantControlled(0, s.cdn.Config())
				if now := s.stats(l); now.Polls != before.Polls || now.Suspect != 0 || now.Terms != 1 || now.LastAnswer != before.LastAnswer {
					s.Errorf("%+v", now)
				}
				s.wantCauses(history.Withdrawn, history.Force, history.First)
				s.change(l)
				s.wantControlled(0, s.cdn.Config())
				if now := s.stats(l); now.Suspect != 0 {
					s.Errorf("%+v", now)
				}
			})
		})
	}
}

// The CDN goes on while a content is pinned: it is asked with its own ETag, and its answers count as such.
func TestWhatTheCDNServesStaysKnownWhileContentIsPinned(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		old := s.cdn.Config()
		s.change(l)
		seq := s.operate(pinned(old.JSON(), time.Hour), old.JSON())
		s.wantServed(old.Version)
		s.wantControlled(seq, s.cdn.Config())
		before := s.stats(l)
		s.wait(3 * time.Minute)
		now := s.stats(l)
		if now.NotModified < before.NotModified+2 || now.Fetched != before.Fetched || !now.LastAnswer.After(before.LastAnswer) || now.Rev <= before.Rev {
			s.Errorf("the CDN's answers do not count: %+v, then %+v", before, now)
		}
		s.wantControlled(seq, s.cdn.Config())
		former := s.cdn.Config().ETag()
		s.cdn.Publish()
		s.wait(2 * time.Minute)
		s.wantServed(old.Version)
		s.wantControlled(seq, s.cdn.Config())
		if recent := s.meta().Recent; len(recent) == 0 || recent[0].ETag != former {
			s.Errorf("meta does not list what the CDN served before: %+v", recent)
		}
		polls := s.stats(l).Polls
		s.operate(unpinned, nil)
		s.wantControlled(0, s.cdn.Config())
		if now := s.stats(l); now.Polls != polls || now.Suspect != 0 || now.Repairs != 0 {
			s.Errorf("%+v", now)
		}
		s.wait(3 * time.Minute)
		s.wantControlled(0, s.cdn.Config())
		if now := s.stats(l); now.Suspect != 0 {
			s.Errorf("the CDN's config is suspect: %+v", now)
		}
		s.wantCauses(history.Withdrawn, history.Pin, history.Refresh, history.First)
	})
}

func TestAForceEndsWhenItsTimeIsUp(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.operate(forceVersion(time.Minute), nil)
		s.wait(59 * time.Second)
		s.wantServed(forcedVersion)
		s.wait(l.cfg.Timings.RenewInterval + time.Second)
		s.wantControlled(0, s.cdn.Config())
		s.wantCauses(history.Expired, history.Force, history.First)
		// It does not return when Redis's clock is set back.
		s.server.Mini().SetTime(time.Now().Add(-time.Minute))
		s.wait(3 * l.cfg.Timings.RenewInterval)
		s.wantControlled(0, s.cdn.Config())
	})
}

func TestATakeoverKeepsTheControlWithoutTheCDN(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		seq := s.operate(forceVersion(time.Hour), nil)
		s.cdn.Break(fakecdn.Status(500))
		stop()
		l, _ := s.start(nil)
		s.wait(2 * time.Minute)
		s.wantServed(forcedVersion)
		s.wantControlled(seq, s.cdn.Config())
		if now := s.stats(l); now.Commits != 0 || now.InForce != seq || now.Suspended != "" {
			s.Errorf("%+v", now)
		}
		s.operate(unforced(fakecdn.VersionFlag), nil)
		s.wantControlled(0, s.cdn.Config())
		s.wantCauses(history.Withdrawn, history.Force, history.First)
	})
}

// Without a leader nothing ends; the next leader acts on what was ordered and ended meanwhile.
func TestAControlThatChangesWhileNobodyLeadsIsActedOnLater(t *testing.T) {
	for name, test := range map[string]struct {
		lasts time.Duration
		want  history.Cause
	}{"ordered": {time.Hour, history.Force}, "ended": {time.Second, history.First}} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				_, stop := s.start(nil)
				s.wait(5 * time.Second)
				stop()
				seq := s.operate(forceVersion(test.lasts), nil)
				s.wait(time.Minute)
				s.start(nil)
				s.wait(5 * time.Second)
				if s.history().Versions[0].Cause != test.want {
					s.Errorf("%+v", s.history().Versions)
				}
				if test.want == history.Force {
					s.wantControlled(seq, s.cdn.Config())
				} else {
					s.wantControlled(0, s.cdn.Config())
				}
			})
		})
	}
}

// F40: Redis loses everything while a flag is forced and the CDN does not answer.
func TestALostControlIsWrittenAgain(t *testing.T) {
	for name, lose := range map[string]func(*testEnv){
		"everything": func(s *testEnv) { s.server.Mini().FlushAll() },
		"control":    func(s *testEnv) { s.client.Del(s.Context(), s.keys.Control) },
		"pinned":     func(s *testEnv) { s.client.Del(s.Context(), s.keys.Pinned) },
		"both":       func(s *testEnv) { s.client.Del(s.Context(), s.keys.Control, s.keys.Pinned) },
		"malformed":  func(s *testEnv) { s.client.Set(s.Context(), s.keys.Control, "1999999999999\n{", 0) },
		"type": func(s *testEnv) {
			s.client.Del(s.Context(), s.keys.Control)
			s.client.LPush(s.Context(), s.keys.Control, "x")
		},
		"source": func(s *testEnv) { s.client.Set(s.Context(), s.keys.Source, "x", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				old := s.cdn.Config()
				s.change(l)
				s.operate(pinned(old.JSON(), time.Hour), old.JSON())
				seq := s.operate(forced("odd", evaluate.BoolValue(false), time.Minute), nil)
				s.cdn.Break(fakecdn.Status(500))
				lose(s)
				s.wait(3 * l.cfg.Timings.RenewInterval)
				now := s.stats(l)
				if now.InForce != seq && name != "malformed" || now.ControlsLost == 0 && name != "source" {
					s.Errorf("%+v", now)
				}
				s.wantServed(old.Version)
				s.wantControlled(now.InForce, s.cdn.Config())
				s.wait(time.Minute) // the force has ended, the pin has not
				if s.wantServed(old.Version); !bytes.Equal(s.entry().JSON, old.JSON()) {
					s.Errorf("the entry has %s", s.entry().JSON)
				}
			})
		})
	}
}

func TestALostMessageCostsOneRenewal(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		next := forceVersion(time.Hour)(nil)
		next.Seq = time.Now().UnixMilli()
		s.client.Set(s.Context(), s.keys.Control, next.Append(nil), 0)
		s.wait(l.cfg.Timings.RenewInterval)
		s.wantControlled(next.Seq, s.cdn.Config())
		s.wantServed(forcedVersion)
	})
}

// An official SDK that is not offline writes what the CDN serves into the entry.
func TestAnEntryOfAnSDKBecomesTheSource(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		seq := s.operate(forceVersion(time.Hour), nil)
		s.cdn.Break(fakecdn.Status(500))
		s.cdn.Publish()
		s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
		s.wait(2 * l.cfg.Timings.RenewInterval)
		s.wantServed(forcedVersion)
		s.wantControlled(seq, s.cdn.Config())
		s.operate(unforced(fakecdn.VersionFlag), nil)
		s.wantControlled(0, s.cdn.Config())
		overwrites := wire.ParseOverwrites(s.client.HGet(s.Context(), s.keys.Meta, wire.OverwritesField).Val())
		if overwrites.Count != 1 || overwrites.Last < seq {
			s.Errorf("%+v", overwrites)
		}
	})
}

// A commit is refused if the control changed after its content was made.
func TestAWithdrawalBetweenMakingAndCommittingCounts(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		seq := s.operate(forceVersion(time.Hour), nil)
		messages := s.messages()
		empty := &control.Control{Seq: time.Now().UnixMilli(), After: seq}
		withdraw := sync.OnceFunc(func() { _ = s.server.Mini().Set(s.keys.Control, string(empty.Append(nil))) })
		s.server.Mini().Server().SetPreHook(func(_ *server.Peer, cmd string, have ...string) bool {
			if cmd == "EVALSHA" && len(have) == commitArgs {
				withdraw()
			}
			return false
		})
		s.change(l)
		s.wantControlled(0, s.cdn.Config())
		for line := range strings.Lines(messages()) {
			if strings.HasPrefix(line, "change") && strings.Contains(line, "control=") {
				s.Errorf("content with the withdrawn force was published: %s", line)
			}
		}
	})
}

func TestAForceThatDoesNotFitIsSuspendedUntilItDoes(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		seq := s.operate(forced("filler000006", evaluate.StringValue("x"), time.Hour), nil)
		s.wantControlled(seq, s.cdn.Config())
		if now := s.stats(l); !strings.Contains(now.Suspended, "filler000006: the config has no such flag") || s.entry().ETag != s.cdn.Config().ETag() {
			s.Errorf("%+v", now)
		}
		s.cdn.SetMinBytes(largeBytes)
		s.wait(2 * time.Minute)
		if now := s.stats(l); now.Suspended != "" || !bytes.Contains(s.entry().JSON, []byte(`"filler000006":{"t":1,"v":{"s":"x"}`)) {
			s.Errorf("%+v", now)
		}
		s.wantControlled(seq, s.cdn.Config())
	})
}

// A process that has not seen Redis for a while, and whose control Redis has not, does not bring it back:
// another process has led, and may have acted on a later one that is lost.
func TestAControlOfAFormerLeaderDoesNotReturn(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(5 * time.Second)
		s.operate(forceVersion(time.Hour), nil)
		link.Down()
		s.client.Del(s.Context(), s.keys.Lock)
		other := script.NewBatcher(s.client, func() {}).NewStore(s.keys, "OTHER", 2*time.Minute)
		if g, err := other.Acquire(s.Context(), 0); err != nil || g.Outcome != script.Acquired {
			s.Fatal(g, err)
		}
		s.operate(unforced(fakecdn.VersionFlag), nil)
		s.wait(time.Minute)
		s.client.Del(s.Context(), s.keys.Control)
		link.Up()
		s.wait(2 * time.Minute)
		s.wantControlled(0, s.cdn.Config())
		if now := s.stats(l); now.Terms != 2 || now.ControlsLost != 0 || now.InForce != 0 {
			s.Errorf("%+v", now)
		}
	})
}

func TestAMalformedControlThatNobodyActedOnIsReplaced(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.client.Set(s.Context(), s.keys.Control, "1999999999999\n{}}", 0)
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.wantControlled(0, s.cdn.Config())
		s.change(l)
		if now := s.stats(l); now.ControlsLost != 1 || now.WriteError != "" {
			s.Errorf("%+v", now)
		}
		seq := s.operate(forceVersion(time.Hour), nil)
		s.wantControlled(seq, s.cdn.Config())
	})
}

// Followers must accept it even if they have seen a higher rev than Redis has.
func TestAChangeOfTheControlIsNotARepair(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.start(nil)
		s.wait(5 * time.Second)
		seen := s.meta().Rev
		earlier := strconv.FormatInt(seen-10_000, 10) // of the same content, as a replica that was behind has it
		s.client.SetRange(s.Context(), s.keys.Entry, 0, earlier)
		s.client.SetRange(s.Context(), s.keys.Blob, 0, earlier)
		s.client.HSet(s.Context(), s.keys.Meta, "rev", earlier)
		s.operate(forceVersion(time.Hour), nil)
		s.wantServed(forcedVersion)
		if now := s.meta(); now.Rev <= seen || now.Waits != 0 {
			s.Errorf("%+v, and followers have seen %d", now, seen)
		}
	})
}

// F40: after FLUSHALL the lock is free, and a process that never led takes it first.
func TestACandidateWritesALostControlAgain(t *testing.T) {
	for name, knows := range map[string]bool{"the new leader knows it": true, "only the former leader knows it": false} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				link := new(redistest.Link)
				first, _ := s.start(link)
				s.wait(5 * time.Second)
				seq := s.operate(forceVersion(time.Hour), nil)
				if knows {
					s.start(nil)
					s.wait(5 * time.Second)
				}
				link.Down() // so the other takes the lock
				s.server.Mini().FlushAll()
				if !knows {
					s.start(nil)
				}
				s.wait(3 * time.Second)
				if !knows {
					link.Up()
				}
				s.wait(30 * time.Second)
				if now := s.stats(first); now.State != StateCandidate {
					t.Fatalf("%+v", now)
				}
				s.wantServed(forcedVersion)
				s.wantControlled(seq, s.cdn.Config())
			})
		})
	}
}

// A leader that could not read the content or its source when it took over reads them later, before a
// commit deletes the source.
func TestASourceThatCouldNotBeReadIsNotLost(t *testing.T) {
	for name, keys := range map[string]func(*testEnv) []string{
		"source":  func(s *testEnv) []string { return []string{s.keys.Source} },
		"content": func(s *testEnv) []string { return []string{s.keys.Blob, s.keys.Entry} },
	} {
		for _, times := range []int{1, 6} {
			t.Run(name+" "+strconv.Itoa(times), func(t *testing.T) {
				runEnv(t, func(s *testEnv) {
					_, stop := s.start(nil)
					s.wait(5 * time.Second)
					s.operate(forceVersion(time.Minute), nil)
					s.cdn.Break(fakecdn.Status(500))
					stop()
					s.wait(time.Minute)
					var left atomic.Int64 // connections run the hook side by side
					left.Store(int64(times))
					s.server.Mini().Server().SetPreHook(func(c *server.Peer, cmd string, args ...string) bool {
						if len(args) == 0 || cmd == "EVALSHA" || !slices.Contains(keys(s), args[0]) || left.Add(-1) < 0 {
							return false
						}
						c.WriteError("ERR a test")
						return true
					})
					s.start(nil)
					s.wait(2 * time.Minute)
					if left.Load() > 0 {
						t.Fatalf("%d reads did not come", left.Load())
					}
					s.wantControlled(0, s.cdn.Config())
					s.wantCauses(history.Expired, history.Force, history.First)
				})
			})
		}
	}
}
