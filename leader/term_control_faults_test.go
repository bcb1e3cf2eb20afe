package leader

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/control"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// Another process led meanwhile, and the CDN went on.
func TestALeaderThatReturnsReadsTheSourceAgain(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		linkA, linkB := new(redistest.Link), new(redistest.Link)
		a, _ := s.start(linkA)
		s.wait(5 * time.Second)
		old := s.cdn.Config()
		s.change(a)
		s.operate(pinned(old.JSON(), time.Hour), old.JSON())
		b, _ := s.start(linkB)
		s.wait(5 * time.Second)
		linkA.Down() // A is cut off; B leads
		s.wait(30 * time.Second)
		if s.stats(b).Terms != 1 {
			s.Fatal("B does not lead")
		}
		s.cdn.Publish()
		s.wait(3 * time.Minute)
		v3 := s.cdn.Config().Version
		s.cdn.Break(fakecdn.Status(500))
		linkA.Up()
		s.wait(10 * time.Second)
		linkB.Down() // B dies; A leads again
		s.wait(time.Minute)
		src, _ := script.NewBatcher(s.client, func() {}).NewStore(s.keys, "", time.Second).Source(s.Context(), s.meta().Rev)
		if src == nil || !bytes.Equal(src.JSON, s.cdn.Config().JSON()) {
			s.Errorf("the source is no longer version %d", v3)
		}
		s.operate(unpinned, nil)
		s.wait(10 * time.Second)
		if have := s.served(); have != v3 {
			s.Errorf("after unpin version %d is served, the CDN's last was %d", have, v3)
		}
		linkB.Up()
		s.cdn.Repair()
	})
}

// The leader was cut off when the order was given.
func TestACandidateThatHasSeenAnOrderActsOnIt(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		s.start(link)
		s.wait(5 * time.Second)
		b, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Break(fakecdn.Status(500))
		link.Down()
		s.operate(forceVersion(time.Hour), nil)
		s.wait(3 * time.Minute)
		if s.stats(b).Terms != 1 {
			s.Fatal("B does not lead")
		}
		s.wantServed(forcedVersion)
		link.Up()
		s.wait(10 * time.Second)
	})
}

// I9: its rev has 13 digits.
func TestAPinWorksBeforeAnythingWasPublished(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.cdn.Break(fakecdn.Status(500))
		s.start(nil)
		s.wait(5 * time.Second)
		file := s.cdn.Config()
		s.operate(pinned(file.JSON(), time.Hour), file.JSON())
		s.wait(10 * time.Second)
		if m := s.meta(); m.Control == 0 || m.Rev == 0 {
			s.Errorf("meta %+v", m)
		}
		s.wantServed(file.Version)
		s.cdn.Repair()
		s.wait(2 * time.Minute)
		s.operate(unpinned, nil)
		s.wantControlled(0, s.cdn.Config())
	})
}

// The new leader has no content, and the CDN does not answer.
func TestAPinWorksAfterRedisLostEverything(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stopA := s.start(nil)
		s.wait(5 * time.Second)
		b, _ := s.start(nil) // a candidate: it has seen revs, but holds no content
		s.wait(5 * time.Second)
		file := s.cdn.Config()
		s.cdn.Break(fakecdn.Status(500))
		stopA()
		s.server.Mini().FlushAll()
		s.wait(10 * time.Second)
		s.operate(pinned(file.JSON(), time.Hour), file.JSON())
		s.wait(3 * time.Minute)
		if m := s.meta(); m.Rev == 0 || m.Control == 0 {
			s.Errorf("3 minutes later the pin has no effect: meta %+v stats %+v", m, s.stats(b))
		}
	})
}

