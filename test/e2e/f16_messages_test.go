package e2e

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/harness"
)

func TestF16_HeartbeatRevealsALostMessage(t *testing.T) {
	for name, size := range map[string]int{"carried by messages": 0, "read from Redis": 100 << 10} {
		t.Run(name, func(t *testing.T) {
			harness.Scenario(t, func(env *harness.Environment) {
				env.StartAll(2)
				if size > 0 {
					env.AwaitVersion(env.CDN.SetVaryingBytes(size), env.PollBound())
				}
				isolated := env.Followers[0]
				for range env.Rounds(1) {
					isolated.Link.Drop(func(frame []byte) bool {
						return bytes.Contains(frame, []byte(wire.Message{Type: wire.Change}.Head()))
					})
					lost := isolated.Link.Dropped()
					version := env.CDN.Publish()
					env.AwaitCommit(version)
					committed, bound := time.Now(), env.Leader.RenewInterval+harness.RoundTrip
					env.AwaitVersion(version, bound) // I7
					env.Recovered(committed, bound)
					if n := isolated.Link.Dropped() - lost; n != 1 {
						env.Errorf("%d messages were lost, want one", n)
					}
					isolated.Link.Drop(nil)
					env.Settle()
				}
			})
		})
	}
}

// collectMessages collects all messages from now on, until the end of the test.
func collectMessages(env *harness.Environment) (collected func() []string) {
	env.Helper()
	messages := env.Admin.Subscribe(env.Context(), env.Keys.Events)
	if _, err := messages.Receive(env.Context()); err != nil { // the acknowledgement
		env.Fatal(err)
	}
	var (
		mu      sync.Mutex
		all     []string
		reading sync.WaitGroup
	)
	reading.Go(func() {
		for {
			m, err := messages.ReceiveMessage(context.WithoutCancel(env.Context()))
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, m.Payload)
			mu.Unlock()
		}
	})
	env.Cleanup(func() {
		_ = messages.Close()
		reading.Wait()
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// Whatever arrives on the channel, followers keep the current content and stay connected.
func TestF17_UnexpectedMessagesAreIgnoredAndCounted(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(3)
		messages := collectMessages(env)
		for range env.Rounds(1) {
			earlier := len(messages())
			for range 2 {
				env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			}
			real := messages()[earlier:]
			real = append(real, real...) // each twice, the latest first
			slices.Reverse(real)
			for tries := 5; ; tries-- {
				env.EventuallyAll(env.TakeoverBound()+env.PollBound(), "all are connected", isLive)
				if ignored(env, real) {
					break
				}
				if tries == 1 || env.Virtual {
					env.Fatal("a follower's connection ended")
				}
			}
			env.Settle()
		}
	})
}

func isLive(r *harness.Follower) bool { return r.Client.Stats().State == follower.StateLive }

// ignored publishes real messages once more, and strange ones, and checks that followers count and
// ignore them. It returns false if a connection ended before or meanwhile: a busy machine can do that, too.
func ignored(env *harness.Environment, real []string) bool {
	env.Helper()
	var before []follower.Stats
	for _, r := range env.Followers {
		r.Noise = true
		before = append(before, r.Client.Stats())
	}
	if slices.ContainsFunc(before, func(s follower.Stats) bool { return s.State != follower.StateLive }) {
		return false // it would miss messages, and no later end of a connection would say so
	}
	const malformed, unknown = 7, 1
	strange := append(real, "", "garbage", "cb1", "cb1 change", "cb1 change rev=1 hash=x", "cb2 change rev=9999999999999",
		"cb1 dance rev=9999999999999", string(bytes.Repeat([]byte{0xff}, 1<<20)), string(bytes.Repeat([]byte("cb1 change "), 1<<17)))
	for _, message := range strange {
		if err := env.Admin.Publish(env.Context(), env.Keys.Events, message).Err(); err != nil {
			env.Fatal(err)
		}
	}
	for i, r := range env.Followers {
		ended := func() bool { return r.Client.Stats().Disconnects != before[i].Disconnects }
		env.Eventually(env.Leader.RenewInterval+time.Second, "all are received and counted", func() bool {
			s := r.Client.Stats()
			return ended() || s.Messages >= before[i].Messages+uint64(len(strange)) &&
				s.BadMessages >= before[i].BadMessages+malformed && s.Unknown >= before[i].Unknown+unknown
		})
		if ended() {
			return false
		}
		s := r.Client.Stats()
		if s.State != follower.StateLive || s.Applied != before[i].Applied {
			env.Errorf("%s: %+v, before %+v", r.Name, s, before[i])
		}
		if s.BadMessages != before[i].BadMessages+malformed || s.Unknown != before[i].Unknown+unknown {
			env.Errorf("%s: %d malformed and %d unknown messages, want %d and %d more than %d and %d", r.Name, s.BadMessages, s.Unknown, malformed, unknown,
				before[i].BadMessages, before[i].Unknown)
		}
	}
	return true
}
