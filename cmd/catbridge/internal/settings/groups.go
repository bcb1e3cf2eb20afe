package settings

import "strings"

// GroupAnnotation is the annotation of flags that names their group in help.
const GroupAnnotation = "catbridge_group"

// VariableAnnotation is the annotation of flags whose variable is the result of [Variable],
// and is therefore not part of their usage.
const VariableAnnotation = "catbridge_variable"

// Variable returns the environment variable that follows from a flag's name.
func Variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Groups returns the groups of flags, in the order of help. A command's own flags have no
// group.
func Groups() []string {
	return []string{"SDK keys", "Redis", "TLS to Redis", "Connections to Redis", "CDN", "Timings", "History", "Serving", "Webhooks, metrics and health", "Dashboard", "Traces", "Log"}
}

func (s *setting) group() string {
	for _, g := range []struct{ group, prefixes string }{
		{"SDK keys", "sdk_key"},
		{"TLS to Redis", "redis.tls."},
		{"Connections to Redis", "redis.dial redis.read redis.write redis.conn redis.pool redis.protocol expected_ subscriber_ read_budget"},
		{"Redis", "redis."},
		{"Timings", "timings."},
		{"History", "history."},
		{"Webhooks, metrics and health", "webhook listen http_hosts status pprof metrics."},
		{"Dashboard", "ui"},
		{"Serving", "serve. default_user"},
		{"Traces", "tracing."},
		{"Log", "log."},
	} {
		for prefix := range strings.FieldsSeq(g.prefixes) {
			if strings.HasPrefix(s.path, prefix) {
				return g.group
			}
		}
	}
	return "CDN"
}
