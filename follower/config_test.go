package follower

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestInvalidConfigsAreRefusedWithAReason(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = client.Close() })
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	t.Cleanup(func() { _ = ring.Close() })
	for name, test := range map[string]struct {
		change func(*Config)
		want   []string
	}{
		"no SDK key":          {func(c *Config) { c.SDKKey = "" }, []string{"SDK key is empty"}},
		"bad SDK key":         {func(c *Config) { c.SDKKey = "abc" }, []string{"form of an SDK key"}},
		"no Redis":            {func(c *Config) { c.Redis = nil }, []string{"Config.Redis: a client is required"}},
		"nil client":          {func(c *Config) { c.Redis = (*redis.Client)(nil) }, []string{"nil *redis.Client"}},
		"nil cluster":         {func(c *Config) { c.Redis = (*redis.ClusterClient)(nil) }, []string{"nil *redis.ClusterClient"}},
		"a ring":              {func(c *Config) { c.Redis = ring }, []string{"*redis.Ring", "want a *redis.Client"}},
		"negative":            {func(c *Config) { c.Timings.Ack = -time.Second }, []string{"Timings.Ack", "-1s"}},
		"without end":         {func(c *Config) { c.Timings.MetaReread = math.MaxInt64 }, []string{"Timings.MetaReread", "24h"}},
		"below a millisecond": {func(c *Config) { c.Timings.Poll = time.Microsecond }, []string{"Timings.Poll", "1µs"}},
		"idle beyond dead":    {func(c *Config) { c.Timings.Idle = 10 * time.Second }, []string{"Timings.Idle (10s)", "Timings.Dead (10s)"}},
		"poll beyond re-read": {func(c *Config) { c.Timings.Poll = 2 * time.Minute }, []string{"Timings.Poll (2m0s)", "MetaReread (1m0s)"}},
		"backoff reversed":    {func(c *Config) { c.Timings.BackoffMin = time.Minute }, []string{"BackoffMin (1m0s)", "BackoffMax (5s)"}},
		"online and offline":  {func(c *Config) { c.Online, c.Offline = true, true }, []string{"Config.Online", "Config.Offline"}},
		"unknown mode":        {func(c *Config) { c.PollingMode = 9 }, []string{"PollingMode(9)", "Subscribe, AutoPoll, Lazy or Manual"}},
		"nothing to read":     {func(c *Config) { c.Redis, c.PollingMode = nil, AutoPoll }, []string{"Config.Redis: a client is required"}},
		"a proxy's key (S3)":  {func(c *Config) { c.SDKKey = "configcat-proxy/x" }, []string{"needs a base URL"}},
		"bad base URL (S4)":   {func(c *Config) { c.BaseURL = "ftp://x" }, []string{"BaseURL", "http or https"}},
		"bad proxy (S7)":      {func(c *Config) { c.ProxyURL = "x" }, []string{"ProxyURL"}},
		"two proxies (S7)":    {func(c *Config) { c.ProxyURL, c.Transport = "http://p", http.DefaultTransport }, []string{"ProxyURL", "Transport"}},
		"timeout (S8)":        {func(c *Config) { c.ConnectTimeout = -1 }, []string{"ConnectTimeout"}},
		"HTTP timeout (S8)":   {func(c *Config) { c.HTTPTimeout = -time.Second }, []string{"HTTPTimeout: -1s is negative"}},
		"governance (S10)":    {func(c *Config) { c.DataGovernance = 7 }, []string{"DataGovernance"}},
		"several at once":     {func(c *Config) { *c = Config{Timings: Timings{Ack: -1}} }, []string{"SDK key", "Redis", "Ack"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Config{SDKKey: testSDKKey, Redis: client}
			test.change(&cfg)
			c, err := New(cfg)
			if c != nil || err == nil || !strings.HasPrefix(err.Error(), "follower: ") {
				t.Fatalf("%v, %v", c, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestTimingProfilesAreValid(t *testing.T) {
	for name, timings := range map[string]Timings{"zero": {}, "default": DefaultTimings(), "fast": FastTimings()} {
		complete, err := timings.complete()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "fast" && complete != DefaultTimings() {
			t.Errorf("%s: %+v", name, complete)
		}
	}
}
