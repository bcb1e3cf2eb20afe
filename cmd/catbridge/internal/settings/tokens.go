package settings

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is a credential of a client.
type Token struct {
	Secret string
	Name   string   // of the person, for the log of Actions; empty: the page asks for it
	SDKs   []string // names; empty: all
	// Origins are those whose pages may use it; empty: serve.origins alone.
	Origins []string

	Config   bool // may read configs, with all their rules
	Evaluate bool // may evaluate flags
	Stream   bool // may receive flags as server-sent events
	Refresh  bool // may ask the leader to poll
	Status   bool // may read metrics, status and profiles

	Read    bool // may look at the dashboard; Explain and Control include it
	Explain bool // may evaluate flags for a user on the dashboard
	Control bool // may put flags and pins in force on a leader's dashboard
}

// right returns the field of a right, or nil.
func (t *Token) right(name string) *bool {
	switch name {
	case "config":
		return &t.Config
	case "evaluate":
		return &t.Evaluate
	case "stream":
		return &t.Stream
	case "refresh":
		return &t.Refresh
	case "status":
		return &t.Status
	case "read":
		return &t.Read
	case "explain":
		return &t.Explain
	case "control":
		return &t.Control
	}
	return nil
}

const (
	tokenFields = "sdks=NAME,…, rights=RIGHT,…, name=WHO or origins=ORIGIN,…"
	tokenUsage  = "TOKEN [sdks=NAME,…] [rights=RIGHT,…] [name=WHO] [origins=ORIGIN,…]; " +
		"the rights are config, evaluate, stream, refresh and status, and for the dashboard read, explain and control"
)

// Applies reports whether the token is for the SDK of that name.
func (t Token) Applies(name string) bool { return len(t.SDKs) == 0 || slices.Contains(t.SDKs, name) }

// Shows reports whether the token has a right to the dashboard.
func (t Token) Shows() bool { return t.Read || t.Explain || t.Control }

// maxTokenName is the greatest length of a name, in bytes: it says in Redis who ordered something.
const maxTokenName = 64

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)

// tokens reads the files of a setting, with a token per line. Faults do not show the token.
func (l *loader) tokens(setting string, files []string) (tokens []Token) {
	for _, path := range files {
		text, ok := l.readFile(nil, setting, path)
		if !ok {
			continue
		}
		list := lines(text)
		for _, line := range list {
			token, err := l.token(strings.Fields(line.text))
			if err != nil {
				l.faults.add(fmt.Sprintf("%s:%d", path, line.number), "%v", err)
				continue
			}
			if slices.ContainsFunc(tokens, func(t Token) bool { return t.Secret == token.Secret }) {
				l.faults.add(fmt.Sprintf("%s:%d", path, line.number), "duplicate token")
			}
			tokens = append(tokens, token)
		}
		if len(list) == 0 {
			l.say(nil, setting, "%s contains no token", path)
		}
	}
	return tokens
}

func (l *loader) token(fields []string) (Token, error) {
	token := Token{Secret: fields[0], Config: true}
	if !tokenForm.MatchString(token.Secret) {
		return Token{}, errors.New("a token consists of 16 to 256 letters, digits, _ and -")
	}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		values := split(value)
		if len(values) == 0 {
			return Token{}, errors.New("expected " + tokenFields + " after the token")
		}
		switch name {
		case "sdks":
			for _, sdk := range values {
				if !slices.ContainsFunc(l.s.SDKKeys, func(k SDKKey) bool { return k.Name == sdk || k.Served() == sdk }) {
					return Token{}, fmt.Errorf("no SDK key has the name %s", quote(sdk))
				}
			}
			token.SDKs = values
		case "rights":
			token.Config = false
			for _, right := range values {
				has := token.right(right)
				if has == nil {
					return Token{}, fmt.Errorf("%s is not a right: write config, evaluate, stream, refresh, status, read, explain or control", quote(right))
				}
				*has = true
			}
		case "name":
			if len(value) > maxTokenName || !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
				return Token{}, fmt.Errorf("a name consists of at most %d bytes, all of which can be printed", maxTokenName)
			}
			token.Name = value
		case "origins":
			token.Origins = values
		default:
			return Token{}, errors.New("expected " + tokenFields + " after the token")
		}
	}
	return token, nil
}
