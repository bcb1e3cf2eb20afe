package doctor

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/aclfile"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

var keys = cachekeys.For(sdkKey, "", 0)

// rulesOf returns the rules of a user in deploy/acl.
func rulesOf(t *testing.T, user string) string {
	t.Helper()
	return strings.Join(aclfile.Rules(t, "single.acl", user), " ")
}

func setUser(t *testing.T, admin *redis.Client, rules string) {
	t.Helper()
	args := []any{"ACL", "SETUSER", "someone", "reset", "on", ">pa55word"}
	for rule := range strings.FieldsSeq(rules) {
		args = append(args, rule)
	}
	if err := admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// The rules of each role are sufficient, and each missing right is named by its rule.
func TestMissingRightsAreNamed(t *testing.T) {
	t.Parallel()
	web := healthyCDN(t)
	leaderRules, followerRules, reporterRules := rulesOf(t, "leader"), rulesOf(t, "follower"), rulesOf(t, "reporter")
	for name, test := range map[string]struct {
		as    Role
		rules string
		check string
		want  []string
	}{
		"a follower":                  {Follower, followerRules, "", nil},
		"a reporter":                  {Reporter, reporterRules, "", nil},
		"a leader":                    {Leader, leaderRules, "", nil},
		"a follower without hmget":    {Follower, followerRules + " -hmget", "rights", []string{"the user lacks rights of a follower: +hmget", "grant them with ACL SETUSER"}},
		"a follower without getrange": {Follower, followerRules + " -getrange", "rights", []string{": +getrange →"}},
		"a follower without get":      {Follower, followerRules + " -get", "rights", []string{": +get →"}},
		"a follower without subscr.":  {Follower, followerRules + " -subscribe", "rights", []string{": +subscribe →"}},
		"a follower without channel":  {Follower, followerRules + " resetchannels", "rights", []string{": &" + keys.Events}},
		"a follower without entry":    {Follower, followerRules + " resetkeys %R~catbridge:{*}:*", "rights", []string{": %R~" + keys.Entry}},
		"a follower without keys":     {Follower, followerRules + " resetkeys %R~????????????????????????????????????????", "rights", []string{": %R~catbridge:{" + keys.Entry + "}:* →"}},
		"a follower as reporter":      {Reporter, followerRules, "rights", []string{"a reporter: +zadd +zremrangebyscore"}},
		"a reporter without the key":  {Reporter, followerRules + " +zadd +zremrangebyscore", "rights", []string{"a reporter: ~" + keys.Fleet}},
		"a leader without hset":       {Leader, leaderRules + " -hset", "rights", []string{"a leader: +hset"}},
		"a leader without eval":       {Leader, leaderRules + " -eval", "rights", []string{"+eval"}},
		"a follower as leader":        {Leader, followerRules, "scripts", []string{"this user may not run the bridge's scripts: NOPERM", "grant +evalsha and +eval"}},
		"a user who may not PING":     {Follower, followerRules + " -ping", "redis login", []string{"is logged in, but has no right to PING", "grant +ping"}},
		"a follower not subscribing":  {Follower, followerRules + " -subscribe", "messages", []string{"subscribing failed: ", "grant +subscribe and &" + keys.Events}},
		"a leader who cannot publish": {Leader, leaderRules + " -publish", "messages", []string{"publishing failed", "grant +publish and &" + keys.Events}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			admin := server.Client(t, nil)
			setUser(t, admin, test.rules)
			list := examine(t, test.as, load(t, "REDIS_URL=redis://someone@"+server.Addr(), "REDIS_PASSWORD=pa55word", "BASE_URL="+web.URL))
			if test.check == "" {
				list.only(t, "state") // no leader
				list.want(t, "rights", Good)
			} else {
				list.want(t, test.check, Bad, test.want...)
			}
			list.want(t, "redis memory", Unknown, "this user has no right to INFO")
			if test.as != Leader {
				list.want(t, "redis clock", Unknown, "this user has no right to TIME")
			}
			if n := admin.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("%d keys: the doctor left a trace", n)
			}
		})
	}
}

// With a dashboard, the rights to what it reads are checked, too.
func TestTheRightsOfTheDashboardAreChecked(t *testing.T) {
	t.Parallel()
	web := healthyCDN(t)
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	settings := load(t, "REDIS_URL=redis://someone@"+server.Addr(), "REDIS_PASSWORD=pa55word", "BASE_URL="+web.URL, "UI=true", "LISTEN=127.0.0.1:8080")
	for _, role := range []struct {
		as   Role
		user string
	}{{Leader, "leader"}, {Reporter, "serve"}} {
		rules := rulesOf(t, role.user)
		setUser(t, admin, rules)
		examine(t, role.as, settings).want(t, "dashboard", Good)
		for right, want := range map[string]string{"-zrange": ": +zrange", "-pubsub": ": +pubsub|numsub", "-zrange -pubsub": ": +pubsub|numsub +zrange"} {
			setUser(t, admin, rules+" "+right)
			examine(t, role.as, settings).want(t, "dashboard", Bad, "lacks rights to what the dashboard shows"+want+" →", "grant them with ACL SETUSER")
		}
	}
	if list := examine(t, Leader, load(t, "REDIS_URL="+server.URL(), "BASE_URL="+web.URL)); strings.Contains(list.String(), "dashboard") {
		t.Errorf("without a dashboard: %v", list)
	}
}
