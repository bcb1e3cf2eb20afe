package settings

// minEventKey is the smallest length of a key that signs the URIs of event streams.
const minEventKey = 32

// eventKeys reads a file with a key per line. Faults do not show the key.
func (l *loader) eventKeys(path, text string) {
	list := lines(text)
	for _, line := range list {
		if len(line.text) < minEventKey {
			l.say(nil, "serve.event_key_file", "%s:%d: a key has %d or more characters: write one with openssl rand -hex 32", path, line.number, minEventKey)
			continue
		}
		l.s.Serve.EventKeys = append(l.s.Serve.EventKeys, []byte(line.text))
	}
	if len(list) == 0 {
		l.say(nil, "serve.event_key_file", "%s contains no key", path)
	}
}
