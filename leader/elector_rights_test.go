package leader

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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
			server := redistest.Start(t)
			admin := server.Client(t, nil)
			user := redistest.User{Name: "leader", Password: "secret"}
			grant := func(change string) {
				t.Helper()
				args := []any{"ACL", "SETUSER", user.Name, "reset", "on", ">" + user.Password, "~*", "&*", "+@all"}
				for rule := range strings.FieldsSeq(change) {
					args = append(args, rule)
				}
				if err := admin.Do(t.Context(), args...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			grant("-" + rule)
			log := new(syncbuffer.Buffer)
			l, err := New(Config{
				Redis: server.ClientAs(t, user, nil), SDKKeys: []SDKKey{mainKey()}, Transport: fakecdn.New(),
				Logger: slog.New(slog.NewTextHandler(log, nil)), Timings: FastTimings(),
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			t.Cleanup(func() { cancel(); <-done })
			await := func(what string, holds func(KeyStats) bool) {
				t.Helper()
				deadline := time.Now().Add(60 * time.Second)
				for !holds(l.Stats().Keys[0]) {
					if time.Now().After(deadline) {
						t.Fatalf("%s: never; %+v\n%s", what, l.Stats().Keys[0], log)
					}
					time.Sleep(20 * time.Millisecond)
				}
			}
			lacking := func(s KeyStats) bool { return slices.Contains(s.MissingRights, "+getrange") }
			await("missing at the start", lacking)
			grant("")
			await("granted", func(s KeyStats) bool {
				return s.MissingRights == nil && s.State == StateSteady && s.WriteError == "" && s.Rev > 0
			})
			grant("-" + rule)
			await("withdrawn", lacking)
			grant("")
			await("granted again", func(s KeyStats) bool { return s.MissingRights == nil && s.State == StateSteady && s.WriteError == "" })
			for event, want := range map[int]int{eventNoRights: 2, eventRights: 2} {
				if n := strings.Count(log.String(), fmt.Sprint("event_id=", event)); n < want {
					t.Errorf("event %d: %d times, want %d", event, n, want)
				}
			}
			if !strings.Contains(log.String(), `rules=+getrange`) && !strings.Contains(log.String(), `rules="+getrange +hset"`) {
				t.Errorf("the rules are not in\n%s", log)
			}
		})
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
