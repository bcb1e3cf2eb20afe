package test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// collectMessages collects all messages from now on, until the end of the test.
func (env *environment) collectMessages() (collected func() []string) {
	env.Helper()
	messages := env.admin.Subscribe(env.Context(), env.keys.Events)
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
	scenario(t, func(env *environment) {
		env.ready(3)
		messages := env.collectMessages()
		for range env.rounds(1) {
			earlier := len(messages())
			for range 2 {
				env.reached(env.cdn.Publish(), env.poll())
			}
			real := messages()[earlier:]
			real = append(real, real...) // each twice, the latest first
			slices.Reverse(real)
			var before []follower.Stats
			for _, r := range env.readers {
				before = append(before, r.client.Stats())
			}
			const malformed, unknown = 7, 1
			strange := append(real, "", "garbage", "cb1", "cb1 change", "cb1 change rev=1 hash=x", "cb2 change rev=9999999999999",
				"cb1 dance rev=9999999999999", string(bytes.Repeat([]byte{0xff}, 1<<20)), string(bytes.Repeat([]byte("cb1 change "), 1<<17)))
			for _, message := range strange {
				if err := env.admin.Publish(env.Context(), env.keys.Events, message).Err(); err != nil {
					env.Fatal(err)
				}
			}
			for i, r := range env.readers {
				r.noise = true
				env.eventually(env.leader.RenewInterval+time.Second, "all are received and counted", func() bool {
					s := r.client.Stats()
					return s.Messages >= before[i].Messages+int64(len(strange)) &&
						s.BadMessages >= before[i].BadMessages+malformed && s.Unknown >= before[i].Unknown+unknown
				})
				s := r.client.Stats()
				if s.State != follower.Live || s.Disconnects != before[i].Disconnects || s.Applied != before[i].Applied {
					env.Errorf("%s: %+v, before %+v", r.name, s, before[i])
				}
				if s.BadMessages != before[i].BadMessages+malformed || s.Unknown != before[i].Unknown+unknown {
					env.Errorf("%s: %d malformed and %d unknown messages, want %d and %d more than %d and %d", r.name, s.BadMessages, s.Unknown, malformed, unknown,
						before[i].BadMessages, before[i].Unknown)
				}
			}
			env.settle()
		}
	})
}

// An official SDK writes the entry: an old one, and one from tomorrow. The leader never
// replaces it by an older one, and reports the wrong clock (I9).
func TestF28_EntryWrittenByAnSDKIsCorrected(t *testing.T) {
	for name, away := range map[string]time.Duration{"an hour ago": -time.Hour, "tomorrow": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(env *environment) {
				var errors *loggedErrors
				env.leaderLog, errors = recordErrors(env.leaderLog)
				first, second := env.ready(2)
				for range env.rounds(1) {
					rev := max(first.stats().Rev, second.stats().Rev)
					env.audit.suspend()
					overwritten := env.writeEntry(time.Now().Add(away))
					written, bound := time.Now(), env.leader.RenewInterval+roundTrip+time.Second
					env.eventually(bound, "the leader writes its entry again", func() bool {
						text, err := env.admin.Get(env.Context(), env.keys.Entry).Result()
						entry, parsed := cachekeys.ParseEntry([]byte(text))
						return err == nil && parsed == nil && entry.FetchTime > max(overwritten, rev)
					})
					env.recovered(written, bound)
					env.audit.resume()
					if away > 0 { // the reply arrives after the write takes effect
						env.eventually(env.leader.RenewInterval, "the error in the log", func() bool { return errors.contain("ahead of Redis's clock") })
					}
					if ahead := max(first.stats().Ahead, second.stats().Ahead); (ahead > 5*time.Minute) != (away > 0) {
						env.Errorf("the leader reports an entry that is %v ahead", ahead)
					}
					if errors.contain("ahead of Redis's clock") != (away > 0) {
						env.Errorf("errors logged: %v", errors)
					}
					env.settle()
				}
			})
		})
	}
}

// corruptions returns copies of a blob that must be rejected: with any one bit flipped,
// with a rev ahead of meta's, or with old content under the current header.
func (env *environment) corruptions(data []byte) map[string][]byte {
	env.Helper()
	blob, err := wire.ParseBlob(data)
	if err != nil {
		env.Fatal(err)
	}
	bit, flipped := 0, data
	for isSound(flipped) { // the flip may make another valid rev, or hit a bit that the codec ignores
		bit, flipped = env.random.IntN(8*len(data)), bytes.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
	}
	ahead, old := blob, blob
	ahead.Rev += time.Hour.Milliseconds() // also after the next answers of the CDN
	old.Codec, old.Payload = wire.Encode(fakecdn.Config{}.JSON())
	return map[string][]byte{"bit " + strconv.Itoa(bit): flipped, "rev": ahead.Append(nil), "content": old.Append(nil)}
}

func isSound(data []byte) bool {
	blob, err := wire.ParseBlob(data)
	if err == nil {
		_, err = blob.JSON()
	}
	return err == nil
}

// Bits of the blob flip, also those of its rev. It is rejected, and the current content is
// written again.
func TestF29_CorruptBlobIsRejected(t *testing.T) {
	scenario(t, func(env *environment) {
		env.ready(2)
		for range env.rounds(2) {
			version := env.cdn.Version()
			env.audit.suspend()
			blob, err := env.admin.Get(env.Context(), env.keys.Blob).Bytes()
			if err != nil {
				env.Fatal(err)
			}
			for what, corrupt := range env.corruptions(blob) {
				refused := env.refusedBlobs()
				// The leader repairs it, perhaps before a follower reads it.
				release := env.holdBlob(corrupt)
				env.eventually(0, "a process rejects a blob with a corrupt "+what, func() bool {
					env.follow() // a new follower reads the entry instead
					env.reached(version, 2*env.leader.RenewInterval+env.follower.MetaReread)
					return env.refusedBlobs() > refused
				})
				release()
				for _, r := range env.readers {
					r.noise = true
					_ = r.client.Refresh(env.Context())
					if v := r.version(); v != version {
						env.Errorf("%s has version %d of a blob with a corrupt %s", r.name, v, what)
					}
				}
			}
			env.reached(env.cdn.Publish(), env.poll())
			env.audit.resume()
			env.settle()
		}
	})
}

// holdBlob writes value to the blob again and again, until the returned function is called.
func (env *environment) holdBlob(value []byte) (release func()) {
	ctx, cancel := context.WithCancel(env.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(env.pause()) {
			if err := env.admin.Set(ctx, env.keys.Blob, value, 0).Err(); err != nil && ctx.Err() == nil {
				env.Error(err)
			}
		}
	})
	return func() {
		cancel()
		writer.Wait()
	}
}

func (env *environment) refusedBlobs() (n int64) {
	for _, r := range env.readers {
		n += r.client.Stats().RefusedBlobs
	}
	return n
}
