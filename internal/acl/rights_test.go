package leader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// leaderRights are the leader's rights in the documentation.
const leaderRights = "reset on >secret ~???????????????????????????????????????? ~catbridge:{*}:* &catbridge:{*}:events -@all " +
	"+evalsha +eval +ping +get +set +hset +hmget +hincrby +getrange +setrange +pexpire +pttl +del +publish +time +subscribe +unsubscribe"

func setUser(t *testing.T, admin redis.UniversalClient, name, rules string) redistest.User {
	t.Helper()
	args := []any{"ACL", "SETUSER", name}
	for rule := range strings.FieldsSeq(rules) {
		args = append(args, rule)
	}
	if err := admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	return redistest.User{Name: name, Password: "secret"}
}

func wantRights(t *testing.T, err error, want ...string) {
	t.Helper()
	if len(want) == 0 {
		if err != nil {
			t.Errorf("got %v, want none missing", err)
		}
		return
	}
	lacking, ok := errors.AsType[*RightsError](err)
	slices.Sort(want)
	if !ok || !slices.Equal(lacking.Missing, want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestEachMissingRightOfALeaderIsReported(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	bridge := "~catbridge:{" + keys.Entry + "}:*"
	tests := map[string][]string{
		"":                        nil,
		"-unsubscribe":            nil, // never sent
		"resetchannels":           {"&" + keys.Events},
		"resetkeys":               {"~" + keys.Entry, bridge},
		"resetkeys ~catbridge:*":  {"~" + keys.Entry},
		"resetkeys ~f*":           {bridge},
		"resetkeys %R~*":          {"~" + keys.Entry, bridge},
		"resetkeys %W~*":          {"~" + keys.Entry, bridge},
		"resetkeys %R~* %W~*":     nil, // Redis merges both
		"resetkeys ~f* %R~catb*":  {bridge},
		"resetkeys ~f* ~*:[lmb]*": {bridge}, // no webhook
		"-@all +eval":             {"+del", "+evalsha", "+get", "+getrange", "+hincrby", "+hmget", "+hset", "+pexpire", "+ping", "+pttl", "+publish", "+set", "+setrange", "+subscribe", "+time"},
		"-get -set resetchannels": {"+get", "+set", "&" + keys.Events},
		"-hset (~* +hset)":        nil,
		"-eval":                   {"+eval"},
		"resetkeys ~f* ~catb* -getrange (+getrange ~f*)": {"(+getrange " + bridge + ")"},
	}
	for command := range strings.FieldsSeq("evalsha ping get set hset hmget hincrby getrange setrange pexpire pttl del publish time subscribe") {
		tests["-"+command] = []string{"+" + command}
	}
	for change, want := range tests {
		t.Run(change, func(t *testing.T) {
			user := setUser(t, admin, "leader", leaderRights+" "+change)
			wantRights(t, CheckRights(t.Context(), server.ClientAs(t, user, nil), testKey, ""), want...)
			if n := admin.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("%d keys were written", n)
			}
		})
	}
}

// F24, and a user that lacks rights from the start.
func TestALeaderReportsMissingRightsAndRecoversWhenTheyAreGranted(t *testing.T) {
	for name, rule := range map[string]string{"command": "getrange", "several": "getrange -hset"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			admin := server.Client(t, nil)
			user := setUser(t, admin, "leader", leaderRights+" -"+rule)
			log := new(syncBuffer)
			l, err := New(Config{
				Redis: server.ClientAs(t, user, nil), SDKKeys: []SDKKey{mainKey()}, Transport: fakecdn.New(),
				Logger: slog.New(slog.NewTextHandler(log, nil)), Timing: FastTiming(),
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
			setUser(t, admin, "leader", leaderRights)
			await("granted", func(s KeyStats) bool {
				return s.MissingRights == nil && s.State == Steady && s.WriteError == "" && s.Rev > 0
			})
			setUser(t, admin, "leader", leaderRights+" -"+rule)
			await("withdrawn", lacking)
			setUser(t, admin, "leader", leaderRights)
			await("granted again", func(s KeyStats) bool { return s.MissingRights == nil && s.State == Steady && s.WriteError == "" })
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

// The list must include every command of the scripts.
func TestTheRightToEveryCommandOfTheScriptsIsChecked(t *testing.T) {
	asked := map[string]bool{}
	for _, n := range leaderNeeds(cachekeys.For(testKey, "", 0)) {
		asked[n.command] = asked[n.command] || n.used
	}
	sources := prelude + acquireSource + commitSource + renewSource + releaseSource + refreshSource
	calls := regexp.MustCompile(`(?:call|read)\('(\w+)'`).FindAllStringSubmatch(sources, -1)
	// Except the two calls in read, whose command is an argument.
	all := len(regexp.MustCompile(`\b(?:p?call|read)\(`).FindAllString(sources, -1)) - 3
	if len(calls) < 20 || len(calls) != all {
		t.Fatalf("%d calls found of %d", len(calls), all)
	}
	for _, call := range calls {
		if !asked[call[1]] {
			t.Errorf("%s is not asked for", call[1])
		}
	}
}

func TestRightsAreCheckedOnEveryNodeOfACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	user := redistest.User{Name: "leader", Password: "secret"}
	const clustered = leaderRights + " +cluster|slots +command +asking"
	for _, node := range cluster.Primaries {
		setUser(t, node.Client(t, nil), user.Name, clustered)
	}
	wantRights(t, CheckRights(t.Context(), cluster.ClientAs(t, user, nil), testKey, ""))

	second := cluster.Primaries[1]
	setUser(t, second.Client(t, nil), user.Name, clustered+" -pttl")
	err := CheckRights(t.Context(), cluster.ClientAs(t, user, nil), testKey, "")
	wantRights(t, err, "+pttl")
	if lacking, ok := errors.AsType[*RightsError](err); !ok || !slices.Equal(lacking.Nodes, []string{second.Addr()}) {
		t.Errorf("got %v", err)
	}
	for _, node := range cluster.Primaries {
		setUser(t, node.Client(t, nil), user.Name, clustered+" -command -asking")
	}
	wantRights(t, CheckRights(t.Context(), cluster.ClientAs(t, user, nil), testKey, ""), "+asking", "+command")
	for _, node := range cluster.Primaries {
		setUser(t, node.Client(t, nil), user.Name, leaderRights)
	}
	wantRights(t, CheckRights(t.Context(), cluster.ClientAs(t, user, nil), testKey, ""), "+cluster|slots")
}

func TestARedisThatCannotCheckRightsIsNotReportedAsMissingRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, link := redistest.Virtual(t), new(redistest.Link)
		client := server.Client(t, link)
		wantRights(t, CheckRights(t.Context(), client, testKey, "")) // miniredis has no ACL users
		link.Down()
		err := CheckRights(t.Context(), client, testKey, "")
		if _, lacking := errors.AsType[*RightsError](err); err == nil || lacking {
			t.Errorf("got %v", err)
		}
	})
}

// followerRights are the follower's rights in the documentation.
const followerRights = "reset on >secret %R~???????????????????????????????????????? %R~catbridge:{*}:* &catbridge:{*}:events -@all " +
	"+get +getrange +hmget +subscribe +unsubscribe +ping"

func TestEachMissingRightOfAFollowerIsReported(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	bridge := "%R~catbridge:{" + keys.Entry + "}:*"
	for change, want := range map[string][]string{
		"":                       nil,
		"-get":                   {"+get"},
		"-getrange":              {"+getrange"},
		"-hmget":                 {"+hmget"},
		"-ping":                  {"+ping"},
		"-subscribe":             {"+subscribe"},
		"resetchannels":          {"&" + keys.Events},
		"resetkeys":              {"%R~" + keys.Entry, bridge},
		"resetkeys %R~f*":        {bridge},
		"resetkeys %R~catb*":     {"%R~" + keys.Entry},
		"resetkeys %W~*":         {"%R~" + keys.Entry, bridge},
		"-get -hmget -subscribe": {"+get", "+hmget", "+subscribe"},
	} {
		t.Run(change, func(t *testing.T) {
			user := setUser(t, admin, "follower", followerRights+" "+change)
			wantRights(t, CheckFollowerRights(t.Context(), server.ClientAs(t, user, nil), testKey, ""), want...)
		})
	}
	admin.Set(t.Context(), keys.Meta, "of another type", 0)
	wantRights(t, CheckFollowerRights(t.Context(), server.ClientAs(t, setUser(t, admin, "follower", followerRights), nil), testKey, ""))
	err := CheckFollowerRights(t.Context(), server.ClientAs(t, redistest.User{Name: "follower", Password: "wrong"}, nil), testKey, "")
	if _, lacking := errors.AsType[*RightsError](err); err == nil || lacking {
		t.Errorf("a wrong password: %v", err)
	}
}
