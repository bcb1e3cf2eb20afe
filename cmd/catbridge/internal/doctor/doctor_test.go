package doctor

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

const sdkKey = "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111"

func TestMain(m *testing.M) {
	redis.SetLogger(silence{})
	goleak.VerifyTestMain(m)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// healthyCDN serves a config for every SDK key.
func healthyCDN(t *testing.T) *httptest.Server {
	t.Helper()
	return configServer(t, `{"f":{"text":{"t":1,"v":{"s":"one"}}}}`)
}

func configServer(t *testing.T, json string) *httptest.Server {
	t.Helper()
	content, err := localcdn.NewContent([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(localcdn.New(content, slog.New(slog.DiscardHandler)))
	t.Cleanup(web.Close)
	return web
}

// lead runs a leader for the SDK key until the test ends.
func lead(t *testing.T, client redis.UniversalClient, baseURL string) (stop func()) {
	t.Helper()
	l, err := leader.New(leader.Config{Redis: client, Timings: leader.FastTimings(), SDKKeys: []leader.SDKKey{{Key: sdkKey, BaseURL: baseURL}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	for l.Stats().Keys[0].Rev == 0 {
		select {
		case <-done:
			t.Fatal("the leader ended")
		case <-time.After(2 * time.Millisecond):
		}
	}
	return stop
}

// load returns the settings of an environment of NAME=value, without the prefix CATBRIDGE_.
func load(t *testing.T, variables ...string) *settings.Settings {
	t.Helper()
	environment := []string{"CATBRIDGE_SDK_KEY=main=" + sdkKey}
	for _, v := range variables {
		environment = append(environment, "CATBRIDGE_"+v)
	}
	s, err := settings.Load(settings.Options{Part: settings.Leader, Variables: settings.Leader, Environ: environment})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type findings []Finding

// soon makes checks of what never comes end soon. No check may then need long on a busy machine.
func soon(d *Doctor) { d.Timeout = 3 * time.Second }

// examine runs all checks.
func examine(t *testing.T, as Role, s *settings.Settings, change ...func(*Doctor)) findings {
	t.Helper()
	var list findings
	d := &Doctor{Settings: s, As: as, Timeout: time.Minute, Tell: func(f Finding) { list = append(list, f) }}
	for _, f := range change {
		f(d)
	}
	d.Examine(t.Context())
	for _, f := range list {
		if text := f.Found + f.Advice; strings.Contains(text, "secretsecret") || strings.Contains(text, "55word") {
			t.Errorf("a secret shows up in %+v", f)
		}
	}
	return list
}

// want checks that there is a finding of the check with that result and the given strings.
func (list findings) want(t *testing.T, check string, result Result, texts ...string) {
	t.Helper()
	for _, f := range list {
		if f.Check != check || f.Result != result {
			continue
		}
		all := true
		for _, text := range texts {
			all = all && strings.Contains(f.Found+" → "+f.Advice, text)
		}
		if all {
			return
		}
	}
	t.Errorf("no %s %q with %q in\n%v", result, check, texts, list)
}

// only checks that no other checks have faults.
func (list findings) only(t *testing.T, checks ...string) {
	t.Helper()
	for _, f := range list {
		if f.Result == Bad && !strings.Contains(" "+strings.Join(checks, ", ")+",", " "+f.Check+",") {
			t.Errorf("a fault besides: %+v", f)
		}
	}
}

func (list findings) String() string {
	var text strings.Builder
	for _, f := range list {
		text.WriteString("\t" + string(f.Result) + " " + f.Check + " " + f.Key + ": " + f.Found + " → " + f.Advice + "\n")
	}
	return text.String()
}

func TestAHealthyBridgeHasNoFaults(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	web := healthyCDN(t)
	lead(t, server.Client(t, nil), web.URL)
	for _, as := range []Role{Leader, Follower, Reporter} {
		list := examine(t, as, load(t, "REDIS_URL="+server.URL(), "BASE_URL="+web.URL))
		list.only(t)
		list.want(t, "redis network", Good, "accepts connections", "without TLS")
		list.want(t, "redis login", Good, "the default user is logged in")
		list.want(t, "redis server", Good, "is redis 7.", ", standalone, master")
		list.want(t, "redis memory", Good, "has no maxmemory, and evicts no keys")
		list.want(t, "redis clock", Good, "agrees with this host's")
		list.want(t, "rights", Good, "this user has all rights of a "+string(as))
		list.want(t, "state", Good, "has been leading since 20")
		list.want(t, "state", Good, "the entry and the blob are the current config, rev 1")
		list.want(t, "messages", Good, "arrived after")
		if as == Leader {
			list.want(t, "scripts", Good, "Lua scripts run")
			list.want(t, "CDN", Good, "it answers after", "the content in Redis is current")
			list.want(t, "CDN", Good, "the CDN's clock agrees")
		} else {
			list.want(t, "CDN", Unknown, "needs no CDN")
		}
	}
	if n, err := server.Client(t, nil).DBSize(t.Context()).Result(); err != nil || n != 5 {
		t.Errorf("%d keys, %v: the doctor left a trace", n, err)
	}
}

func TestFaultsOfTheConnectionToRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", "pa55word")
	authority, other := redistest.NewAuthority(t), redistest.NewAuthority(t)
	secured := (&redistest.Guard{Authority: authority}).Start(t)
	mine := authority.Issue(t, "client")
	pair := []string{"REDIS_TLS_CERT_FILE=" + mine.CertFile, "REDIS_TLS_KEY_FILE=" + mine.KeyFile, "REDIS_TLS_CA_FILE=" + authority.CAFile}
	socket := filepath.Join(t.TempDir(), "none.sock")
	encrypted := "rediss://" + secured.Addr()
	for name, test := range map[string]struct {
		variables []string
		check     string
		want      []string
	}{
		"unknown name": {[]string{"REDIS_URL=redis://no-such-host.invalid"}, "redis network",
			[]string{"no-such-host.invalid", "no such host", "check the name in redis.url"}},
		"nothing there":  {[]string{"REDIS_URL=redis://127.0.0.1:1"}, "redis network", []string{"connection refused", "check that Redis runs there"}},
		"no socket":      {[]string{"REDIS_URL=unix://" + socket}, "redis network", []string{"no such file or directory"}},
		"no password":    {[]string{"REDIS_URL=" + server.URL()}, "redis login", []string{"NOAUTH", "give a password"}},
		"wrong password": {[]string{"REDIS_URL=" + server.URL(), "REDIS_PASSWORD=other-55word"}, "redis login", []string{"WRONGPASS", "the user or the password for Redis is wrong"}},
		"unknown user":   {[]string{"REDIS_URL=redis://nobody@" + server.Addr(), "REDIS_PASSWORD=other-55word"}, "redis login", []string{"the user nobody: WRONGPASS"}},
		"TLS to a plain port": {[]string{"REDIS_URL=rediss://" + server.Addr()}, "redis network",
			[]string{"TLS with " + server.Addr(), "if Redis does not use TLS on this port, write redis://"}},
		"plain to a TLS port":  {[]string{"REDIS_URL=redis://" + secured.Addr()}, "redis login", []string{"if it requires TLS, write rediss://"}},
		"unknown authority":    {[]string{"REDIS_URL=" + encrypted}, "redis network", []string{"unknown authority", "set redis.tls.ca_file to the certificate of its authority"}},
		"another authority":    {append(pair[:2:2], "REDIS_URL="+encrypted, "REDIS_TLS_CA_FILE="+other.CAFile), "redis network", []string{"redis.tls.ca_file"}},
		"another name":         {append(pair[:3:3], "REDIS_URL="+encrypted, "REDIS_TLS_SERVER_NAME=elsewhere"), "redis network", []string{"the certificate is not for elsewhere"}},
		"no certificate of us": {[]string{"REDIS_URL=" + encrypted, "REDIS_TLS_CA_FILE=" + authority.CAFile}, "redis login", []string{"set redis.tls.cert_file and redis.tls.key_file"}},
		"expires soon":         {append(pair[:3:3], "REDIS_URL="+encrypted), "redis network", []string{"expires at 20", "renew the certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := examine(t, Follower, load(t, test.variables...))
			// The refusal is lost if a command arrives after Redis has closed the connection.
			for name == "no certificate of us" && (strings.Contains(list.String(), "reset by peer") || strings.Contains(list.String(), "broken pipe")) {
				list = examine(t, Follower, load(t, test.variables...))
			}
			list.want(t, test.check, Bad, test.want...)
			if name != "expires soon" {
				list.want(t, "state", Unknown, "not checked: Redis is unreachable")
			}
		})
	}
}

func TestFaultsOfTheKindOfRedis(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	address := strings.Split(primary.Addr(), ":")
	replica := redistest.Start(t, "--replicaof", address[0], address[1], "--repl-diskless-sync-delay", "0")
	list := examine(t, Leader, load(t, "REDIS_URL="+replica.URL(), "BASE_URL="+healthyCDN(t).URL))
	list.want(t, "redis server", Bad, ", replica: a leader cannot write to a replica", "give the address of the primary, or use Sentinel")
	examine(t, Follower, load(t, "REDIS_URL="+replica.URL())).want(t, "redis server", Good, ", replica")

	list = examine(t, Follower, load(t, "REDIS_URL="+primary.URL(), "REDIS_MODE=cluster"))
	list.want(t, "redis login", Bad, "cluster support disabled", "set redis.mode to single")
}

func TestACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	web := healthyCDN(t)
	lead(t, cluster.Client(t, nil), web.URL)
	url := cluster.Primaries[0].URL()
	list := examine(t, Leader, load(t, "REDIS_URL="+url, "REDIS_MODE=cluster", "BASE_URL="+web.URL))
	list.only(t)
	for _, node := range cluster.Primaries {
		list.want(t, "redis server", Good, node.Addr()+" is redis 7.", ", cluster, master")
		list.want(t, "redis memory", Good, node.Addr()+" has no maxmemory")
	}
	examine(t, Follower, load(t, "REDIS_URL="+url)).want(t, "redis server", Bad, "a single node does not have all keys", "set redis.mode to cluster")

	// One node has other rights or memory settings, or is down.
	last := cluster.Primaries[2]
	admin := last.Client(t, nil)
	admin.ConfigSet(t.Context(), "maxmemory", "100mb")
	admin.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru")
	examine(t, Leader, load(t, "REDIS_URL="+url, "REDIS_MODE=cluster", "BASE_URL="+web.URL)).
		want(t, "redis memory", Bad, last.Addr()+" may evict the lock, the content, the history and what operators put in force")
}

func TestSentinels(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t, 1)
	web := healthyCDN(t)
	lead(t, sentinel.Client(t, nil), web.URL)
	dead, alive := "REDIS_ADDRESSES=127.0.0.1:1,", sentinel.Sentinels[0].Addr()
	mode := []string{"REDIS_MODE=sentinel", "BASE_URL=" + web.URL}
	list := examine(t, Leader, load(t, append(mode, dead+alive, "REDIS_MASTER_NAME="+redistest.MasterName)...))
	list.want(t, "redis network", Bad, "connection refused") // but the other one is tried, too
	list.only(t, "redis network")
	list.want(t, "redis server", Good, ", standalone, master")
	list = examine(t, Leader, load(t, append(mode, "REDIS_ADDRESSES="+alive, "REDIS_MASTER_NAME=nothing")...))
	list.want(t, "redis login", Bad, "no Sentinel named a primary")
	list = examine(t, Follower, load(t, "REDIS_URL=redis://"+alive))
	list.want(t, "redis server", Bad, ", sentinel, ", "a Sentinel stores no data", "set redis.mode to sentinel and redis.master_name")
}

func TestFaultsOfRedisMemory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	s := load(t, "REDIS_URL="+server.URL())
	for policy, test := range map[string]struct {
		most   string
		result Result
		want   string
	}{
		"allkeys-lru":  {"100mb", Bad, "may evict the lock, the content, the history and what operators put in force (control, pinned, source) when it runs out of memory (maxmemory-policy allkeys-lru)"},
		"volatile-ttl": {"100mb", Bad, "may evict the lock when it runs out of memory (maxmemory-policy volatile-ttl)"},
		"noeviction":   {"100mb", Good, "evicts no keys (maxmemory-policy noeviction), and has used"},
		"volatile-lru": {"0", Good, "has no maxmemory, and evicts no keys"},
	} {
		client.ConfigSet(t.Context(), "maxmemory-policy", policy)
		client.ConfigSet(t.Context(), "maxmemory", test.most)
		examine(t, Follower, s).want(t, "redis memory", test.result, test.want)
	}
	client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction")
	client.ConfigSet(t.Context(), "maxmemory", "1000")
	examine(t, Follower, s).want(t, "redis memory", Bad, "of 1000 bytes", "raise maxmemory")
}

var _ http.RoundTripper = roundTrip(nil)

// roundTrip is a CDN without a network.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }
