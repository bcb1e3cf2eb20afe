package settings

import (
	"slices"
	"strings"
)

// Part is a set of settings that a command reads from flags and the environment.
type Part uint

// The parts. A file is always checked as a whole.
const (
	SDKKeys Part = 1 << iota
	BaseURL
	Redis
	LogOutput
	Profile
	LeaderOnly
	ServeOnly

	Leader = SDKKeys | BaseURL | Redis | LogOutput | Profile | LeaderOnly
	Serve  = SDKKeys | BaseURL | Redis | LogOutput | Profile | ServeOnly
)

// setting is one setting: its name in files, and where its value is stored.
type setting struct {
	path   string
	part   Part
	value  value
	usage  string
	secret bool   // never shown, and has no flag
	live   bool   // a running process applies a change
	flag   string // if it does not follow from the path
	env    string // likewise
}

// flagName returns the setting's flag without dashes.
func (s *setting) flagName() string {
	if s.flag != "" {
		return s.flag
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(s.path)
}

func (s *setting) variable() string {
	if s.env != "" {
		return s.env
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}

// assignment returns the variable, and the value that has the effect of the flag if those of
// the variable are different.
func (s *setting) assignment() string {
	if s.path == pathProfile {
		return s.variable() + "=fast"
	}
	return s.variable()
}

const prefix = "CATBRIDGE_"

const (
	pathKeys     = "sdk_keys"
	pathKeyFile  = "sdk_key_file"
	pathRedisURL = "redis.url"
	pathProfile  = "timings.profile"
)

// exclusive are the groups of settings of which a source may give at most one.
var exclusive = [][]string{
	{pathKeys, pathKeyFile},
	{pathRedisURL, "redis.addresses", "redis.socket"},
	{"redis.password", "redis.password_file", "redis.password_env"},
	{"redis.sentinel_password", "redis.sentinel_password_file", "redis.sentinel_password_env"},
}

// more holds the settings that only set others, and are not kept in [Settings].
type more struct {
	redisURL            string
	passwordEnv         string
	sentinelFile        string
	sentinelPasswordEnv string
}

// table lists all settings, except those of single SDK keys.
func (s *Settings) table(m *more) []*setting {
	r := &s.Redis
	list := []*setting{
		{path: pathKeys, part: SDKKeys, value: listOf(new([]string)), flag: "sdk-key", env: "CATBRIDGE_SDK_KEY", secret: true,
			usage: "SDK key, `[name=]key`; may be repeated. Logs show the name instead of the key"},
		{path: pathKeyFile, part: SDKKeys, value: file(&s.keyFile), usage: "`path` of a file with SDK keys, one per line; # starts a comment"},

		{path: pathRedisURL, part: Redis, value: text(&m.redisURL), flag: "redis",
			usage: "`URL` of Redis: redis://user:password@host:port/db, rediss:// for TLS, or unix:///path; more hosts and settings as ?addr=host2:port&read_timeout=2s"},
		{path: "redis.mode", part: Redis, value: choice((*string)(&r.Mode), "single", "sentinel", "cluster"), usage: "what the addresses are: a single Redis, Sentinels or cluster nodes"},
		{path: "redis.addresses", part: Redis, value: listOf(&r.Addresses), flag: "redis-address", usage: "`host:port` of Redis, of a Sentinel or of a cluster node, instead of a URL; may be repeated"},
		{path: "redis.socket", part: Redis, value: file(&r.Socket), usage: "`path` of Redis's Unix socket, instead of a URL"},
		{path: "redis.master_name", part: Redis, value: text(&r.MasterName), usage: "`name` by which the Sentinels know the primary"},
		{path: "redis.db", part: Redis, value: integer(&r.DB), usage: "`number` of the database"},
		{path: "redis.namespace", part: Redis, value: text(&r.Namespace), usage: "`name` that separates this fleet from others with the same SDK key in the same database; must be the same for leaders and followers (default: none)"},
		{path: "redis.username", part: Redis, value: text(&r.Username), usage: "Redis `user`"},
		{path: "redis.password", part: Redis, value: text(&r.Password), secret: true, usage: "password of the Redis user"},
		{path: "redis.password_file", part: Redis, value: file(&r.PasswordFile), usage: "`path` of a file with the Redis password; read again for each connection"},
		{path: "redis.password_env", part: Redis, value: text(&m.passwordEnv), usage: "environment `variable` with the Redis password"},
		{path: "redis.sentinel_username", part: Redis, value: text(&r.SentinelUsername), usage: "Sentinel `user`"},
		{path: "redis.sentinel_password", part: Redis, value: text(&r.SentinelPassword), secret: true, usage: "password of the Sentinel user"},
		{path: "redis.sentinel_password_file", part: Redis, value: file(&m.sentinelFile), usage: "`path` of a file with the Sentinel password"},
		{path: "redis.sentinel_password_env", part: Redis, value: text(&m.sentinelPasswordEnv), usage: "environment `variable` with the Sentinel password"},
		{path: "redis.tls.enabled", part: Redis, value: boolean(&r.TLS.Enabled), flag: "redis-tls", usage: "encrypt connections to Redis, as rediss:// does"},
		{path: "redis.tls.ca_file", part: Redis, value: file(&r.TLS.CAFile), usage: "`path` of the CA certificates (PEM) to trust instead of the system's; this file and the next two are read again for each connection"},
		{path: "redis.tls.cert_file", part: Redis, value: file(&r.TLS.CertFile), usage: "`path` of the client certificate (PEM)"},
		{path: "redis.tls.key_file", part: Redis, value: file(&r.TLS.KeyFile), usage: "`path` of the client certificate's key (PEM)"},
		{path: "redis.tls.server_name", part: Redis, value: text(&r.TLS.ServerName), usage: "`name` that Redis's certificate must be valid for (default: the host of the address)"},
		{path: "redis.tls.min_version", part: Redis, value: choice(&r.TLS.MinVersion, "1.2", "1.3"), usage: "minimum TLS version"},
		{path: "redis.dial_timeout", part: Redis, value: duration(&r.DialTimeout), usage: "timeout for connecting to Redis, a `duration` (default 5s)"},
		{path: "redis.read_timeout", part: Redis, value: duration(&r.ReadTimeout), usage: "timeout for a reply from Redis, a `duration` (default 3s)"},
		{path: "redis.write_timeout", part: Redis, value: duration(&r.WriteTimeout), usage: "timeout for sending to Redis, a `duration` (default 3s)"},
		{path: "redis.conn_max_idle_time", part: Redis, value: duration(&r.ConnMaxIdleTime), usage: "`duration` after which an unused connection is closed (default 30m)"},
		{path: "redis.conn_max_lifetime", part: Redis, value: duration(&r.ConnMaxLifetime), usage: "`duration` after which a connection is closed, unless it is a subscription (default: none)"},
		{path: "redis.pool_size", part: Redis, value: integer(&r.PoolSize), usage: "maximum `number` of connections to each node (default: 10 per CPU)"},
		{path: "redis.protocol", part: Redis, value: integer(&r.Protocol), usage: "RESP `version`, 2 or 3 (default: 3 if Redis supports it)"},
	}
	list = append(list, s.Defaults.defaultsTable()...)
	list = append(list, &setting{path: pathProfile, part: Profile, value: choice(&s.Profile, "default", "fast"), flag: "fast",
		usage: "fail over, poll and detect lost connections sooner, at the cost of more commands and requests; set it for leaders and followers alike"})
	return append(list, s.leaderTable()...)
}

func (s *Settings) leaderTable() []*setting {
	t := &s.Timings
	list := []*setting{
		{path: "timings.lease_duration", value: duration(&t.LeaseDuration), usage: "`duration` after which the lock of a dead leader expires (default 15s; with --fast 6s)"},
		{path: "timings.renew_interval", value: duration(&t.RenewInterval), usage: "`duration` between two renewals of the lock, which are also the heartbeats (default 3s; with --fast 1.5s)"},
		{path: "timings.renew_deadline", value: duration(&t.RenewDeadline), usage: "`duration` without a renewal after which a leader steps down (default 10s; with --fast 4s)"},
		{path: "timings.retry_period", value: duration(&t.RetryPeriod), usage: "`duration` between two attempts to take the lock (default 2s)"},
		{path: "timings.idle", value: duration(&t.Idle), usage: "`duration` of silence after which a subscription sends a PING (default 5s; with --fast 2s)"},
		{path: "timings.dead", value: duration(&t.Dead), usage: "`duration` of silence after which a subscription is replaced (default 10s; with --fast 4s)"},
		{path: "proxy_url", part: ServeOnly, value: text(&s.ProxyURL), usage: "`URL` of an HTTP or SOCKS5 proxy to the CDN, with user and password if it requires them; use the variable to keep those out of the process list (default: from $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY)"},
		{path: "cdn.ca_file", part: ServeOnly, value: file(&s.CDN.CAFile), usage: "`path` of the CA certificates (PEM) to trust for the CDN instead of the system's; read again for each request"},
		{path: "connect_timeout", part: ServeOnly, value: duration(&s.ConnectTimeout), usage: "timeout for connecting to the CDN, a `duration` (default 10s)"},
		{path: "http_timeout", part: ServeOnly, value: duration(&s.HTTPTimeout), usage: "timeout for a whole request to the CDN, a `duration` (default 30s)"},
		{path: "expected_followers", value: integer(&s.ExpectedFollowers), usage: "`number` of followers, over which reads are spread after a change (default: the number that messages reach)"},
		{path: "subscriber_nodes", value: integer(&s.SubscriberNodes), usage: "`number` of Redis nodes that serve subscribers (default 1)"},
		{path: "read_budget", value: integer(&s.ReadBudget), usage: "`bytes` per second that all followers together may read after a change (default 50000000)"},
		{path: "history.entries", value: integer(&s.History.Entries), usage: "maximum `number` of changes in the history of each SDK key; 0: no history"},
		{path: "history.bytes", value: integer(&s.History.Bytes), usage: "maximum `bytes` of the history of each SDK key in Redis; 0: no history"},
		{path: "listen", value: text(&s.Listen), usage: "HTTP `address` for webhooks, metrics, health and status, such as :8080 (default: none)"},
		{path: "http_hosts", part: ServeOnly, value: listOf(&s.HTTPHosts), flag: "http-host", usage: "host `name` that requests for metrics, status and profiles may use, besides localhost and IP addresses; may be repeated (default: none on a loopback address, otherwise any)"},
		{path: "status", part: ServeOnly, value: boolean(&s.Status), usage: "serve /status at that address: names, states and errors, to every client that reaches it"},
		{path: "pprof", part: ServeOnly, value: boolean(&s.Pprof), usage: "serve Go profiles under /debug/pprof/ at that address"},
		{path: "ui", part: ServeOnly, value: boolean(&s.UI), usage: "serve the dashboard under /ui/ at that address: without a token only on a loopback address or a Unix socket, and there without Actions"},
		{path: "ui_token_files", live: true, value: files(&s.uiTokenFiles), flag: "ui-token-file", usage: "`path` of a file with tokens for the dashboard, one per line: " + tokenUsage + "; may be repeated"},
		{path: "ui_open_actions", value: boolean(&s.UIOpenActions), usage: "offer the dashboard's Actions without a token, too, to everybody who reaches a loopback address"},
		{path: "metrics.enabled", part: ServeOnly, value: boolean(&s.Metrics.Enabled), usage: "serve Prometheus metrics under /metrics at that address"},
		{path: "metrics.runtime", part: ServeOnly, value: boolean(&s.Metrics.Runtime), usage: "include metrics of the Go runtime and the process"},
		{path: "tracing.endpoint", value: text(&s.Tracing.Endpoint), usage: "`URL` of an OpenTelemetry receiver (OTLP over HTTP), such as http://localhost:4318; $OTEL_EXPORTER_OTLP_HEADERS and similar variables apply too (default: no traces)"},
		{path: "tracing.sample_ratio", value: ratio(&s.Tracing.SampleRatio), usage: "`fraction` of the polls to trace, 0 to 1"},
	}
	for _, l := range list {
		l.part |= LeaderOnly
	}
	list = append(list, s.Serve.table()...)
	return append(list,
		&setting{path: "log.level", part: LogOutput, live: true, value: choice(&s.Log.Level, "debug", "info", "warn", "error", "off"), usage: "lowest level to log"},
		&setting{path: "log.format", part: LogOutput, value: choice(&s.Log.Format, "auto", "json", "text"), usage: "format of log lines; auto: text on a terminal, otherwise JSON"},
	)
}

// defaultsTable lists the settings that can also be given for a single SDK key.
func (k *SDKKey) defaultsTable() []*setting {
	return []*setting{
		{path: "base_url", part: BaseURL, value: text(&k.BaseURL), usage: "`URL` of a CDN other than ConfigCat's"},
		{path: "data_governance", part: LeaderOnly | ServeOnly, value: choice(&k.DataGovernance, "global", "eu"), usage: "where ConfigCat stores the product's data; set it as on the ConfigCat dashboard"},
		{path: "poll_interval", part: LeaderOnly, value: duration(&k.PollInterval), usage: "`duration` between two polls of the CDN, 1s to 24h (default 55s; with --fast 5s)"},
		{path: "allowed_hosts", part: LeaderOnly | ServeOnly, value: listOf(&k.AllowedHosts), flag: "allowed-host", usage: "`host`, host:port or *.domain that the CDN may redirect to, besides ConfigCat's own hosts; may be repeated"},
		{path: "allow_private", part: LeaderOnly | ServeOnly, value: boolean(&k.AllowPrivate), usage: "allow the CDN to redirect to loopback and private addresses"},
		{path: "default_user", part: ServeOnly, value: listOf(&k.DefaultUser), flag: "default-user", usage: "default attribute of users whose flags serve evaluates, `NAME=VALUE`, such as Country=HU; a request overrides it; may be repeated"},
		{path: "webhook_keys", part: LeaderOnly | ServeOnly, value: listOf(&k.WebhookKeys), secret: true, usage: "signing keys of ConfigCat webhooks"},
		{path: "webhook_key_files", part: LeaderOnly | ServeOnly, value: files(&k.webhookKeyFiles), flag: "webhook-key-file", usage: "`path` of a file with signing keys of ConfigCat webhooks, one per line; may be repeated"},
		{path: "webhook_keys_env", part: LeaderOnly | ServeOnly, value: text(&k.webhookKeysEnv), usage: "environment `variable` with such signing keys, separated by commas"},
	}
}

func (k *SDKKey) table() []*setting {
	return append([]*setting{
		{path: "name", value: text(&k.Name), usage: "what logs, metrics and commands call the SDK key, and the end of its webhook's URL"},
		{path: "key", value: text(&k.Key), secret: true, usage: "the SDK key itself; better one of the next two"},
		{path: "key_file", value: file(&k.keyFile), usage: "`path` of a file with the SDK key"},
		{path: "key_env", value: text(&k.keyEnv), usage: "environment `variable` with the SDK key"},
		{path: "serve_as", value: text(&k.ServeAs), usage: "`name` under which catbridge serve serves it; two SDK keys may have one, while you rotate them"},
	}, k.defaultsTable()...)
}

// find returns the setting of that path, or nil if it does not exist.
func find(table []*setting, path string) *setting {
	if i := slices.IndexFunc(table, func(s *setting) bool { return s.path == path }); i >= 0 {
		return table[i]
	}
	return nil
}
