package acl

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const testKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// leaderRights are the leader's rights in the documentation.
const leaderRights = "reset on >secret ~???????????????????????????????????????? ~catbridge:{*}:* &catbridge:{*}:events -@all " +
	"+evalsha +eval +ping +get +set +hset +hmget +hincrby +getrange +setrange +pexpire +pttl +del +xadd +xrevrange +xtrim +publish +time +subscribe +unsubscribe"

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
		"-@all +eval":             {"+del", "+evalsha", "+get", "+getrange", "+hincrby", "+hmget", "+hset", "+pexpire", "+ping", "+pttl", "+publish", "+set", "+setrange", "+subscribe", "+time", "+xadd", "+xrevrange", "+xtrim"},
		"-get -set resetchannels": {"+get", "+set", "&" + keys.Events},
		"-hset (~* +hset)":        nil,
		"-eval":                   {"+eval"},
		"resetkeys ~f* ~catb* -getrange (+getrange ~f*)": {"(+getrange " + bridge + ")"},
	}
	for command := range strings.FieldsSeq("evalsha ping get set hset hmget hincrby getrange setrange pexpire pttl del xadd xrevrange xtrim publish time subscribe") {
		tests["-"+command] = []string{"+" + command}
	}
	for change, want := range tests {
		t.Run(change, func(t *testing.T) {
			user := setUser(t, admin, "leader", leaderRights+" "+change)
			wantRights(t, CheckLeader(t.Context(), server.ClientAs(t, user, nil), testKey, ""), want...)
			if n := admin.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("%d keys were written", n)
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
	files, err := filepath.Glob("../../leader/internal/script/*.lua")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	var sources strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.WriteString(string(text))
	}
	calls := regexp.MustCompile(`(?:call|read)\('(\w+)'`).FindAllStringSubmatch(sources.String(), -1)
	// Except the two calls in read, whose command is an argument, and Lua's pcall of a function.
	all := len(regexp.MustCompile(`\b(?:p?call|read)\(`).FindAllString(sources.String(), -1)) - 4
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
	wantRights(t, CheckLeader(t.Context(), cluster.ClientAs(t, user, nil), testKey, ""))

	second := cluster.Primaries[1]
	setUser(t, second.Client(t, nil), user.Name, clustered+" -pttl")
	err := CheckLeader(t.Context(), cluster.ClientAs(t, user, nil), testKey, "")
	wantRights(t, err, "+pttl")
	if lacking, ok := errors.AsType[*RightsError](err); !ok || !slices.Equal(lacking.Nodes, []string{second.Addr()}) {
		t.Errorf("got %v", err)
	}
	for _, node := range cluster.Primaries {
		setUser(t, node.Client(t, nil), user.Name, clustered+" -command -asking")
	}
	wantRights(t, CheckLeader(t.Context(), cluster.ClientAs(t, user, nil), testKey, ""), "+asking", "+command")
	for _, node := range cluster.Primaries {
		setUser(t, node.Client(t, nil), user.Name, leaderRights)
	}
	wantRights(t, CheckLeader(t.Context(), cluster.ClientAs(t, user, nil), testKey, ""), "+cluster|slots")
}

func TestARedisThatCannotCheckRightsIsNotReportedAsMissingRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, link := redistest.Virtual(t), new(redistest.Link)
		client := server.Client(t, link)
		wantRights(t, CheckLeader(t.Context(), client, testKey, "")) // miniredis has no ACL users
		link.Down()
		err := CheckLeader(t.Context(), client, testKey, "")
		if _, lacking := errors.AsType[*RightsError](err); err == nil || lacking {
			t.Errorf("got %v", err)
		}
	})
}
