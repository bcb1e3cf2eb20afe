package leader

import (
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
	"github.com/redis/go-redis/v9"
)

func TestAllConfigurationErrorsAreReportedAtOnce(t *testing.T) {
	_, err := New(Config{
		Namespace: "a b",
		SDKKeys:   []SDKKey{{Name: "a", Key: "short"}, {Name: "a", Key: testKey, PollInterval: time.Millisecond}},
		Timings:   Timings{LeaseDuration: time.Second, RetryPeriod: math.MaxInt64 / 4 * 3},
	})
	for _, want := range []string{"Redis: a client is required", `Namespace: "a b"`, "RenewDeadline must be below LeaseDuration", "RetryPeriod must be", `duplicate name "a"`, "PollInterval: 1ms", "SDKKeys[0]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), testKey) {
		t.Error("the SDK key is in the error")
	}
}

// A command without a timeout could stop the renewals for good.
func TestAClientWhoseCommandsMayOutliveTheLeaseIsRefused(t *testing.T) {
	single := func(o redis.Options) redis.UniversalClient { return redis.NewClient(&o) }
	cluster := func(o redis.ClusterOptions) redis.UniversalClient { return redis.NewClusterClient(&o) }
	for _, tt := range []struct {
		client redis.UniversalClient
		want   string
	}{
		{(*redis.Client)(nil), "a client is required"},
		{(*redis.ClusterClient)(nil), "a client is required"},
		{single(redis.Options{}), "ContextTimeoutEnabled"},
		{cluster(redis.ClusterOptions{}), "ContextTimeoutEnabled"},
		{single(redis.Options{ContextTimeoutEnabled: true, ReadTimeout: -2}), "ReadTimeout"},
		{cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, WriteTimeout: -2}), "WriteTimeout"},
		{single(redis.Options{ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1}), ""},
		{cluster(redis.ClusterOptions{ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1}), ""},
	} {
		err := checkRedis(tt.client)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%T: got %v, want %q", tt.client, err, tt.want)
		}
		if tt.want != "a client is required" {
			_ = tt.client.Close()
		}
	}
}

// S103: a name appears in logs; an SDK key must not.
func TestANameMustNotContainTheSDKKey(t *testing.T) {
	_, err := New(Config{SDKKeys: []SDKKey{{Name: "my " + testKey, Key: testKey}}})
	if err == nil || !strings.Contains(err.Error(), "the Name contains the SDK key") || strings.Contains(err.Error(), testKey) {
		t.Errorf("got %v", err)
	}
}

// A leader without a Logger logs warnings and errors to the default one. A leader with a
// Logger logs everything to it.
func TestALeaderWithoutALoggerLogsWarningsToTheDefault_S100(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	client := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true, MaxRetries: -1}) // no command is sent
	defer client.Close()
	for name, logger := range map[string]*slog.Logger{"default": nil, "discard": slog.New(slog.DiscardHandler)} {
		log := new(syncbuffer.Buffer)
		slog.SetDefault(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		l, err := New(Config{Redis: client, SDKKeys: []SDKKey{{Key: testKey}}, Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		l.log.Info(eventRights, "one")
		l.log.Warn(eventListen, "two")
		l.set.Load().electors[0].log().Info(eventRights, "three")
		l.set.Load().electors[0].log().Error(eventNoRights, "four")
		text := log.String()
		for _, event := range []string{"one", "two", "three", "four"} {
			want := logger == nil && (event == "two" || event == "four")
			if strings.Contains(text, event) != want {
				t.Errorf("%s: %s, want %v:\n%s", name, event, want, text)
			}
		}
	}
}
