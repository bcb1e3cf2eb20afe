package inspect_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/aclfile"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

const sdkKey = "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111"

var keys = cachekeys.For(sdkKey, "", 0)

func TestMain(m *testing.M) {
	redis.SetLogger(silence{})
	goleak.VerifyTestMain(m)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// lead runs a leader until stop, which does not release its lock.
func lead(t *testing.T, client redis.UniversalClient, timing leader.Timings) (id string, stop func()) {
	t.Helper()
	content, err := localcdn.NewContent([]byte(`{"f":{"text":{"t":1,"v":{"s":"one"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(localcdn.New(content, slog.New(slog.DiscardHandler)))
	t.Cleanup(web.Close)
	l, err := leader.New(leader.Config{Redis: client, Timings: timing, SDKKeys: []leader.SDKKey{{Key: sdkKey, BaseURL: web.URL}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	for l.Stats().Keys[0].State != leader.StateSteady || l.Stats().Keys[0].Rev == 0 {
		select {
		case <-done:
			t.Fatal("the leader ended")
		case <-time.After(2 * time.Millisecond):
		}
	}
	return l.ID(), stop
}

func look(t *testing.T, client redis.UniversalClient) inspect.Key {
	t.Helper()
	key, err := inspect.Redis{Client: client, Most: 2}.Look(t.Context(), "main", keys)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func wantWell(t *testing.T, key inspect.Key, id string) {
	t.Helper()
	if !key.OK || len(key.Faults) != 0 || len(key.Remarks) != 0 {
		t.Errorf("not well: %+v", key)
	}
	if key.Leader == nil || key.Leader.ID != id || key.Leader.Left == nil || *key.Leader.Left <= 0 || time.Since(key.Leader.Since) > time.Minute {
		t.Errorf("leader %+v, want %s", key.Leader, id)
	}
	if c := key.Content; c == nil || c.Rev == 0 || c.Age == nil || *c.Age > 60 || c.Poll != 55 || c.Hash == "" || c.ETag == "" || c.Bytes == 0 {
		t.Errorf("content %+v", key.Content)
	}
	for what, part := range map[string]*inspect.Part{"entry": key.Entry, "blob": key.Blob} {
		if part == nil || part.State != inspect.Matches || part.Rev != key.Content.Rev || part.Bytes == 0 {
			t.Errorf("%s %+v", what, part)
		}
	}
}

func TestThereAreNoFaultsWhileALeaderLeads(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t, nil)
	id, _ := lead(t, client, leader.Timings{})
	other := client.Subscribe(t.Context(), keys.Events)
	defer other.Close()
	if _, err := other.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for { // until the leader subscribes, too
		key := look(t, client)
		wantWell(t, key, id)
		if key.Subscribers != nil && *key.Subscribers == 2 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// If Redis refuses the login, nothing else is known: the data and the lock are not called
// corrupt or missing.
func TestARefusedLoginIsTheOnlyError(t *testing.T) {
	t.Parallel()
	const password = "pa55word"
	server := redistest.Start(t, "--requirepass", password)
	for name, test := range map[string]struct{ password, want string }{
		"wrong password": {"other", "main: Redis refuses the login: WRONGPASS"},
		"no password":    {"", "main: Redis refuses the login: NOAUTH"},
	} {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), Password: test.password})
		key, err := inspect.Redis{Client: client, Most: 2}.Look(t.Context(), "main", keys)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, %+v, want %q", name, err, key, test.want)
		}
		_ = client.Close()
	}
}

// Proxies and managed services refuse some commands. The rest of the state is shown.
func TestARefusedCommandHidesOnlyItsPart(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"PUBSUB", "PTTL", "ZRANGE"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			client := redistest.Start(t, "--rename-command", command, "").Client(t, nil)
			if command != "PTTL" { // scripts need it
				lead(t, client, leader.Timings{})
			} else {
				client.Set(t.Context(), keys.Lock, wire.LockValue("someone", time.Now().UnixMilli()), time.Minute)
			}
			key := look(t, client)
			if len(key.Remarks) != 1 || !strings.Contains(key.Remarks[0], "unknown command") || key.Leader == nil {
				t.Errorf("%+v", key)
			}
			if command != "PTTL" && !key.OK {
				t.Errorf("faults %q", key.Faults)
			}
		})
	}
}

// In a cluster, the subscribers of all nodes count.
func TestSubscribersOfAllNodesOfAClusterAreCounted(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	id, _ := lead(t, cluster.Client(t, nil), leader.Timings{})
	for _, node := range cluster.Primaries {
		sub := node.Client(t, nil).Subscribe(t.Context(), keys.Events)
		defer sub.Close()
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for {
		key := look(t, cluster.Client(t, nil))
		wantWell(t, key, id)
		if key.Subscribers != nil && *key.Subscribers == 4 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Each fault is provoked, and its text says what to do or what happens next.
func TestFaultsAreNamed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	_, stop := lead(t, client, leader.Timings{})
	ctx := t.Context()
	lock := client.Get(ctx, keys.Lock).Val()
	meta := client.HGetAll(ctx, keys.Meta).Val()
	entry, blob := client.Get(ctx, keys.Entry).Val(), client.Get(ctx, keys.Blob).Val()
	stop()
	restore := func() {
		client.FlushAll(ctx)
		client.Set(ctx, keys.Lock, lock, time.Hour)
		client.HSet(ctx, keys.Meta, meta)
		client.Set(ctx, keys.Entry, entry, 0)
		client.Set(ctx, keys.Blob, blob, 0)
	}
	at := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).UnixMilli()) }
	for name, test := range map[string]struct {
		provoke func()
		want    string
	}{
		"no lock":            {func() { client.Del(ctx, keys.Lock) }, "no leader: start a leader"},
		"eternal lock":       {func() { client.Persist(ctx, keys.Lock) }, "the lock never expires, and no other leader can take over: delete it"},
		"invalid lock":       {func() { client.Set(ctx, keys.Lock, "x\x1b[2J", time.Hour) }, `the lock is invalid; if it stays, delete it, and a leader takes over: malformed lock: leader: want leader:epoch, have "x\x1b[2J"`},
		"lock of other type": {func() { client.Del(ctx, keys.Lock); client.LPush(ctx, keys.Lock, "x") }, "the lock is not a string: delete it"},
		"another epoch":      {func() { client.HSet(ctx, keys.Meta, "epoch", "1") }, "but meta has 1: the leader repairs that, unless Redis loses writes"},
		"no meta":            {func() { client.Del(ctx, keys.Meta) }, "no leader has written content yet; the entry was written by an official SDK"},
		"nothing":            {func() { client.Del(ctx, keys.Meta, keys.Entry, keys.Blob) }, "no content: no leader has had a usable answer"},
		"corrupt meta":       {func() { client.HSet(ctx, keys.Meta, "rev", "x") }, "meta is corrupt; the leader repairs it with its next poll: malformed meta: rev"},
		"meta of other type": {func() { client.Del(ctx, keys.Meta); client.Set(ctx, keys.Meta, "x", 0) }, "meta is not a hash: delete it"},
		"a leader that waits": {func() { client.HSet(ctx, keys.Meta, "waits", at(time.Minute)) },
			"Redis has an older config than before, rev " + meta["rev"] + " after "},
		"old answer": {func() { client.HSet(ctx, keys.Meta, "cdn", at(-10*time.Minute)) }, "the CDN's last answer is 10m0s old, but the poll interval is 55s"},
		"no answer":  {func() { client.HDel(ctx, keys.Meta, "cdn") }, "the CDN has never confirmed this content"},
		"rev ahead": {func() {
			rev := at(time.Hour)
			client.HSet(ctx, keys.Meta, "rev", rev)
			client.SetRange(ctx, keys.Entry, 0, rev)
			client.SetRange(ctx, keys.Blob, 0, rev)
		}, "ahead of Redis's clock: check the clocks of Redis and of every host that writes the entry"},
		"no entry":            {func() { client.Del(ctx, keys.Entry) }, "the entry, which official SDKs read, is missing; the leader repairs it"},
		"corrupt entry":       {func() { client.Set(ctx, keys.Entry, "x", 0) }, "the entry, which official SDKs read, is corrupt; if it stays so, delete the key, and the leader writes it again: cachekeys: malformed entry"},
		"entry of other type": {func() { client.Del(ctx, keys.Entry); client.LPush(ctx, keys.Entry, "x") }, "the entry, which official SDKs read, is corrupt; if it stays so, delete the key, and the leader writes it again: it is not a string"},
		"newer entry": {func() { client.SetRange(ctx, keys.Entry, 0, at(time.Minute)) },
			"the entry, which official SDKs read, is not the content that meta names; the leader repairs it with its next renewal: its fetch time is not the rev"},
		"other entry":  {func() { client.Set(ctx, keys.Entry, meta["rev"]+"\n"+meta["etag"]+"\n{}", 0) }, "is not the content that meta names; the leader repairs it with its next renewal: its content differs"},
		"other ETag":   {func() { client.Set(ctx, keys.Entry, strings.Replace(entry, meta["etag"], "x", 1), 0) }, "is not the content that meta names; the leader repairs it with its next renewal: its ETag differs"},
		"no blob":      {func() { client.Del(ctx, keys.Blob) }, "the blob, which followers read, is missing"},
		"flipped bit":  {func() { client.SetRange(ctx, keys.Blob, int64(len(blob)-2), "x") }, "the blob, which followers read, is corrupt; if it stays so, delete the key, and the leader writes it again: malformed content"},
		"blob behind":  {func() { client.SetRange(ctx, keys.Blob, 0, "1500000000000") }, "the blob, which followers read, is not the content that meta names; the leader repairs it with its next renewal: its rev differs"},
		"no fleet set": {func() { client.Set(ctx, keys.Fleet, "x", 0) }, "the followers' reports are not a sorted set: delete the key " + keys.Fleet},
	} {
		restore()
		if key := look(t, client); !key.OK {
			t.Fatalf("before %q: %q", name, key.Faults)
		}
		test.provoke()
		key := look(t, client)
		if key.OK || len(key.Faults) != 1 || !strings.Contains(key.Faults[0], test.want) {
			t.Errorf("%s: OK %v, faults %q, want %q", name, key.OK, key.Faults, test.want)
		}
	}
}

// statusUser returns a client of the user for status in deploy/acl.
func statusUser(t *testing.T, file string, nodes ...*redistest.Process) (name, password string) {
	t.Helper()
	rules := []any{"ACL", "SETUSER", "status", "reset", "on", ">secret"}
	for _, rule := range aclfile.Rules(t, file, "status") {
		rules = append(rules, rule)
	}
	for _, node := range nodes {
		if err := node.Client(t, nil).Do(t.Context(), rules...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return "status", "secret"
}

// The rights of the user in deploy/acl are sufficient for all parts.
func TestTheStatusUserCanReadEverything(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	id, _ := lead(t, server.Client(t, nil), leader.Timings{})
	opts := *server.Client(t, nil).Options()
	opts.Username, opts.Password = statusUser(t, "single.acl", server)
	single := redis.NewClient(&opts)
	defer single.Close()
	wantWell(t, look(t, single), id)

	cluster := redistest.StartCluster(t, 3, 0)
	id, _ = lead(t, cluster.Client(t, nil), leader.Timings{})
	all := *cluster.Client(t, nil).Options()
	all.Username, all.Password = statusUser(t, "cluster.acl", cluster.Primaries...)
	whole := redis.NewClusterClient(&all)
	defer whole.Close()
	key := look(t, whole)
	wantWell(t, key, id)
	if key.Subscribers == nil || key.Fleet == nil {
		t.Errorf("%+v", key)
	}
}

func TestMissingRightsAreRemarks(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	lead(t, admin, leader.Timings{})
	opts := *admin.Options()
	opts.Username, opts.Password = "reader", "secret"
	client := redis.NewClient(&opts)
	defer client.Close()
	for name, test := range map[string]struct {
		without []any
		remark  string
		fault   string
	}{
		"all rights": {nil, "", ""},
		"time":       {[]any{"-time"}, "unknown: Redis's clock; ages are by this host's (NOPERM", ""},
		"pttl":       {[]any{"-pttl"}, "unknown: the expiry of the lock (NOPERM", ""},
		"numsub":     {[]any{"-pubsub"}, "unknown: the number of subscribers (NOPERM", ""},
		"xrevrange":  {[]any{"-xrevrange"}, "unknown: the history (NOPERM", ""},
		"zrange":     {[]any{"-zrange"}, "unknown: the followers (NOPERM", ""},
		"getrange":   {[]any{"-getrange"}, "values of any size are read as a whole: grant +getrange (NOPERM", ""},
		"get":        {[]any{"-get", "-getrange"}, "unknown: the leader (NOPERM", ""},
		"the entry":  {[]any{"resetkeys", "%R~catbridge:{*}:*"}, "unknown: the entry (NOPERM", ""},
		"the fleet":  {[]any{"resetkeys", "%R~" + keys.Entry, "%R~catbridge:{*}:lock", "%R~catbridge:{*}:meta", "%R~catbridge:{*}:blob"}, "unknown: the followers (NOPERM", ""},
		"meta":       {[]any{"-hmget"}, "unknown: the current config (NOPERM", "unknown whether the content is current"},
	} {
		rights := append([]any{"ACL", "SETUSER", "reader", "reset", "on", ">secret", "~*", "&*", "+get", "+getrange", "+hmget", "+pttl", "+time", "+pubsub", "+zrange", "+xrevrange"}, test.without...)
		if err := admin.Do(t.Context(), rights...).Err(); err != nil {
			t.Fatal(err)
		}
		key := look(t, client)
		remarks := strings.Join(key.Remarks, "\n")
		if test.remark == "" && remarks != "" || !strings.Contains(remarks, test.remark) || strings.Join(key.Faults, "") != "" && test.fault == "" {
			t.Errorf("%s: remarks %q, faults %q", name, key.Remarks, key.Faults)
		}
		if test.fault != "" && (len(key.Faults) == 0 || !strings.Contains(key.Faults[0], test.fault)) {
			t.Errorf("%s: faults %q", name, key.Faults)
		}
	}
}

// Without patches that help, followers read the blob: that is not a fault.
func TestPatchesAreShownIfTheyLeadToTheCurrentConfig(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t, nil)
	id, _ := lead(t, client, leader.Timings{})
	key := look(t, client)
	wantWell(t, key, id)
	if key.Patches != nil {
		t.Errorf("patches %+v of a small config", key.Patches)
	}
	steps := func(to string) string {
		return string(wire.Patches{{From: wire.ShortHash(wire.ContentHash(nil)), To: to, Rev: wire.MinRev, Len: 1, Patch: []byte("0 0 raw\n{")}}.Append(nil))
	}
	for patches, want := range map[string]string{
		steps(key.Content.Hash):                     "",
		steps(wire.ContentHash([]byte("{}"))):       "the patches do not lead to the current config",
		"garbage":                                   "the patches are invalid, and followers read the blob instead",
		strings.Repeat("x", wire.MaxPatchesBytes+9): "the patches are invalid, and followers read the blob instead",
	} {
		client.Set(t.Context(), keys.Patches, patches, 0)
		got := look(t, client)
		if remarks := strings.Join(got.Remarks, "\n"); !got.OK || (got.Patches != nil) != (want == "") || !strings.Contains(remarks, want) {
			t.Errorf("%.30q: ok %v, patches %+v, remarks %q", patches, got.OK, got.Patches, remarks)
		}
	}
	client.Del(t.Context(), keys.Patches)
	client.HSet(t.Context(), keys.Patches, "a", "b")
	if got := look(t, client); !got.OK || !strings.Contains(strings.Join(got.Remarks, "\n"), "not a string") {
		t.Errorf("a hash: %+v", got)
	}
}

// If the history lacks the current config, status says so, without a fault.
func TestTheNewestEntryOfTheHistoryIsShown(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t, nil)
	id, stop := lead(t, client, leader.Timings{})
	key := look(t, client)
	wantWell(t, key, id)
	if h := key.History; h == nil || h.Hash != key.Content.Hash || h.Rev > key.Content.Rev || h.Cause != "first" || time.Since(h.Time) > time.Minute {
		t.Errorf("history %+v", h)
	}
	stop()
	client.HSet(t.Context(), keys.Meta, "epoch", key.Content.Epoch+1) // as an earlier version does
	if remarks := strings.Join(look(t, client).Remarks, "\n"); !strings.Contains(remarks, "the latest leader process has an earlier version") {
		t.Errorf("remarks %q", remarks)
	}
	client.HSet(t.Context(), keys.Meta, "epoch", key.Content.Epoch)
	rev := key.Content.Rev + 1
	client.HSet(t.Context(), keys.Meta, "rev", rev, "hash", wire.ContentHash([]byte("{}")))
	if remarks := strings.Join(look(t, client).Remarks, "\n"); !strings.Contains(remarks, "the history does not have the current config") {
		t.Errorf("remarks %q", remarks)
	}
	client.XAdd(t.Context(), &redis.XAddArgs{Stream: keys.History, Values: []string{"hash", "zz", "back", strings.Repeat("x", 1<<20)}})
	if remarks := strings.Join(look(t, client).Remarks, "\n"); !strings.Contains(remarks, "the newest entry of the history is malformed") {
		t.Errorf("remarks %q", remarks)
	}
	client.Del(t.Context(), keys.History)
	client.Set(t.Context(), keys.History, "not a stream", 0)
	if h := look(t, client).History; h != nil {
		t.Errorf("history %+v", h)
	}
}

func TestAnUnreachableRedisIsAnError(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	server.Kill()
	if _, err := (inspect.Redis{Client: client}).Look(t.Context(), "main", keys); err == nil || !strings.HasPrefix(err.Error(), "main: ") {
		t.Errorf("%v", err)
	}
}
