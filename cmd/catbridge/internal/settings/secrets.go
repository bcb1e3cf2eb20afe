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
			r.Password = l.named(nil, "redis.password_env", m.passwordEnv)
		}
		if m.sentinelPasswordEnv != "" {
			r.SentinelPassword = l.named(nil, "redis.sentinel_password_env", m.sentinelPasswordEnv)
		}
		if m.sentinelFile != "" {
			r.SentinelPassword = l.line(nil, "redis.sentinel_password_file", m.sentinelFile)
		}
	}
	if l.Part&SDKKeys != 0 {
		if s.keyFile != "" {
			if text, ok := l.readFile(nil, pathKeyFile, s.keyFile); ok {
				l.parseKeyLines(text)
			}
		}
		for i := range s.SDKKeys {
			l.keySecrets(&s.SDKKeys[i])
		}
	}
	if l.Part&LeaderOnly != 0 {
		l.webhookSecrets(nil, &s.Defaults)
	}
	l.readable()
}

// keySecrets reads the secrets of an SDK key of the file.
func (l *loader) keySecrets(k *SDKKey) {
	if k.path == "" {
		return // of flags or the environment
	}
	var given []string
	for _, path := range []string{"key", "key_file", "key_env"} {
		if k.origin[path] != "" {
			given = append(given, path)
		}
	}
	switch {
	case len(given) == 0:
		l.faults.add(k.where, "%s: the SDK key is missing: give one of key, key_file, key_env", k.path)
	case len(given) > 1:
		l.faults.add(k.where, "%s: %s are given: give one of them", k.path, strings.Join(given, " and "))
		k.Key = ""
	case k.keyFile != "":
		k.Key = strings.TrimSpace(l.line(k, "key_file", k.keyFile))
	case k.keyEnv != "":
		k.Key = l.named(k, "key_env", k.keyEnv)
	}
	if l.Part&LeaderOnly != 0 {
		l.webhookSecrets(k, k)
	}
}

// webhookSecrets adds the signing keys of files and variables: all count, so that they
// can be rotated. k tells whose settings they are, nil: the common ones.
func (l *loader) webhookSecrets(k, to *SDKKey) {
	for _, path := range to.webhookKeyFiles {
		text, ok := l.readFile(k, "webhook_key_files", path)
		list := lines(text)
		if ok && len(list) == 0 {
			l.say(k, "webhook_key_files", "%s: there is no key in it", path)
		}
		for _, line := range list {
			to.WebhookKeys = append(to.WebhookKeys, line.text)
		}
	}
	if to.webhookKeysEnv != "" {
		to.WebhookKeys = append(to.WebhookKeys, split(l.named(k, "webhook_keys_env", to.webhookKeysEnv))...)
	}
}

// named gives the value of a variable that a setting names.
func (l *loader) named(k *SDKKey, path, variable string) string {
	value := l.variable(variable)
	if value == "" {
		l.say(k, path, "$%s is not set", variable)
	}
	return value
}

// line reads a file that holds one secret.
func (l *loader) line(k *SDKKey, path, file string) string {
	text, ok := l.readFile(k, path, file)
	if !ok {
		return ""
	}
	switch text = strings.TrimRight(text, "\r\n"); {
	case text == "":
		l.say(k, path, "%s is empty", file)
	case strings.ContainsAny(text, "\r\n"):
		l.say(k, path, "%s has more than one line", file)
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
