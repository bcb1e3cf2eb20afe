package settings

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/hostname"
	"github.com/catbridge/catbridge/leader"
)

// checkRedis checks the settings of Redis together, and the files that they name.
func (l *loader) checkRedis() {
	s := l.s
	for _, path := range []string{s.CDN.CAFile, s.Redis.PasswordFile, s.Redis.TLS.CAFile, s.Redis.TLS.CertFile, s.Redis.TLS.KeyFile} {
		if path != "" {
			s.Files = append(s.Files, path)
		}
	}
	given := s.Redis
	if len(given.Addresses) == 0 && given.Socket == "" {
		tried := l.tried(pathRedisURL, "redis.addresses", "redis.socket")
		if !l.OptionalRedis && (!tried || len(l.faults) == 0) {
			l.faults.add("", "no Redis: give --redis or $CATBRIDGE_REDIS_URL, such as redis://localhost:6379")
		}
		if l.OptionalRedis || tried { // an invalid URL may give the other settings
			return
		}
		given.Addresses = []string{"localhost:6379"} // to check the other settings
	}
	var err error
	s.RedisOptions, err = redisurl.New(given)
	// These files are read for each connection. The hash needs only whether they are valid.
	l.seen.Write(fmt.Appendln(nil, err))
	for _, err := range unjoin(err) {
		if field, ok := err.(*redisurl.FieldError); ok { //nolint:errorlint // all are
			l.say(nil, "redis."+field.Name, "%s", field.Text)
		} else {
			l.faults.add("", "%v", err)
		}
	}
}

// checkLeader has the leader check its configuration: first the settings common to all SDK
// keys, then each SDK key by itself, to find the setting that each error belongs to.
func (l *loader) checkLeader() {
	s := l.s
	client := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	defer client.Close()
	common := s.LeaderConfig()
	common.Redis = client
	// checkKeys has checked the SDK keys. A valid one in their place hides no other error.
	anyKey := strings.Repeat("x", 22) + "/" + strings.Repeat("x", 22)
	common.SDKKeys = []leader.SDKKey{{Key: anyKey}}
	if len(s.SDKKeys) == 0 { // check the settings that SDK keys would inherit
		var k SDKKey
		k.inherit(s.Defaults)
		common.SDKKeys[0] = k.forLeader()
		common.SDKKeys[0].Name, common.SDKKeys[0].Key = "any", anyKey
	}
	reported := map[string]bool{}
	_, err := leader.New(common)
	l.seen.Write(fmt.Appendln(nil, err)) // includes cdn.ca_file: see checkRedis
	for _, err := range unjoin(err) {
		reported[err.Error()] = true
		l.leaderFault(err, nil)
	}
	for i := range s.SDKKeys {
		one, key := common, s.SDKKeys[i].forLeader()
		key.Name, key.Key = "any", anyKey
		one.SDKKeys = []leader.SDKKey{key}
		_, err := leader.New(one)
		for _, err := range unjoin(err) {
			if !reported[err.Error()] {
				l.leaderFault(err, &s.SDKKeys[i])
			}
		}
	}
	l.checkEnvironmentProxy()
	l.checkServer()
}

// checkEnvironmentProxy checks the proxy in $HTTPS_PROXY and $HTTP_PROXY, unless proxy_url is
// given.
func (l *loader) checkEnvironmentProxy() {
	if l.s.ProxyURL != "" {
		return
	}
	base, err := url.Parse(cmp.Or(l.s.Defaults.BaseURL, "https://cdn-global.configcat.com"))
	if err != nil {
		return // already reported
	}
	if _, err := cdn.ProxyFor("", base); err != nil {
		l.faults.add("", "%v", err)
	}
}

var (
	wrappings  = regexp.MustCompile(`^(leader|cdn|SDKKeys\[\d+\]): `)
	fieldName  = regexp.MustCompile(`^(Timings: )?([A-Z][A-Za-z]*)(\[\d+\])?:? `)
	timingName = regexp.MustCompile(`\b(LeaseDuration|RenewInterval|RenewDeadline|RetryPeriod|Idle|Dead|PollInterval)\b`)
)

func (l *loader) leaderFault(err error, k *SDKKey) {
	text := err.Error()
	for wrappings.MatchString(text) {
		text = wrappings.ReplaceAllString(text, "")
	}
	m := fieldName.FindStringSubmatch(text)
	switch {
	case m == nil && k != nil:
		l.faults.add(k.where, "%s: %s", k.path, text)
	case m == nil:
		l.faults.add("", "%s", text)
	case m[1] != "":
		l.say(k, "timings."+snake(m[2]), "%s", timingName.ReplaceAllStringFunc(strings.TrimPrefix(text, m[1]), snake))
	default:
		l.say(k, settingOf(m[2]), "%s", strings.TrimPrefix(text, m[0]))
	}
}

func settingOf(field string) string {
	switch field {
	case "CAFile":
		return "cdn.ca_file"
	case "HistoryEntries":
		return "history.entries"
	case "HistoryBytes":
		return "history.bytes"
	}
	return snake(field)
}

// wordStart matches the start of a word in a field's name, except the first.
var wordStart = regexp.MustCompile(`([a-z])([A-Z])|([A-Z])([A-Z][a-z])`)

// snake returns a field's name in the form of settings: http_timeout for HTTPTimeout.
func snake(name string) string {
	return strings.ToLower(wordStart.ReplaceAllString(name, "${1}${3}_${2}${4}"))
}

// checkHosts checks the host names of both servers.
func (l *loader) checkHosts() {
	for _, host := range l.s.HTTPHosts {
		if !hostname.Valid(host) {
			l.say(nil, "http_hosts", "%s is not a host name: write it without scheme, port and path", quote(host))
		}
	}
}

// checkServer checks the settings that the leader does not receive.
func (l *loader) checkServer() {
	s := l.s
	if s.Listen != "" {
		l.checkAddress("listen", s.Listen)
	} else if !l.tried("listen") {
		for i := range s.SDKKeys {
			if len(s.SDKKeys[i].WebhookKeys) > 0 && !s.Serve.Webhooks {
				s.Warnings = append(s.Warnings, "webhook keys are given, but there is no HTTP server: set listen")
				break
			}
		}
		if s.Pprof {
			s.Warnings = append(s.Warnings, "pprof is on, but there is no HTTP server: set listen")
		}
	}
	l.checkUI()
	if e := s.Tracing.Endpoint; e != "" {
		if u, err := url.Parse(e); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			l.say(nil, "tracing.endpoint", "it is not the URL of a receiver: write http://host:4318")
		}
	}
}

// unjoin returns the parts of a joined error, also if it is wrapped.
func unjoin(err error) []error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if joined, ok := inner.(interface{ Unwrap() []error }); ok { // every layer is looked at
			var all []error
			for _, part := range joined.Unwrap() {
				all = append(all, unjoin(part)...)
			}
			return all
		}
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
