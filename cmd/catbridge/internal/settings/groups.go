package settings

import "strings"

// GroupAnnotation is the flags' annotation that names the group that help lists them in.
const GroupAnnotation = "catbridge_group"

// VariableAnnotation is the annotation of flags whose variable is that of [Variable], so
// that their usage need not say it.
const VariableAnnotation = "catbridge_variable"

// Variable is the environment variable that follows from a flag's name.
func Variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Groups are the groups of flags, in the order of help. Flags of no group are a command's own.
func Groups() []string {
	return []string{"SDK keys", "Redis", "TLS to Redis", "Connections to Redis", "CDN", "Timings", "Webhooks, metrics and health", "Traces", "Log"}
}

// group is the setting's.
func (s *setting) group() string {
	for _, g := range []struct{ group, prefixes string }{
		{"SDK keys", "sdk_key"},
		{"TLS to Redis", "redis.tls."},
		{"Connections to Redis", "redis.dial redis.read redis.write redis.conn redis.pool redis.protocol expected_ subscriber_ read_budget"},
		{"Redis", "redis."},
		{"Timings", "timings."},
		{"Webhooks, metrics and health", "webhook listen status pprof metrics."},
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
