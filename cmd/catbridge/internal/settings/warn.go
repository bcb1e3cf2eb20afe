package settings

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
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
		if texts, ok := d.values[path].([]string); ok && slices.ContainsFunc(texts, holdsPassword) {
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

// lookAlikes warns of variables whose names are similar to those of settings.
func (l *loader) lookAlikes() {
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
	for _, entry := range l.Environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(names, name) {
			continue
		}
		if near := Nearest(strings.TrimPrefix(name, prefix), trimmed(names), 2); near != "" {
			l.s.Warnings = append(l.s.Warnings, fmt.Sprintf("unknown variable $%s; did you mean $%s?", name, cmp.Or(nowOf[prefix+near], prefix+near)))
		}
	}
}

func trimmed(names []string) []string {
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = strings.TrimPrefix(name, prefix)
	}
	return short
}
