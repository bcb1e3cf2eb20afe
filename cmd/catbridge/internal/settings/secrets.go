package settings

import (
	"strings"
)

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
	if l.usesWebhooks() {
		l.webhookSecrets(nil, &s.Defaults)
	}
	l.readable()
}

func (l *loader) keySecrets(k *SDKKey) {
	if k.path == "" {
		return // from flags or the environment
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
	if l.usesWebhooks() {
		l.webhookSecrets(k, k)
	}
}

// usesWebhooks reports whether the command accepts webhooks. catbridge serve does so only on request, because
// it may share a file with leaders without their secrets.
func (l *loader) usesWebhooks() bool {
	return l.Part&LeaderOnly != 0 || l.Part&ServeOnly != 0 && l.s.Serve.Webhooks
}

// webhookSecrets adds the signing keys from files and variables to those in the settings. All
// of them are valid, which allows rotation. If k is nil, the settings are the common ones.
func (l *loader) webhookSecrets(k, to *SDKKey) {
	for _, path := range to.webhookKeyFiles {
		text, ok := l.readFile(k, "webhook_key_files", path)
		list := lines(text)
		if ok && len(list) == 0 {
			l.say(k, "webhook_key_files", "%s contains no key", path)
		}
		for _, line := range list {
			to.WebhookKeys = append(to.WebhookKeys, line.text)
		}
	}
	if to.webhookKeysEnv != "" {
		to.WebhookKeys = append(to.WebhookKeys, split(l.named(k, "webhook_keys_env", to.webhookKeysEnv))...)
	}
}

func (l *loader) named(k *SDKKey, path, variable string) string {
	value := l.variable(variable)
	if value == "" {
		l.say(k, path, "$%s is not set", variable)
	}
	return value
}

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

type numbered struct {
	number int
	text   string
}

// lines returns the lines that are not empty; # starts a comment.
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
