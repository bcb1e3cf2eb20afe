package settings

import (
	"slices"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/leader"
)

// Settings are what a command is told. Those that it does not ask for have their defaults.
type Settings struct {
	SDKKeys []SDKKey
	Redis   redisurl.Settings
	// RedisOptions are what clients are made of.
	RedisOptions redisurl.Options

	Profile string // of timings: default or fast
	Timing  leader.Timing

	ProxyURL          string
	CDN               CDN
	ConnectTimeout    time.Duration
	ReadTimeout       time.Duration
	ExpectedFollowers int
	SubscriberNodes   int
	ReadBudget        int64

	Listen    string // empty: nothing listens
	HTTPHosts []string
	Status    bool
	Pprof     bool
	Metrics   Metrics
	Tracing   Tracing
	Log       Log

	// Defaults holds what an SDK key has that says nothing else itself.
	Defaults SDKKey

	// File is the configuration file's path; empty: there is none.
	File string
	// Files are all files that were read, to watch for changes.
	Files []string
	// Pipes are those among them that can be read just once.
	Pipes []string
	// Read is a hash of what was read from them.
	Read string
	// Warnings are what is allowed, but hardly meant.
	Warnings []string

	keyFile string // of SDK keys, one a line
	origin  map[string]string
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

	keyFile, keyEnv string
	webhookKeyFiles []string
	webhookKeysEnv  string
	path            string // sdk_keys[1] in a file; empty: of flags or the environment
	where           string
	origin          map[string]string
}

// CDN says whom to trust on the way to it.
type CDN struct {
	CAFile string // PEM certificates to trust instead of the system's
}

// Metrics say what is measured, where something listens.
type Metrics struct {
	Enabled bool
	Runtime bool // of Go and of the process
}

// Tracing says where traces go.
type Tracing struct {
	Endpoint    string // URL of an OTLP receiver over HTTP; empty: none
	SampleRatio float64
}

// Log says what is logged, and how.
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
		Tracing:  Tracing{SampleRatio: 1},
		Log:      Log{Level: "info", Format: "auto"},
		Defaults: SDKKey{DataGovernance: "global"},
		origin:   map[string]string{},
	}
}

// Fast tells whether the fast profile is chosen.
func (s *Settings) Fast() bool { return s.Profile == "fast" }

// complete puts the profile's durations where none is given.
func (s *Settings) complete() {
	t := leader.DefaultTiming()
	if s.Fast() {
		t = leader.FastTiming()
	}
	for _, d := range []struct{ dst, def *time.Duration }{
		{&s.Timing.LeaseDuration, &t.LeaseDuration}, {&s.Timing.RenewInterval, &t.RenewInterval}, {&s.Timing.RenewDeadline, &t.RenewDeadline},
		{&s.Timing.RetryPeriod, &t.RetryPeriod}, {&s.Timing.Idle, &t.Idle}, {&s.Timing.Dead, &t.Dead},
		{&s.Defaults.PollInterval, &t.PollInterval},
	} {
		if *d.dst == 0 {
			*d.dst = *d.def
		}
	}
	s.Timing.PollInterval = t.PollInterval
	for i := range s.SDKKeys {
		s.SDKKeys[i].inherit(s.Defaults)
	}
}

// inherit takes from the defaults what the key does not say itself.
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
	if !given("webhook_keys") && !given("webhook_key_files") && !given("webhook_keys_env") {
		k.WebhookKeys = slices.Clone(d.WebhookKeys)
	}
}
