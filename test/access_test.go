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
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// errorHandler is a slog.Handler that records the errors in a loggedErrors.
type errorHandler struct {
	slog.Handler
	errors *loggedErrors
}

// loggedErrors are the errors that were logged.
type loggedErrors struct {
	mu     sync.Mutex
	errors []string
}

func (h errorHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		text := r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		h.errors.mu.Lock()
		h.errors.errors = append(h.errors.errors, text)
		h.errors.mu.Unlock()
	}
	return h.Handler.Handle(ctx, r)
}

func (h errorHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorHandler{h.Handler.WithAttrs(attrs), h.errors}
}
func (h errorHandler) WithGroup(name string) slog.Handler {
	return errorHandler{h.Handler.WithGroup(name), h.errors}
}

// recordErrors returns a logger like the given one, and the errors that are logged with it.
func recordErrors(logger *slog.Logger) (*slog.Logger, *loggedErrors) {
	l := &loggedErrors{}
	return slog.New(errorHandler{logger.Handler(), l}), l
}

// contain reports whether an error with that part was logged since the last call of forget.
func (l *loggedErrors) contain(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range l.errors {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// String returns the errors, one a line.
func (l *loggedErrors) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.errors, "\n")
}

func (l *loggedErrors) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = nil
}

// change changes the rules of a user of Redis.
func (env *environment) change(user role, rules ...string) {
	env.Helper()
	args := []any{"ACL", "SETUSER", string(user)}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := env.admin.Do(env.Context(), args...).Err(); err != nil {
		env.Fatal(err)
	}
}

// disconnect closes all connections of a user.
func (env *environment) disconnect(user role) {
	env.Helper()
	if err := env.admin.Do(env.Context(), "CLIENT", "KILL", "USER", string(user)).Err(); err != nil {
		env.Fatal(err)
	}
}

// clearRefusals discards the refusals in Redis's ACL log: the test caused them.
func (env *environment) clearRefusals() {
	env.Helper()
	if err := env.admin.ACLLogReset(env.Context()).Err(); err != nil {
		env.Fatal(err)
	}
}

// pollingWithin is the time in which a follower must start polling when it may not
// subscribe.
const pollingWithin = 5 * time.Second

// F24: a running follower loses the right to the channel, or to subscribe at all.
func TestF24_FollowerWithoutASubscriptionPolls(t *testing.T) {
	for name, rules := range map[string][2][]string{
		"channel":   {{"resetchannels"}, {"&catbridge:{*}:events"}},
		"subscribe": {{"-subscribe"}, {"+subscribe"}},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(env *environment, _ *redistest.Process) {
				var errors *loggedErrors
				env.followerLog, errors = recordErrors(env.followerLog)
				env.ready(2)
				for range env.rounds(2) {
					errors.forget()
					env.change(asFollower, rules[0]...)
					if name == "subscribe" { // the follower sends it when it connects
						env.disconnect(asFollower)
					}
					withdrawn := time.Now()
					env.states(pollingWithin, follower.Polling)
					env.recovered(withdrawn, pollingWithin)
					if !errors.contain("Check the right to SUBSCRIBE") || !errors.contain("NOPERM") {
						env.Errorf("errors logged: %v", errors)
					}
					env.reached(env.cdn.Publish(), env.poll()+env.follower.Poll)
					env.change(asFollower, rules[1]...)
					env.states(2*env.follower.Resubscribe, follower.Live)
					env.reached(env.cdn.Publish(), env.poll())
				}
				env.clearRefusals()
				env.settle()
			})
		})
	}
}

