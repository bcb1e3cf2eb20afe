package leader

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
)

// F24, and a user that lacks rights from the start.
func TestALeaderReportsMissingRightsAndRecoversWhenTheyAreGranted(t *testing.T) {
	for name, rule := range map[string]string{"command": "getrange", "several": "getrange -hset"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			u.grant("-" + rule)
			l := u.lead(fakecdn.New())
			lacking := func(s KeyStats) bool { return slices.Contains(s.MissingRights, "+getrange") }
			l.await("missing at the start", lacking)
			u.grant("")
			l.await("granted", func(s KeyStats) bool {
				return s.MissingRights == nil && s.State == StateSteady && s.WriteError == "" && s.Rev > 0
			})
			u.grant("-" + rule)
			l.await("withdrawn", lacking)
			u.grant("")
			l.await("granted again", func(s KeyStats) bool { return s.MissingRights == nil && s.State == StateSteady && s.WriteError == "" })
			for event, want := range map[int]int{eventNoRights: 2, eventRights: 2} {
				if n := strings.Count(l.log.String(), fmt.Sprint("event_id=", event)); n < want {
					t.Errorf("event %d: %d times, want %d", event, n, want)
				}
			}
			if !strings.Contains(l.log.String(), `rules=+getrange`) && !strings.Contains(l.log.String(), `rules="+getrange +hset"`) {
				t.Errorf("the rules are not in\n%s", l.log)
			}
		})
	}
}

// limitedUser is a user of a real Redis, whose rights a test changes.
type limitedUser struct {
	*testing.T
	server *redistest.Process
	admin  *redis.Client
	as     redistest.User
}

func newUser(t *testing.T) *limitedUser {
	t.Helper()
	server := redistest.Start(t)
	return &limitedUser{t, server, server.Client(t, nil), redistest.User{Name: "leader", Password: "secret"}}
}

// grant sets the user's rights: all, changed by rules.
func (u *limitedUser) grant(change string) {
	u.Helper()
	args := []any{"ACL", "SETUSER", u.as.Name, "reset", "on", ">" + u.as.Password, "~*", "&*", "+@all"}
	for rule := range strings.FieldsSeq(change) {
		args = append(args, rule)
	}
	if err := u.admin.Do(u.Context(), args...).Err(); err != nil {
		u.Fatal(err)
	}
}

// ownLeader is a leader with the rights of a user.
type ownLeader struct {
	*Leader
	*testing.T
	log *syncbuffer.Buffer
}