// The CDN does not answer.
func TestAPinReplacesContentThatIsCorrupt(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stopA := s.start(nil)
		s.wait(5 * time.Second)
		file := s.cdn.Config()
		s.cdn.Break(fakecdn.Status(500))
		stopA()
		s.client.Append(s.Context(), s.keys.Blob, "x")
		b, _ := s.start(nil)
		s.wait(10 * time.Second)
		s.operate(pinned(file.JSON(), time.Hour), file.JSON())
		s.wait(3 * time.Minute)
		if m := s.meta(); m.Control == 0 {
			s.Errorf("the pin has no effect: meta %+v stats %+v", m, s.stats(b))
		}
	})
}

// What the command shows comes into force, even if the source was lost and the CDN does not answer.
func TestAForceWorksWithoutTheSource(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		s.operate(forceVersion(time.Hour), nil)
		stop()
		s.client.Del(s.Context(), s.keys.Source)
		s.cdn.Break(fakecdn.Status(500))
		s.start(nil)
		s.wait(10 * time.Second)
		c, err := control.Read(s.Context(), s.client, testKey, "")
		if err != nil {
			s.Fatal(err)
		}
		change, err := c.Force("odd", evaluate.BoolValue(false), control.Order{By: "a", Reason: "b", For: time.Hour})
		if err != nil {
			s.Fatal(err)
		}
		if err := change.Apply(s.Context()); err != nil {
			s.Fatal(err)
		}
		s.wait(10 * time.Second)
		err = change.Await(s.Context())
		if err == nil && !bytes.Equal(s.entry().JSON, change.After) {
			s.Errorf("Await says that it is in force, but the entry is not what the command showed:\n%s\n%s", s.entry().JSON, change.After)
		}
	})
}

// F40: FLUSHALL besides. The next acquisition finds an epoch of this process itself.
func TestALostReplyToAnAcquisitionDoesNotForgetTheControl(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		link := new(redistest.Link)
		l, _ := s.start(link)
		s.wait(5 * time.Second)
		s.operate(forceVersion(time.Hour), nil)
		s.server.Mini().FlushAll()
		link.Drop(func(frame []byte) bool { return bytes.Contains(frame, []byte("ACQUIRED")) })
		s.wait(4 * time.Second)
		link.Drop(nil)
		s.wait(30 * time.Second)
		if s.served() != forcedVersion {
			s.Errorf("the only leader forgot the force: %+v", s.stats(l))
		}
	})
}

// F40: who gave the order did not know of the force, which Redis had lost a moment before.
func TestAnOrderAfterALossKeepsTheEarlierOnes(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		file := s.cdn.Config()
		s.operate(forceVersion(time.Hour), nil)
		s.server.Mini().FlushAll()
		s.putInForce(pinned(file.JSON(), time.Hour), file.JSON())
		s.wait(30 * time.Second)
		if s.served() != forcedVersion {
			s.Errorf("the force is gone: lost %d", s.stats(l).ControlsLost)
		}
	})
}

// The content is the same before and after: the withdrawn force had no effect.
func TestALostReplyDoesNotHideAWithdrawal(t *testing.T) {
	var bad strings.Builder
	for i := range 48 {
		runEnv(t, func(s *testEnv) {
			link := new(redistest.Link)
			s.start(link)
			s.wait(5 * time.Second)
			s.cdn.Break(fakecdn.Status(500))
			link.Drop(func(frame []byte) bool { return bytes.HasPrefix(frame, []byte("*7\r\n$2\r\nOK")) })
			s.putInForce(forced("filler999999", evaluate.StringValue("x"), time.Hour), nil) // suspended
			s.wait(4*time.Second + time.Duration(i)*125*time.Millisecond)
			link.Drop(nil)
			seq := s.putInForce(unforced("filler999999"), nil)
			s.wait(4 * time.Minute)
			if m := s.meta(); m.Control != 0 {
				bad.WriteString(fmt.Sprintf("delay %d: meta names %d, the withdrawal is %d; ", i, m.Control, seq))
			}
		})
	}
	if bad.String() != "" {
		t.Error(bad.String())
	}
}

