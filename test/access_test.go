package test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/redistest"
)

// ear remembers the errors that are logged.
type ear struct {
	slog.Handler
	heard *heard
}

type heard struct {
	mu     sync.Mutex
	errors []string
}

func (e ear) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		e.heard.mu.Lock()
		e.heard.errors = append(e.heard.errors, text)
		e.heard.mu.Unlock()
	}
	return e.Handler.Handle(ctx, r)
}

func (e ear) WithAttrs(attrs []slog.Attr) slog.Handler {
	return ear{e.Handler.WithAttrs(attrs), e.heard}
}
func (e ear) WithGroup(name string) slog.Handler { return ear{e.Handler.WithGroup(name), e.heard} }

// listen gives logger's like, and what is heard of errors on it.
func listen(logger *slog.Logger) (*slog.Logger, *heard) {
	h := &heard{}
	return slog.New(ear{logger.Handler(), h}), h
}

// said tells whether an error with that part was logged since the last call of forget.
func (h *heard) said(part string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, text := range h.errors {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func (h *heard) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errors = nil
}

// change changes a user while it works.
func (w *world) change(user role, rules ...string) {
	w.Helper()
	args := []any{"ACL", "SETUSER", string(user)}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := w.admin.Do(w.Context(), args...).Err(); err != nil {
		w.Fatal(err)
	}
}

// disconnect closes all connections of a user.
func (w *world) disconnect(user role) {
	w.Helper()
	if err := w.admin.Do(w.Context(), "CLIENT", "KILL", "USER", string(user)).Err(); err != nil {
		w.Fatal(err)
	}
}

// forgive lets what Redis refused so far be no fault.
func (w *world) forgive() {
	w.Helper()
	if err := w.admin.ACLLogReset(w.Context()).Err(); err != nil {
		w.Fatal(err)
	}
}

// pollingWithin is how soon a follower must do without a subscription that it may not have.
const pollingWithin = 5 * time.Second

// F24: the right to the channel, or to subscribe at all, is withdrawn while a follower runs.
func TestF24_FollowerWithoutASubscriptionPolls(t *testing.T) {
	for name, rules := range map[string][2][]string{
		"channel":   {{"resetchannels"}, {"&catbridge:{*}:events"}},
		"subscribe": {{"-subscribe"}, {"+subscribe"}},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				var errors *heard
				w.quiet, errors = listen(w.quiet)
				w.ready(2)
				for range w.rounds(2) {
					errors.forget()
					w.change(asFollower, rules[0]...)
					if name == "subscribe" { // it is asked for with the next connection
						w.disconnect(asFollower)
					}
					withdrawn := time.Now()
					w.states(pollingWithin, follower.Polling)
					w.recovered(withdrawn, pollingWithin)
					if !errors.said("Check the right to SUBSCRIBE") || !errors.said("NOPERM") {
						w.Errorf("errors logged: %q", errors.errors)
					}
					w.reached(w.cdn.Publish(), w.poll()+w.follower.Poll)
					w.change(asFollower, rules[1]...)
					w.states(2*w.follower.Resubscribe, follower.Live)
					w.reached(w.cdn.Publish(), w.poll())
				}
				w.forgive()
				w.settle()
			})
		})
	}
}

// F24: PING is asked for only where nothing is heard, so its right is missed only then.
func TestF24_FollowerThatMayNotPingLosesNothing(t *testing.T) {
	onServer(t, func(w *world, _ *redistest.Process) {
		var errors *heard
		w.quiet, errors = listen(w.quiet)
		w.follower.Idle, w.follower.Dead = 2*time.Second, 4*time.Second // a busy machine is silent for half a second
		first, second := w.ready(2)
		w.change(asFollower, "-ping")
		w.reached(w.cdn.Publish(), w.poll())
		for _, r := range w.readers {
			if s := r.client.Stats(); s.State != follower.Live || s.FailedSubscriptions != 0 {
				w.Errorf("%s: %+v", r.name, s)
			}
		}
		second.stop()
		first.stop()
		silent := time.Now()
		w.eventually(pollingWithin, "all say what is missing", func() bool {
			for _, r := range w.readers {
				if r.client.Stats().FailedSubscriptions == 0 {
					return false
				}
			}
			return errors.said("NOPERM")
		})
		w.recovered(silent, pollingWithin)
		w.lead("leader C")
		w.reached(w.cdn.Publish(), w.takeover()+w.poll())
		w.change(asFollower, "+ping")
		w.states(2*w.follower.Resubscribe, follower.Live)
		w.forgive()
		w.settle()
	})
}

// F24: content that no message carries cannot be read. It is said, and made up for.
func TestF24_FollowerThatMayNotReadSaysSo(t *testing.T) {
	for _, commands := range [][]string{{"get", "getrange"}, {"hmget"}} {
		t.Run(commands[0], func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				var errors *heard
				w.quiet, errors = listen(w.quiet)
				w.ready(2)
				for _, command := range commands {
					w.change(asFollower, "-"+command)
				}
				before := w.cdn.Version()
				version := w.cdn.SetMinBytes(100 << 10)
				changed := time.Now()
				w.eventually(w.poll()+pollingWithin, "all say what is missing", func() bool {
					for _, r := range w.readers {
						if r.client.Stats().FailedReads == 0 {
							return false
						}
					}
					return errors.said("NOPERM")
				})
				w.recovered(changed, w.poll()+pollingWithin)
				for _, r := range w.readers {
					if v := r.version(); v != before {
						w.Errorf("%s has version %d", r.name, v)
					}
				}
				for _, command := range commands {
					w.change(asFollower, "+"+command)
				}
				w.reached(version, w.follower.BackoffMax+w.follower.MetaReread)
				w.forgive()
				w.settle()
			})
		})
	}
}

// F24: what a leader needs is withdrawn from all of them. Those that follow keep what they
// have; what failed is said, and goes on by itself once it is allowed.
func TestF24_LeaderWithoutARightSaysSoAndGoesOn(t *testing.T) {
	keys := "~" + strings.Repeat("?", len(cachekeys.CacheKey(sdkKey))) + " ~catbridge:{*}:*"
	for name, rules := range map[string]struct{ take, give, says string }{
		"scripts":  {"-evalsha", "+evalsha", "NOPERM"},
		"clock":    {"-time", "+time", "+time"},
		"the lock": {"-get", "+get", "+get"},
		"keys":     {"resetkeys", keys, "NOPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(w *world, _ *redistest.Process) {
				var errors *heard
				w.loud, errors = listen(w.loud)
				first, second := w.ready(2)
				before := w.cdn.Version()
				w.change(asLeader, rules.take)
				version := w.cdn.Publish()
				w.eventually(w.takeover(), "both say what is missing", func() bool {
					return first.stats().WriteError != "" && second.stats().WriteError != "" && errors.said(rules.says)
				})
				w.eventually(w.takeover(), "nobody leads", func() bool { return !first.leads() && !second.leads() })
				for _, r := range w.readers {
					if v := r.version(); v != before {
						w.Errorf("%s has version %d", r.name, v)
					}
				}
				w.change(asLeader, strings.Fields(rules.give)...)
				w.reached(version, w.takeover()+w.poll())
				w.forgive()
				w.settle()
			})
		})
	}
}

// states waits until all followers are in that state.
func (w *world) states(bound time.Duration, want follower.State) {
	w.Helper()
	w.eventually(bound, "all followers are "+string(want), func() bool {
		for _, r := range w.readers {
			if r.client.Stats().State != want {
				return false
			}
		}
		return true
	})
}
