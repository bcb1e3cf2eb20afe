package settings

import (
	"slices"
	"strings"
)

// Part is a set of settings that a command takes from flags and environment.
type Part uint

// The parts. What stands in a file is always checked as a whole.
const (
	SDKKeys Part = 1 << iota
	BaseURL
	Redis
	LogOutput
	Profile
	LeaderOnly

	Leader = SDKKeys | BaseURL | Redis | LogOutput | Profile | LeaderOnly // all of them
)

// setting is one setting: its name in files, and where its value goes.
type setting struct {
	path   string
	part   Part
	value  value
	usage  string
	secret bool   // shown nowhere, and without a flag
	flag   string // where it does not follow from the path
	env    string // likewise
}

// flagName is the setting's flag without dashes.
func (s *setting) flagName() string {
	if s.flag != "" {
		return s.flag
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.path)
}

// variable is the setting's environment variable.
func (s *setting) variable() string {
	if s.env != "" {
		return s.env
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}

const prefix = "CATBRIDGE_"

const (
	pathKeys     = "sdk_keys"
	pathKeyFile  = "sdk_key_file"
	pathRedisURL = "redis.url"
	pathProfile  = "timings.profile"
)

// exclusive are settings of which a source gives one at most.
var exclusive = [][]string{
	{pathKeys, pathKeyFile},
	{pathRedisURL, "redis.addresses", "redis.socket"},
	{"redis.password", "redis.password_file", "redis.password_env"},
	{"redis.sentinel_password", "redis.sentinel_password_file", "redis.sentinel_password_env"},
}

// more holds what is not kept: other ways to say something.
type more struct {
	redisURL            string
	passwordEnv         string
	sentinelFile        string
	sentinelPasswordEnv string
}

// table lists all settings, but for those of single SDK keys.
func (s *Settings) table(m *more) []*setting {
	r := &s.Redis
	list := []*setting{
		{path: pathKeys, part: SDKKeys, value: listOf(new([]string)), flag: "sdk-key", env: "CATBRIDGE_SDK_KEY", secret: true,
			usage: "SDK key, `[name=]key`; may be repeated. The name stands for the key in logs"},
		{path: pathKeyFile, part: SDKKeys, value: file(&s.keyFile), usage: "`path` of a file with SDK keys, one a line, # begins a comment"},

		{path: pathRedisURL, part: Redis, value: text(&m.redisURL), flag: "redis",
			usage: "`URL` of Redis: redis://user:password@host:port/db, rediss:// for TLS, unix:///path; further hosts and settings as ?addr=host2:port&read_timeout=2s"},
		{path: "redis.mode", part: Redis, value: choice((*string)(&r.Mode), "single", "sentinel", "cluster"), usage: "what the addresses are: one Redis, Sentinels or nodes of a cluster"},
		{path: "redis.addresses", part: Redis, value: listOf(&r.Addresses), flag: "redis-address", usage: "`host:port` of Redis, of a Sentinel or of a cluster's node, instead of a URL; may be repeated"},
		{path: "redis.socket", part: Redis, value: file(&r.Socket), usage: "`path` of a Unix socket of Redis, instead of a URL"},
		{path: "redis.master_name", part: Redis, value: text(&r.MasterName), usage: "`name` that Sentinels know the primary by"},
		{path: "redis.db", part: Redis, value: integer(&r.DB), usage: "`number` of the database"},
		{path: "redis.namespace", part: Redis, value: text(&r.Namespace), usage: "`name` that keeps this fleet apart from others with the same SDK key in the same database; the same for leaders and followers (default: none)"},
		{path: "redis.username", part: Redis, value: text(&r.Username), usage: "`user` of Redis"},
		{path: "redis.password", part: Redis, value: text(&r.Password), secret: true, usage: "the user's password"},
		{path: "redis.password_file", part: Redis, value: file(&r.PasswordFile), usage: "`path` of a file with the password for Redis, read anew for each connection"},
		{path: "redis.password_env", part: Redis, value: text(&m.passwordEnv), usage: "`variable` with the password for Redis"},
		{path: "redis.sentinel_username", part: Redis, value: text(&r.SentinelUsername), usage: "`user` of the Sentinels"},
		{path: "redis.sentinel_password", part: Redis, value: text(&r.SentinelPassword), secret: true, usage: "the Sentinels' password"},
		{path: "redis.sentinel_password_file", part: Redis, value: file(&m.sentinelFile), usage: "`path` of a file with the Sentinels' password"},
		{path: "redis.sentinel_password_env", part: Redis, value: text(&m.sentinelPasswordEnv), usage: "`variable` with the Sentinels' password"},
		{path: "redis.tls.enabled", part: Redis, value: boolean(&r.TLS.Enabled), flag: "redis-tls", usage: "encrypt connections to Redis, as rediss:// does"},
		{path: "redis.tls.ca_file", part: Redis, value: file(&r.TLS.CAFile), usage: "`path` of the certificates (PEM) to trust instead of the system's; this file and the next two are read anew for each connection"},
		{path: "redis.tls.cert_file", part: Redis, value: file(&r.TLS.CertFile), usage: "`path` of the certificate (PEM) to show to Redis"},
		{path: "redis.tls.key_file", part: Redis, value: file(&r.TLS.KeyFile), usage: "`path` of that certificate's key (PEM)"},
		{path: "redis.tls.server_name", part: Redis, value: text(&r.TLS.ServerName), usage: "`name` that the certificate of Redis is to be for (default: the address's host)"},
		{path: "redis.tls.min_version", part: Redis, value: choice(&r.TLS.MinVersion, "1.2", "1.3"), usage: "least TLS version"},
		{path: "redis.dial_timeout", part: Redis, value: duration(&r.DialTimeout), usage: "most that connecting to Redis may take, a `duration` (default 5s)"},
		{path: "redis.read_timeout", part: Redis, value: duration(&r.ReadTimeout), usage: "most that an answer of Redis may take, a `duration` (default 3s)"},
		{path: "redis.write_timeout", part: Redis, value: duration(&r.WriteTimeout), usage: "most that sending to Redis may take, a `duration` (default 3s)"},
		{path: "redis.conn_max_idle_time", part: Redis, value: duration(&r.ConnMaxIdleTime), usage: "age at which unused connections are closed, a `duration` (default 30m)"},
		{path: "redis.conn_max_lifetime", part: Redis, value: duration(&r.ConnMaxLifetime), usage: "age at which all connections but subscriptions are closed, a `duration` (default: none)"},
		{path: "redis.pool_size", part: Redis, value: integer(&r.PoolSize), usage: "`number` of connections to each node at most (default: 10 for each CPU)"},
		{path: "redis.protocol", part: Redis, value: integer(&r.Protocol), usage: "`version` of the protocol, 2 or 3 (default 3, if Redis speaks it)"},
	}
	list = append(list, s.Defaults.defaultsTable()...)
	list = append(list, &setting{path: pathProfile, part: Profile, value: choice(&s.Profile, "default", "fast"), flag: "fast",
		usage: "fail over, poll and notice losses sooner, at the price of more commands and requests; for leaders and followers alike"})
	return append(list, s.leaderTable()...)
}

// leaderTable lists what only the leader asks for.
func (s *Settings) leaderTable() []*setting {
	t := &s.Timing
	list := []*setting{
		{path: "timings.lease_duration", value: duration(&t.LeaseDuration), usage: "`duration` after which a dead leader's lock runs out (default 15s; with --fast 6s)"},
		{path: "timings.renew_interval", value: duration(&t.RenewInterval), usage: "`duration` between two renewals of the lock, which are the heartbeats (default 3s; with --fast 1.5s)"},
		{path: "timings.renew_deadline", value: duration(&t.RenewDeadline), usage: "`duration` without a renewal after which a leader stops acting (default 10s; with --fast 4s)"},
		{path: "timings.retry_period", value: duration(&t.RetryPeriod), usage: "`duration` between two tries to take the lock (default 2s)"},
		{path: "timings.idle", value: duration(&t.Idle), usage: "`duration` of silence after which Redis is asked for a sign of life (default 5s; with --fast 2s)"},
		{path: "timings.dead", value: duration(&t.Dead), usage: "`duration` of silence after which a subscription is given up (default 10s; with --fast 4s)"},
		{path: "proxy_url", value: text(&s.ProxyURL), usage: "`URL` of an HTTP or SOCKS5 proxy to the CDN, with user and password if it asks for them; give those by the variable (default: by $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY)"},
		{path: "cdn.ca_file", value: file(&s.CDN.CAFile), usage: "`path` of the certificates (PEM) to trust for the CDN instead of the system's; it is read again for each request"},
		{path: "connect_timeout", value: duration(&s.ConnectTimeout), usage: "most that connecting to the CDN may take, a `duration` (default 10s)"},
		{path: "read_timeout", value: duration(&s.ReadTimeout), usage: "most that a whole request to the CDN may take, a `duration` (default 30s)"},
		{path: "expected_followers", value: integer(&s.ExpectedFollowers), usage: "`number` of followers, over which reads are spread after a change (default: as many as messages reach)"},
		{path: "subscriber_nodes", value: integer(&s.SubscriberNodes), usage: "`number` of Redis nodes that serve subscribers (default 1)"},
		{path: "read_budget", value: integer(&s.ReadBudget), usage: "`bytes` per second that followers' reads may take together after a change (default 50000000)"},
		{path: "listen", value: text(&s.Listen), usage: "`address` for webhooks, metrics, health and status over HTTP, such as :8080 (default: nothing listens)"},
		{path: "http_hosts", value: listOf(&s.HTTPHosts), flag: "http-host", usage: "`name` by which metrics, status and profiles may be asked for, besides localhost and addresses; may be repeated (default: none on a loopback address, else any)"},
		{path: "status", value: boolean(&s.Status), usage: "serve /status at that address: names, states and errors, for whoever reaches it"},
		{path: "pprof", value: boolean(&s.Pprof), usage: "serve Go's profiles under /debug/pprof/ at that address"},
		{path: "metrics.enabled", value: boolean(&s.Metrics.Enabled), usage: "serve metrics for Prometheus under /metrics at that address"},
		{path: "metrics.runtime", value: boolean(&s.Metrics.Runtime), usage: "with them, metrics of the Go runtime and of the process"},
		{path: "tracing.endpoint", value: text(&s.Tracing.Endpoint), usage: "`URL` of an OpenTelemetry receiver over HTTP, such as http://localhost:4318; $OTEL_EXPORTER_OTLP_HEADERS and the like count, too (default: no traces)"},
		{path: "tracing.sample_ratio", value: ratio(&s.Tracing.SampleRatio), usage: "`part` of the polls that is traced, 0 to 1"},
	}
	for _, l := range list {
		l.part = LeaderOnly
	}
	return append(list,
		&setting{path: "log.level", part: LogOutput, value: choice(&s.Log.Level, "debug", "info", "warn", "error", "off"), usage: "least level that is logged"},
		&setting{path: "log.format", part: LogOutput, value: choice(&s.Log.Format, "auto", "json", "text"), usage: "how log lines look; auto: text on a terminal, else JSON"},
	)
}

// defaultsTable lists the settings that an SDK key may have of its own, too.
func (k *SDKKey) defaultsTable() []*setting {
	return []*setting{
		{path: "base_url", part: BaseURL, value: text(&k.BaseURL), usage: "`URL` of a CDN other than ConfigCat's"},
		{path: "data_governance", part: LeaderOnly, value: choice(&k.DataGovernance, "global", "eu"), usage: "where the product's data is kept; as on the ConfigCat dashboard"},
		{path: "poll_interval", part: LeaderOnly, value: duration(&k.PollInterval), usage: "`duration` between two polls of the CDN, 1s to 24h (default 55s; with --fast 5s)"},
		{path: "allowed_hosts", part: LeaderOnly, value: listOf(&k.AllowedHosts), flag: "allowed-host", usage: "`host`, host:port or *.domain that the CDN may redirect to, besides ConfigCat's own; may be repeated"},
		{path: "allow_private", part: LeaderOnly, value: boolean(&k.AllowPrivate), usage: "let the CDN redirect to loopback and private addresses"},
		{path: "webhook_keys", part: LeaderOnly, value: listOf(&k.WebhookKeys), secret: true, usage: "signing keys of ConfigCat's webhooks"},
		{path: "webhook_key_files", part: LeaderOnly, value: files(&k.webhookKeyFiles), flag: "webhook-key-file", usage: "`path` of a file with signing keys of ConfigCat's webhooks, one a line; may be repeated"},
		{path: "webhook_keys_env", part: LeaderOnly, value: text(&k.webhookKeysEnv), usage: "`variable` with such keys, commas between"},
	}
}

// table lists the settings of an SDK key in a file.
func (k *SDKKey) table() []*setting {
	return append([]*setting{
		{path: "name", value: text(&k.Name)},
		{path: "key", value: text(&k.Key), secret: true},
		{path: "key_file", value: file(&k.keyFile)},
		{path: "key_env", value: text(&k.keyEnv)},
	}, k.defaultsTable()...)
}

// find gives the setting of that path; nil: there is none.
func find(table []*setting, path string) *setting {
	if i := slices.IndexFunc(table, func(s *setting) bool { return s.path == path }); i >= 0 {
		return table[i]
	}
	return nil
}