func TestTheHistorySaysExpiredEvenIfTheFirstCommitFails(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.start(nil)
		s.wait(5 * time.Second)
		s.operate(forceVersion(time.Minute), nil)
		s.wait(50 * time.Second)
		allow := s.refuse(commitArgs)
		s.wait(20 * time.Second)
		allow()
		s.wait(10 * time.Second)
		s.wantServed(s.cdn.Config().Version)
		if c := s.history().Versions[0].Cause; c != "expired" {
			s.Errorf("cause %q, want expired", c)
		}
	})
}

// One of two forces was withdrawn while nobody led.
func TestTheHistorySaysWithdrawnAfterATakeover(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		s.operate(forced("odd", evaluate.BoolValue(true), time.Hour), nil)
		s.operate(forceVersion(time.Minute), nil)
		stop()
		s.operate(unforced(fakecdn.VersionFlag), nil)
		s.start(nil)
		s.wait(5 * time.Second)
		s.wantServed(s.cdn.Config().Version)
		if c := s.history().Versions[0].Cause; c != "withdrawn" {
			s.Errorf("cause %q, want withdrawn", c)
		}
	})
}

func TestAGreatestSeqDoesNotStopPublishing(t *testing.T) {
	for name, value := range map[string]string{"malformed": "9999999999999\n{}}", "valid": "9999999999999\n{}"} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.start(nil)
				s.wait(5 * time.Second)
				s.client.Set(s.Context(), s.keys.Control, value, 0)
				s.wait(10 * time.Second)
				v := s.cdn.Publish()
				s.wait(3 * time.Minute)
				if s.served() != v {
					s.Errorf("the CDN's change is not published: %s", s.stats(l).WriteError)
				}
				s.client.Del(s.Context(), s.keys.Control) // as the error says
				s.wait(time.Minute)
				v = s.cdn.Publish()
				s.wait(3 * time.Minute)
				if s.served() != v {
					s.Errorf("after the control was deleted as the error says: still not: %s", s.stats(l).WriteError)
				}
			})
		})
	}
}

func TestADamagedProtoDoesNotKeepALostControlAway(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		s.operate(forceVersion(time.Hour), nil)
		s.client.HDel(s.Context(), s.keys.Meta, "proto")
		s.client.Del(s.Context(), s.keys.Control)
		messages := s.messages()
		s.wait(3 * time.Minute)
		if m := s.meta(); !m.HasProto() || m.Control == 0 {
			s.Errorf("wedged: meta %+v, %d bytes of messages, %+v", m, len(messages()), s.stats(l))
		}
		s.cdn.Publish()
		s.wait(3 * time.Minute)
	})
}

// Under all keys and in all fields of meta that have to do with controls.
func TestHostileControlsDoNotStopPublishing(t *testing.T) {
	for _, c := range []string{"", "\x00", "9999999999998\n{}", "9999999999998\nx", "0000000000001\n{}", "1000000000000\n{}", "1e12\n{}", "\n\n\n", string(bytes.Repeat([]byte{0}, 1<<20)),
		"1999999999999\n{\"pin\":{\"rev\":0,\"hash\":\"" + fmt.Sprintf("%064d", 0) + "\",\"by\":\"x\",\"reason\":\"y\",\"since\":1999999999999,\"until\":1999999999999}}",
		"1999999999999\n{\"pin\":{\"rev\":0,\"hash\":\"" + fmt.Sprintf("%064d", 0) + "\",\"by\":\"x\",\"reason\":\"y\",\"since\":1999999999998,\"until\":1999999999999}}"} {
		runEnv(t, func(s *testEnv) {
			l, _ := s.start(nil)
			s.wait(5 * time.Second)
			s.operate(forceVersion(time.Hour), nil)
			for _, key := range []string{s.keys.Control, s.keys.Pinned, s.keys.Source} {
				s.client.Set(s.Context(), key, c, 0)
				s.wait(10 * time.Second)
			}
			for _, field := range []string{"control", "proto", "sdk", "epoch"} {
				if field == "epoch" && len(c) > 30 {
					continue
				}
				s.client.HSet(s.Context(), s.keys.Meta, field, c)
				s.wait(10 * time.Second)
			}
			v := s.cdn.Publish()
			s.wait(3 * time.Minute)
			if have := s.served(); have != v && have != forcedVersion || s.stats(l).WriteError != "" {
				s.Errorf("%.60q: version %d, want %d, %s", c, have, v, s.stats(l).WriteError)
			}
			seq := s.operate(forceVersion(time.Hour), nil)
			s.wait(10 * time.Second)
			s.wantControlled(seq, s.cdn.Config())
			s.operate(unforced(fakecdn.VersionFlag), nil)
			s.wait(10 * time.Second)
			s.wantServed(v)
		})
	}
}

