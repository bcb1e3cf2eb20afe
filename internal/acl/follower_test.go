package acl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

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
			wantRights(t, CheckFollower(t.Context(), server.ClientAs(t, user, nil), testKey, ""), want...)
		})
	}
	admin.Set(t.Context(), keys.Meta, "of another type", 0)
	wantRights(t, CheckFollower(t.Context(), server.ClientAs(t, setUser(t, admin, "follower", followerRights), nil), testKey, ""))
	err := CheckFollower(t.Context(), server.ClientAs(t, redistest.User{Name: "follower", Password: "wrong"}, nil), testKey, "")
	if _, lacking := errors.AsType[*RightsError](err); err == nil || lacking {
		t.Errorf("a wrong password: %v", err)
	}
}

// The check reads what a follower reads, but does not keep it.
func TestCheckingFollowerRightsTakesLittleMemory(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	huge := strings.Repeat("x", 64<<20)
	for _, key := range []string{keys.Entry, keys.Blob, keys.Lock} {
		client.Set(t.Context(), key, huge, 0)
	}
	client.HSet(t.Context(), keys.Meta, "etag", huge)
	var err error
	if took := memory.Allocated(func() { err = CheckFollower(t.Context(), client, testKey, "") }); err != nil || took > 4<<20 {
		t.Errorf("%v, %d bytes", err, took)
	}
}

func TestAClientIsRequired(t *testing.T) {
	for name, check := range map[string]func(context.Context, redis.UniversalClient, string, string) error{
		"leader": CheckLeader, "follower": CheckFollower, "reporter": CheckReporter,
	} {
		t.Run(name, func(t *testing.T) {
			for _, client := range []redis.UniversalClient{nil, (*redis.Client)(nil), (*redis.ClusterClient)(nil)} {
				if err := check(t.Context(), client, testKey, ""); err == nil || !strings.Contains(err.Error(), "a client is required") {
					t.Errorf("%T: %v", client, err)
				}
			}
		})
	}
}
