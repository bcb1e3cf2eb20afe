package settings

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// secrets reads what stands in files and in variables of the user's own.
func (l *loader) secrets() {
	s, m, r := l.s, l.m, &l.s.Redis
	if l.Part&Redis != 0 {
		if m.passwordEnv != "" {
			r.Password = l.named("redis.password_env", m.passwordEnv)
		}
		if m.sentinelPasswordEnv != "" {
			r.SentinelPassword = l.named("redis.sentinel_password_env", m.sentinelPasswordEnv)
		}
		if m.sentinelFile != "" {
			r.SentinelPassword = l.line(s.origin["redis.sentinel_password_file"], m.sentinelFile)
		}
	}
	if l.Part&SDKKeys != 0 {
		if where := s.origin[pathKeyFile]; s.keyFile != "" {
			if text, ok := l.readFile(where, s.keyFile); ok {
				l.parseKeyLines(where, text)
			}
		}
		for i := range s.SDKKeys {
			l.keySecrets(&s.SDKKeys[i])
		}
	}
	if l.Part&LeaderOnly != 0 {
		l.webhookSecrets(&s.Defaults, s.origin)
	}
	l.readable()
}

// keySecrets reads the secrets of an SDK key of the file.
func (l *loader) keySecrets(k *SDKKey) {
	if len(k.origin) == 0 {
		return // of flags or the environment
	}
	var given []string
	for _, path := range []string{"key", "key_file", "key_env"} {
		if _, ok := k.origin[path]; ok {
			given = append(given, path)
		}
	}
	switch {
	case len(given) == 0:
		l.faults.add(k.where, "the SDK key is missing: give one of key, key_file, key_env")
	case len(given) > 1:
		l.faults.add(k.where, "%s are given: give one of them", strings.Join(given, " and "))
	case k.keyFile != "":
		k.Key = l.line(k.origin["key_file"], k.keyFile)
	case k.keyEnv != "":
		if k.Key = l.variable(k.keyEnv); k.Key == "" {
			l.faults.add(k.origin["key_env"], "$%s is not set", k.keyEnv)
		}
	}
	if l.Part&LeaderOnly != 0 {
		l.webhookSecrets(k, k.origin)
	}
}

// webhookSecrets adds the signing keys of files and variables: all count, so that they
// can be rotated.
func (l *loader) webhookSecrets(k *SDKKey, origin map[string]string) {
	for _, path := range k.webhookKeyFiles {
		if text, ok := l.readFile(origin["webhook_key_files"], path); ok {
			lines := lines(text)
			if len(lines) == 0 {
				l.faults.add(origin["webhook_key_files"], "%s: there is no key in it", path)
			}
			for _, line := range lines {
				k.WebhookKeys = append(k.WebhookKeys, line.text)
			}
		}
	}
	if k.webhookKeysEnv != "" {
		k.WebhookKeys = append(k.WebhookKeys, split(l.named("webhook_keys_env", k.webhookKeysEnv))...)
	}
}

// named gives the value of a variable that a setting names.
func (l *loader) named(path, variable string) string {
	value := l.variable(variable)
	if value == "" {
		l.faults.add(l.s.origin[path], "$%s is not set", variable)
	}
	return value
}

// line reads a file that holds one secret.
func (l *loader) line(where, path string) string {
	text, ok := l.readFile(where, path)
	if !ok {
		return ""
	}
	switch text = strings.TrimRight(text, "\r\n"); {
	case text == "":
		l.faults.add(where, "%s is empty", path)
	case strings.ContainsAny(text, "\r\n"):
		l.faults.add(where, "%s has more than one line", path)
		return ""
	}
	return text
}

// numbered is a line of a file.
type numbered struct {
	number int
	text   string
}

// lines gives the lines that hold something; # begins a comment.
func lines(text string) []numbered {
	var all []numbered
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, numbered{number, line})
		}
	}
	return all
}

// readable warns of files with secrets that everybody on this machine can read.
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
			l.s.Warnings = append(l.s.Warnings, fmt.Sprintf("%s holds secrets, but everybody on this machine can read it: chmod o-r", path))
		}
	}
}

// holdsSecrets tells whether secrets stand in the file itself.
func (d *document) holdsSecrets() bool {
	for _, path := range []string{"redis.password", "redis.sentinel_password", "webhook_keys"} {
		if _, ok := d.values[path]; ok {
			return true
		}
	}
	if url, ok := d.values[pathRedisURL].([]string); ok && strings.Contains(url[0], "@") {
		return true
	}
	return slices.ContainsFunc(d.keys, func(k SDKKey) bool {
		_, key := k.origin["key"]
		_, webhook := k.origin["webhook_keys"]
		return key || webhook
	})
}

// lookAlikes warns of variables that are nearly those of settings.
func (l *loader) lookAlikes() {
	var names []string
	for _, set := range l.table {
		names = append(names, set.variable())
	}
	names = append(names, configVariable)
	if l.Variables == 0 {
		return
	}
	for _, entry := range l.Environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(names, name) {
			continue
		}
		if near := nearest(strings.TrimPrefix(name, prefix), trimmed(names), 2); near != "" {
			l.s.Warnings = append(l.s.Warnings, fmt.Sprintf("there is no variable $%s; did you mean $%s%s?", name, prefix, near))
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