// F40: an official SDK that is online overwrites the entry each second, and the CDN does not answer the leader.
func TestAForceEndsWhileAnSDKWritesTheEntry(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		s.start(nil)
		s.wait(5 * time.Second)
		s.cdn.Publish()
		s.cdn.Break(fakecdn.Status(500))
		s.putInForce(forceVersion(time.Minute), nil)
		for range 120 {
			s.writeAsSDK(time.Now().UnixMilli(), s.cdn.Config())
			s.wait(time.Second)
		}
		s.wait(10 * time.Second)
		s.wantControlled(0, s.cdn.Config())
	})
}

// A pin of what the CDN serves, and a force to the value that the flag has.
func TestOrdersThatMakeNoDifferenceHold(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.start(nil)
		s.wait(5 * time.Second)
		same := s.cdn.Config()
		seq := s.operate(pinned(same.JSON(), time.Hour), same.JSON())
		s.wantControlled(seq, s.cdn.Config())
		v := s.cdn.Publish()
		s.wait(2 * time.Minute)
		s.wantControlled(seq, s.cdn.Config())
		s.wantServed(same.Version)
		s.operate(unpinned, nil)
		s.wantControlled(0, s.cdn.Config())
		s.wantServed(v)
		seq = s.operate(forced(fakecdn.VersionFlag, evaluate.IntValue(v), time.Hour), nil)
		s.wantControlled(seq, s.cdn.Config())
		s.cdn.Publish()
		s.wait(2 * time.Minute)
		s.wantServed(v)
		s.operate(unforced(fakecdn.VersionFlag), nil)
		s.wantControlled(0, s.cdn.Config())
		s.wait(2 * time.Minute)
		if now := s.stats(l); now.Suspect != 0 || now.Repairs != 0 {
			s.Errorf("%+v", now)
		}
	})
}

// A leader of an earlier version in between publishes the CDN's content, and leaves the control.
func TestAForceReturnsAfterAnOlderLeader(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		_, stop := s.start(nil)
		s.wait(5 * time.Second)
		seq := s.operate(forceVersion(time.Hour), nil)
		stop()
		s.cdn.Publish()
		c, rev := script.NewContent(s.cdn.Config().JSON(), s.cdn.Config().ETag()), s.meta().Rev+5000
		b := wire.Blob{Rev: rev, Hash: c.Hash, Codec: c.Codec, Payload: c.Payload}
		s.client.Set(s.Context(), s.keys.Blob, fmt.Sprintf("%d\n%s%s", rev, b.Tail(), c.Payload), 0)
		s.client.Set(s.Context(), s.keys.Entry, cachekeys.Entry{FetchTime: rev, ETag: c.ETag, JSON: c.JSON}.Append(nil), 0)
		s.client.HSet(s.Context(), s.keys.Meta, "epoch", rev, "rev", rev, "hash", c.Hash, "len", len(c.JSON), "etag", c.ETag, "cdn", rev)
		s.cdn.Break(fakecdn.Status(500))
		l, _ := s.start(nil)
		s.wait(30 * time.Second)
		s.wantControlled(seq, s.cdn.Config())
		s.wantServed(forcedVersion)
		if now := s.stats(l); now.WriteError != "" {
			s.Error(now.WriteError)
		}
	})
}
