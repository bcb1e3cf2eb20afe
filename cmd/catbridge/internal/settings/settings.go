package settings

import (
	"slices"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/leader"
)

// Settings are the settings of a command. Those that it does not use have their defaults.
type Settings struct {
	SDKKeys []SDKKey
	Redis   redisurl.Settings
	// RedisOptions create the Redis clients.
	RedisOptions redisurl.Options

	Profile string // of timings: default or fast
	Timings leader.Timings

	ProxyURL          string
	CDN               CDN
	ConnectTimeout    time.Duration
	HTTPTimeout       time.Duration
	ExpectedFollowers int
	SubscriberNodes   int
	ReadBudget        int64
	History           History

	Listen    string // empty: no HTTP server
	HTTPHosts []string
	Status    bool
	Pprof     bool
	UI        bool    // the dashboard
	UITokens  []Token // of a leader's dashboard
	// UIOpenActions offers the dashboard's Actions without a token, where it needs none.
	UIOpenActions bool

	Metrics Metrics
	Tracing Tracing
	Serve   Serving
	Log     Log

	// Defaults are the settings of SDK keys that have none of their own.
	Defaults SDKKey

	// File is the path of the configuration file; empty: no file.
	File string
	// Files are all files that were read, to watch for changes.
	Files []string
	// Pipes are those of Files that can be read only once.
	Pipes []string
	// Read is a hash of the contents of Files.
	Read string
	// Warnings describe settings that are valid but probably mistakes.
	Warnings []string

	keyFile      string // with SDK keys, one per line
	uiTokenFiles []string
	origin       map[string]string
}

// SDKKey is an SDK key with its settings.
type SDKKey struct {
	Name           string
	Key            string
	BaseURL        string
	DataGovernance string // global or eu
	PollInterval   time.Duration
	AllowedHosts   []string
	AllowPrivate   bool
	WebhookKeys    []string
	ServeAs        string   // the name under which catbridge serve serves it; empty: Name
	DefaultUser    []string // attributes of users at catbridge serve, NAME=VALUE

	keyFile, keyEnv string
	webhookKeyFiles []string
	webhookKeysEnv  string
	path            string // sdk_keys[1] in a file; empty: from flags or the environment
	where           string
	origin          map[string]string
}

// CDN configures the connections to the CDN.
type CDN struct {
	CAFile string // PEM certificates to trust instead of the system's
}

// Metrics configures /metrics, which needs Listen.
type Metrics struct {
	Enabled bool
	Runtime bool // of Go and of the process
}

// History bounds the history of each SDK key. If one of the bounds is 0, the leader keeps none.
type History struct {
	Entries int
	Bytes   int
}

// Tracing configures where traces are sent.
type Tracing struct {
	Endpoint    string // URL of an OTLP receiver over HTTP; empty: no traces
	SampleRatio float64
}

// Log configures what is logged, and how.
type Log struct {
	Level  string // debug, info, warn, error or off
	Format string // auto, json or text
}

func defaults() *Settings {
	return &Settings{
		Redis:    redisurl.Settings{Mode: redisurl.Single},
		Profile:  "default",
		Status:   true,
		Metrics:  Metrics{Enabled: true, Runtime: true},
		History:  History{Entries: 100, Bytes: 256 << 10},
		Tracing:  Tracing{SampleRatio: 1},
		Serve:    Serving{Listen: ServeListen, MaxStreams: 20_000, PerClient: 5_000, MaxConnections: 30_000},
		Log:      Log{Level: "info", Format: "auto"},
		Defaults: SDKKey{DataGovernance: "global"},
		origin:   map[string]string{},
	}
}

// Fast reports whether the fast profile is chosen.
func (s *Settings) Fast() bool { return s.Profile == "fast" }

// complete sets the durations that are not given to those of the profile.
func (s *Settings) complete() {
	t := leader.DefaultTimings()
	if s.Fast() {
		t = leader.FastTimings()
	}
	for _, d := range []struct{ dst, def *time.Duration }{
		{&s.Timings.LeaseDuration, &t.LeaseDuration}, {&s.Timings.RenewInterval, &t.RenewInterval}, {&s.Timings.RenewDeadline, &t.RenewDeadline},
		{&s.Timings.RetryPeriod, &t.RetryPeriod}, {&s.Timings.Idle, &t.Idle}, {&s.Timings.Dead, &t.Dead},
		{&s.Defaults.PollInterval, &t.PollInterval},
	} {
		if *d.dst == 0 {
			*d.dst = *d.def
		}
	}
	s.Timings.PollInterval = t.PollInterval
	for i := range s.SDKKeys {
		s.SDKKeys[i].inherit(s.Defaults)
	}
}

// inherit takes the settings that the key does not give itself from the defaults.
func (k *SDKKey) inherit(d SDKKey) {
	given := func(path string) bool { _, ok := k.origin[path]; return ok }
	if !given("base_url") {
		k.BaseURL = d.BaseURL
	}
	if !given("data_governance") {
		k.DataGovernance = d.DataGovernance
	}
	if !given("poll_interval") {
		k.PollInterval = d.PollInterval
	}
	if !given("allowed_hosts") {
		k.AllowedHosts = d.AllowedHosts
	}
	if !given("allow_private") {
		k.AllowPrivate = d.AllowPrivate
	}
	k.DefaultUser = slices.Concat(d.DefaultUser, k.DefaultUser) // those of the key follow, and override
	if !given("webhook_keys") && !given("webhook_key_files") && !given("webhook_keys_env") {
		k.WebhookKeys = slices.Clone(d.WebhookKeys)
	}
}