// F24: a follower sends PING only on a silent connection, and misses the right only then.
func TestF24_FollowerThatMayNotPingLosesNothing(t *testing.T) {
	onServer(t, func(env *environment, _ *redistest.Process) {
		var errors *loggedErrors
		env.followerLog, errors = recordErrors(env.followerLog)
		env.follower.Idle, env.follower.Dead = 2*time.Second, 4*time.Second // a busy machine can be silent for half a second
		first, second := env.ready(2)
		env.change(asFollower, "-ping")
		env.reached(env.cdn.Publish(), env.poll())
		for _, r := range env.readers {
			if s := r.client.Stats(); s.State != follower.Live || s.FailedSubscriptions != 0 {
				env.Errorf("%s: %+v", r.name, s)
			}
		}
		second.stop()
		first.stop()
		silent := time.Now()
		env.everyFollower(pollingWithin, "all report the missing right", func(r *reader) bool { return r.client.Stats().FailedSubscriptions != 0 && errors.contain("NOPERM") })
		env.recovered(silent, pollingWithin)
		env.lead("leader C")
		env.reached(env.cdn.Publish(), env.takeover()+env.poll())
		env.change(asFollower, "+ping")
		env.states(2*env.follower.Resubscribe, follower.Live)
		env.clearRefusals()
		env.settle()
	})
}

// F24: a follower may not read content that does not fit into a message. It reports an
// error, and reads the content once it may.
func TestF24_FollowerThatMayNotReadReportsAnError(t *testing.T) {
	for _, commands := range [][]string{{"get", "getrange"}, {"hmget"}} {
		t.Run(commands[0], func(t *testing.T) {
			onServer(t, func(env *environment, _ *redistest.Process) {
				var errors *loggedErrors
				env.followerLog, errors = recordErrors(env.followerLog)
				env.ready(2)
				for _, command := range commands {
					env.change(asFollower, "-"+command)
				}
				before := env.cdn.Version()
				version := env.cdn.SetMinBytes(100 << 10)
				changed := time.Now()
				env.everyFollower(env.poll()+pollingWithin, "all report the missing right", func(r *reader) bool { return r.client.Stats().FailedReads != 0 && errors.contain("NOPERM") })
				env.recovered(changed, env.poll()+pollingWithin)
				env.has(before)
				for _, command := range commands {
					env.change(asFollower, "+"+command)
				}
				env.reached(version, env.follower.BackoffMax+env.follower.MetaReread)
				env.clearRefusals()
				env.settle()
			})
		})
	}
}

// F24: all leaders lose a right that they need. Followers keep their content. Leaders
// report an error, and go on without a restart once they have the right again.
func TestF24_LeaderWithoutARightReportsAnErrorAndRecovers(t *testing.T) {
	keys := "~" + strings.Repeat("?", len(cachekeys.Key(sdkKey))) + " ~catbridge:{*}:*"
	for name, rules := range map[string]struct{ take, give, says string }{
		"scripts":  {"-evalsha", "+evalsha", "NOPERM"},
		"clock":    {"-time", "+time", "+time"},
		"the lock": {"-get", "+get", "+get"},
		"keys":     {"resetkeys", keys, "NOPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(env *environment, _ *redistest.Process) {
				var errors *loggedErrors
				env.leaderLog, errors = recordErrors(env.leaderLog)
				first, second := env.ready(2)
				before := env.cdn.Version()
				env.change(asLeader, rules.take)
				version := env.cdn.Publish()
				env.eventually(env.takeover(), "both report the missing right", func() bool {
					return first.stats().WriteError != "" && second.stats().WriteError != "" && errors.contain(rules.says)
				})
				env.eventually(env.takeover(), "no process leads", func() bool { return !first.leads() && !second.leads() })
				env.has(before)
				env.change(asLeader, strings.Fields(rules.give)...)
				env.reached(version, env.takeover()+env.poll())
				env.clearRefusals()
				env.settle()
			})
		})
	}
}

// states waits until all followers are in the given state.
func (env *environment) states(bound time.Duration, want follower.State) {
	env.Helper()
	env.everyFollower(bound, "all followers are "+string(want), func(r *reader) bool { return r.client.Stats().State == want })
}
