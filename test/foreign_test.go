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
	"github.com/catbridge/catbridge/test/fakecdn"
)

// overhear collects messages from now on, until the end of the test.
func (w *world) overhear() (said func() []string) {
	w.Helper()
	messages := w.admin.Subscribe(w.Context(), w.keys.Events)
	if _, err := messages.Receive(w.Context()); err != nil { // the acknowledgement
		w.Fatal(err)
	}
	var (
		mu      sync.Mutex
		all     []string
		reading sync.WaitGroup
	)
	reading.Go(func() {
		for {
			m, err := messages.ReceiveMessage(context.WithoutCancel(w.Context()))
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, m.Payload)
			mu.Unlock()
		}
	})
	w.Cleanup(func() {
		_ = messages.Close()
		reading.Wait()
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// Whatever comes by the channel, followers stay with what is current, and connected.
func TestF17_StrangeMessagesAreIgnoredAndCounted(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(3)
		said := w.overhear()
		for range w.rounds(1) {
			heard := len(said())
			for range 2 {
				w.reached(w.cdn.Publish(), w.poll())
			}
			real := said()[heard:]
			real = append(real, real...) // each twice, and the latest first
			slices.Reverse(real)
			var before []follower.Stats
			for _, r := range w.readers {
				before = append(before, r.client.Stats())
			}
			const malformed, unknown = 7, 1
			strange := append(real, "", "garbage", "cb1", "cb1 change", "cb1 change rev=1 hash=x", "cb2 change rev=9999999999999",
				"cb1 dance rev=9999999999999", string(bytes.Repeat([]byte{0xff}, 1<<20)), string(bytes.Repeat([]byte("cb1 change "), 1<<17)))
			for _, message := range strange {
				if err := w.admin.Publish(w.Context(), w.keys.Events, message).Err(); err != nil {
					w.Fatal(err)
				}
			}
			for i, r := range w.readers {
				r.noise = true
				w.eventually(w.leader.RenewInterval+time.Second, "all are heard and counted", func() bool {
					s := r.client.Stats()
					return s.Messages >= before[i].Messages+int64(len(strange)) &&
						s.BadMessages >= before[i].BadMessages+malformed && s.Unknown >= before[i].Unknown+unknown
				})
				s := r.client.Stats()
				if s.State != follower.Live || s.Disconnects != before[i].Disconnects || s.Applied != before[i].Applied {
					w.Errorf("%s: %+v, before %+v", r.name, s, before[i])
				}
				if s.BadMessages != before[i].BadMessages+malformed || s.Unknown != before[i].Unknown+unknown {
					w.Errorf("%s: %d malformed and %d unknown messages, want %d and %d more than %d and %d", r.name, s.BadMessages, s.Unknown, malformed, unknown,
						before[i].BadMessages, before[i].Unknown)
				}
			}
			w.settle()
		}
	})
}

// An official SDK writes the entry: an old one, and one from tomorrow. What the leader
// makes of it is never older, and a clock that is wrong is told (I9).
func TestF28_EntryOfAnSDKDoesNotLeadAstray(t *testing.T) {
	for name, away := range map[string]time.Duration{"an hour ago": -time.Hour, "tomorrow": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(w *world) {
				var errors *heard
				w.loud, errors = listen(w.loud)
				first, second := w.ready(2)
				for range w.rounds(1) {
					rev := max(first.stats().Rev, second.stats().Rev)
					w.audit.suspend()
					foreign := w.writeEntry(time.Now().Add(away))
					written, bound := time.Now(), w.leader.RenewInterval+roundTrip+time.Second
					w.eventually(bound, "the leader's entry is there again", func() bool {
						text, err := w.admin.Get(w.Context(), w.keys.Entry).Result()
						entry, parsed := cachekeys.ParseEntry([]byte(text))
						return err == nil && parsed == nil && entry.FetchTime > max(foreign, rev)
					})
					w.recovered(written, bound)
					w.audit.resume()
					if away > 0 { // the leader hears of its write after it is there
						w.eventually(w.leader.RenewInterval, "the alarm", func() bool { return errors.said("ahead of Redis's clock") })
					}
					if ahead := max(first.stats().Ahead, second.stats().Ahead); (ahead > 5*time.Minute) != (away > 0) {
						w.Errorf("the leader tells of an entry that is %v ahead", ahead)
					}
					if errors.said("ahead of Redis's clock") != (away > 0) {
						w.Errorf("errors logged: %q", errors.errors)
					}
					w.settle()
				}
			})
		})
	}
}

// spoilt gives a blob as it must not be taken: with a bit flipped anywhere, with a rev
// ahead of meta's, or with content of long ago beneath the head of what is current.
func (w *world) spoilt(data []byte) map[string][]byte {
	w.Helper()
	blob, err := cachekeys.ParseBlob(data)
	if err != nil {
		w.Fatal(err)
	}
	bit, flipped := 0, data
	for isSound(flipped) { // as with another rev that is as good, or a bit that the codec does not look at
		bit, flipped = w.random.IntN(8*len(data)), bytes.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
	}
	ahead, old := blob, blob
	ahead.Rev += 1000
	old.Codec, old.Payload = cachekeys.Encode(fakecdn.Config{}.JSON())
	return map[string][]byte{"bit " + strconv.Itoa(bit): flipped, "rev": ahead.Append(nil), "content": old.Append(nil)}
}

func isSound(data []byte) bool {
	blob, err := cachekeys.ParseBlob(data)
	if err == nil {
		_, err = blob.JSON()
	}
	return err == nil
}

// Bits of the blob flip, its rev's too. Nobody takes it, and what is current comes back.
func TestF29_SpoiltBlobIsRefused(t *testing.T) {
	scenario(t, func(w *world) {
		w.ready(2)
		for range w.rounds(2) {
			version := w.cdn.Version()
			w.audit.suspend()
			blob, err := w.admin.Get(w.Context(), w.keys.Blob).Bytes()
			if err != nil {
				w.Fatal(err)
			}
			for what, spoilt := range w.spoilt(blob) {
				refused := w.refusedBlobs()
				// On a busy machine it may be mended before anybody reads it.
				w.eventually(0, "somebody refuses a blob whose "+what+" is spoilt", func() bool {
					if err := w.admin.Set(w.Context(), w.keys.Blob, spoilt, 0).Err(); err != nil {
						w.Fatal(err)
					}
					w.follow() // one that comes now reads the entry instead
					w.reached(version, 2*w.leader.RenewInterval+w.follower.MetaReread)
					return w.refusedBlobs() > refused
				})
				for _, r := range w.readers {
					r.noise = true
					_ = r.client.Refresh(w.Context())
					if v := r.version(); v != version {
						w.Errorf("%s has version %d of a blob whose %s is spoilt", r.name, v, what)
					}
				}
			}
			w.reached(w.cdn.Publish(), w.poll())
			w.audit.resume()
			w.settle()
		}
	})
}

func (w *world) refusedBlobs() (n int64) {
	for _, r := range w.readers {
		n += r.client.Stats().RefusedBlobs
	}
	return n
}