// lead runs a leader until the end of the test.
func (u *limitedUser) lead(cdn http.RoundTripper, hooks ...redis.Hook) *ownLeader {
	u.Helper()
	log, client := new(syncbuffer.Buffer), u.server.ClientAs(u.T, u.as, nil)
	for _, h := range hooks {
		client.AddHook(h)
	}
	l, err := New(Config{
		Redis: client, SDKKeys: []SDKKey{mainKey()}, Transport: cdn,
		Logger: slog.New(slog.NewTextHandler(log, nil)), Timings: FastTimings(),
	})
	if err != nil {
		u.Fatal(err)
	}
	ctx, cancel := context.WithCancel(u.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	u.Cleanup(func() { cancel(); <-done })
	return &ownLeader{l, u.T, log}
}

func (l *ownLeader) await(what string, holds func(KeyStats) bool) {
	l.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !holds(l.Stats().Keys[0]) {
		if time.Now().After(deadline) {
			l.Fatalf("%s: never; %+v\n%s", what, l.Stats().Keys[0], l.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// F24 for the history: without its rights the leader leads all the same, and says so.
func TestALeaderWithoutRightsToTheHistoryLeads(t *testing.T) {
	u, cdn := newUser(t), fakecdn.New()
	u.grant("-xadd -xrevrange -xtrim")
	l := u.lead(cdn)
	l.await("leads without a history", func(s KeyStats) bool {
		return s.State == StateSteady && s.Commits == 1 && strings.Contains(s.HistoryError, "+xadd +xrevrange +xtrim") && s.MissingRights == nil
	})
	if strings.Contains(l.log.String(), fmt.Sprint("event_id=", eventNoRights)) || !strings.Contains(l.log.String(), fmt.Sprint("event_id=", eventHistory)) {
		t.Errorf("the log says\n%s", l.log)
	}
	u.grant("")
	l.await("granted", func(s KeyStats) bool { return s.HistoryError == "" })
	cdn.Publish()
	if err := l.RequestRefresh(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	l.await("extended", func(s KeyStats) bool { return s.HistoryEntries == 1 })
}

// lateCommit keeps the reply of the first commit until the rights were checked, and the check until that commit was made.
type lateCommit struct {
	trips
	once               sync.Once
	committed, checked chan struct{}
}

func (c *lateCommit) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		if strings.HasPrefix(cmd.Name(), "eval") && strings.Contains(fmt.Sprint(args[1]), "acl_check_cmd") {
			wait(ctx, c.committed)
		}
		err := next(ctx, cmd)
		if len(args) == 1+commitArgs && err == nil {
			c.once.Do(func() {
				close(c.committed)
				wait(ctx, c.checked)
			})
		}
		return err
	}
}

func wait(ctx context.Context, done <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-done:
	}
}

// A history that was refused before the rights were checked does not hide what the check said.
func TestTheHistoryNamesTheMissingRights(t *testing.T) {
	u, late := newUser(t), &lateCommit{committed: make(chan struct{}), checked: make(chan struct{})}
	u.grant("-xadd -xrevrange -xtrim")
	l := u.lead(fakecdn.New(), late)
	lacking := func(s KeyStats) bool { return strings.Contains(s.HistoryError, "+xadd +xrevrange +xtrim") }
	l.await("checked", lacking)
	close(late.checked)
	l.await("committed", func(s KeyStats) bool { return s.HistoryErrors == 1 })
	if s := l.Stats().Keys[0]; !lacking(s) {
		t.Errorf("the history says %q", s.HistoryError)
	}
}

// slowRights makes each check of rights take a second, and counts the checks.
type slowRights struct {
	trips
	all, inFlight, most atomic.Int64
}

func (r *slowRights) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "eval" && strings.Contains(fmt.Sprint(cmd.Args()[1]), "acl_check_cmd") {
			r.all.Add(1)
			r.most.Store(max(r.most.Load(), r.inFlight.Add(1)))
			defer r.inFlight.Add(-1)
			time.Sleep(time.Second) // ignores ctx
		}
		return next(ctx, cmd)
	}
}

// rightsAtOnce is the number of SDK keys whose rights are checked at the same time.
const rightsAtOnce = 4

func TestRightsOfFewSDKKeysAreCheckedAtATime(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		const keys = 100
		client, checks := s.server.Client(s.T, nil), new(slowRights)
		client.AddHook(checks)
		l, _ := s.startManyOn(client, keys)
		s.wait(time.Minute)
		if most := checks.most.Load(); most != rightsAtOnce {
			t.Errorf("%d at once", most)
		}
		// SDK keys that were checked before their term started are checked again.
		if all := checks.all.Load(); all < keys || all > keys+2*rightsAtOnce {
			t.Errorf("%d checks", all)
		}
		for _, k := range l.Stats().Keys {
			if k.State != StateSteady || k.Terms != 1 || k.Renewals < 12 {
				t.Fatalf("it waited for the checks: %+v", k)
			}
		}
	})
}

func TestAShutdownDoesNotWaitForChecksOfRights(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		client, checks := s.server.Client(s.T, nil), new(slowRights)
		client.AddHook(checks)
		_, stop := s.startManyOn(client, 100)
		s.wait(time.Second / 2)
		stop()
		// An SDK key that was checked may notice its term before the shutdown, and be checked again.
		if all := checks.all.Load(); all > 2*rightsAtOnce {
			t.Errorf("%d checks", all)
		}
	})
}
