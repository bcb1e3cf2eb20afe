package settings

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// readable warns of files with secrets that every user of this machine can read.
func (l *loader) readable() {
	if runtime.GOOS == "windows" {
		return
	}
	secret := slices.Clone(l.s.Files)
	if l.document != nil && !l.document.holdsSecrets() {
		secret = slices.DeleteFunc(secret, func(path string) bool { return path == l.document.name })
	}
	for _, path := range []string{l.s.Redis.PasswordFile, l.s.Redis.TLS.KeyFile} {
		if path != "" && l.Part&Redis != 0 {
			secret = append(secret, path)
		}
	}
	for _, path := range secret {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o004 != 0 {
			l.s.Warnings = append(l.s.Warnings, fmt.Sprintf("%s holds secrets, but every user of this machine can read it: run chmod o-r", path))
		}
	}
}

// holdsSecrets reports whether the file itself contains secrets.
func (d *document) holdsSecrets() bool {
	for _, path := range []string{"redis.password", "redis.sentinel_password", "webhook_keys"} {
		if _, ok := d.values[path]; ok {
			return true
		}
	}
	for _, path := range []string{pathRedisURL, "base_url", "proxy_url", "tracing.endpoint"} {
		if slices.ContainsFunc(d.values[path], holdsPassword) {
			return true
		}
	}
	return slices.ContainsFunc(d.keys, func(k SDKKey) bool {
		_, key := k.origin["key"]
		_, webhook := k.origin["webhook_keys"]
		return key || webhook || holdsPassword(k.BaseURL)
	})
}

// holdsPassword reports whether a URL contains a password. In an invalid URL, the part before
// an @ may be one.
func holdsPassword(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return strings.Contains(address, "@")
	}
	password, _ := u.User.Password()
	return password != ""
}

// replaced warns if a flag or variable replaces the SDK keys in the file. The settings of
// those keys are ignored, too.
func (l *loader) replaced() {
	if l.document == nil || len(l.document.keys) == 0 {
		return
	}
	for _, path := range []string{pathKeys, pathKeyFile} {
		if where := l.s.origin[path]; isFlagOrVariable(where) {
			l.s.Warnings = append(l.s.Warnings, fmt.Sprintf(
				"%s replaces the %d SDK key(s) of sdk_keys in %s, with their names and settings: give the SDK keys in one place",
				where, len(l.document.keys), l.s.File))
		}
	}
}

// otherVariables matches variables with the prefix that do not give a setting: those of the
// project's own tests and builds.
var otherVariables = regexp.MustCompile(`^CATBRIDGE_(REQUIRE_ALL|CONFORMANCE|VULN|CLOCK_OFFSET|BENCH_CHILD|TEST_.*|(REDIS|REDIS8|VALKEY)_SERVER)$`)

// serviceLink matches the variables that Kubernetes sets in pods for a Service whose name
// starts with catbridge.
var serviceLink = regexp.MustCompile(`^CATBRIDGE_(.*_)?(SERVICE_HOST=|SERVICE_PORT(_[^=]*)?=[0-9]+$|PORT=[a-z]+://|PORT_[0-9]+_[A-Z]+(_(PROTO|PORT|ADDR))?=)`)

// unknownVariables warns of variables with the prefix that are not settings and that no
// setting names.
func (l *loader) unknownVariables() {
	names, nowOf := []string{configVariable}, map[string]string{}
	for _, set := range l.table {
		names = append(names, set.variable())
		for _, old := range set.oldNames() {
			names, nowOf[set.as(old).variable()] = append(names, set.as(old).variable()), set.variable()
		}
	}
	if l.Variables == 0 {
		return
	}
	named := l.namedVariables()
	for _, entry := range l.Environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || trimNewlines(value) == "" || slices.Contains(names, name) || slices.Contains(named, name) ||
			otherVariables.MatchString(name) || serviceLink.MatchString(entry) {
			continue
		}
		text := fmt.Sprintf("unknown variable $%s", name)
		if set := l.flagOf(name); set != nil {
			text += "; did you mean $" + set.assignment() + "?"
		} else if near := similar(strings.TrimPrefix(name, prefix), trimmed(names), 2); near != "" {
			text += "; did you mean $" + cmp.Or(nowOf[prefix+near], prefix+near) + "?"
		} else {
			text += ": it has no effect"
		}
		l.s.Warnings = append(l.s.Warnings, text)
	}
}

// namedVariables returns the variables that settings name, such as redis.password_env.
func (l *loader) namedVariables() []string {
	names := []string{l.m.passwordEnv, l.m.sentinelPasswordEnv, l.s.Defaults.webhookKeysEnv}
	keys := l.s.SDKKeys
	if l.document != nil { // the command may not use SDK keys, or others replace them
		keys = append(slices.Clone(keys), l.document.keys...)
	}
	for _, k := range keys {
		names = append(names, k.keyEnv, k.webhookKeysEnv)
	}
	return names
}

// flagOf returns the setting whose flag has the words of a variable, such as --fast for
// $CATBRIDGE_FAST, or nil.
func (l *loader) flagOf(variable string) *setting {
	if i := slices.IndexFunc(l.table, func(s *setting) bool { return Variable(s.flagName()) == variable }); i >= 0 {
		return l.table[i]
	}
	return nil
}

func trimmed(names []string) []string {
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = strings.TrimPrefix(name, prefix)
	}
	return short
}
