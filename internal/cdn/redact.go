package cdn

import (
	"encoding/base64"
	"errors"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxErrorText bounds what an error may quote of an answer.
const maxErrorText = 1 << 10

// redactor takes the secrets of one fetcher out of text that somebody else
// wrote: the transport, the server, the check (S103). Safe for concurrent use.
type redactor struct {
	find     func() *regexp.Regexp // nil: there are none
	shortest int                   // of the secrets' forms, in characters: what is shorter holds none
}

func newRedactor(sdkKey string, users ...*url.Userinfo) redactor {
	var forms []string
	shortest := math.MaxInt
	add := func(secret string) {
		if secret == "" {
			return
		}
		quoted := strconv.Quote(secret)
		for _, form := range []string{secret, escapeKey(secret), url.PathEscape(secret), url.QueryEscape(secret), quoted[1 : len(quoted)-1]} {
			forms = append(forms, regexp.QuoteMeta(form))
			shortest = min(shortest, utf8.RuneCountInString(form))
		}
	}
	add(sdkKey)
	for part := range strings.SplitSeq(sdkKey, "/") {
		// Half a key is more of it than S103 lets through.
		if len(part) > 6 && part != "configcat-sdk-1" && part != "configcat-proxy" {
			add(part)
		}
	}
	for _, user := range users {
		if password, ok := user.Password(); ok {
			add(base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password)))
			add(password)
		}
	}
	if len(forms) == 0 {
		return redactor{}
	}
	// Letter case is ignored because host names are lower-cased on their way. Compiled when the
	// first long text comes: it takes more memory than a config, and there may be thousands.
	find := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("(?i)" + strings.Join(forms, "|")) })
	return redactor{find, shortest}
}

func (r redactor) text(s string) string {
	if r.find == nil || utf8.RuneCountInString(s) < r.shortest {
		return s
	}
	return r.find().ReplaceAllLiteralString(s, "***")
}

// err gives err without the URL that *url.Error prints. If a secret is left
// anywhere in its chain, the result has a cleaned text, cut short if it is long, and matches the same
// targets by errors.Is, but what it wraps cannot be reached any more.
func (r redactor) err(err error) error {
	for {
		wrapped, ok := err.(*url.Error) //nolint:errorlint // exactly the outermost layer is to go
		if !ok || wrapped.Err == nil {
			break
		}
		err = wrapped.Err
	}
	if err == nil {
		return nil
	}
	text := err.Error()
	if len(text) <= maxErrorText && (r.find == nil || !r.leaks(err)) {
		return err
	}
	text = r.text(text)
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	}
	return &redacted{text, err}
}

func (r redactor) leaks(err error) bool {
	if _, ok := err.(*url.Error); ok { //nolint:errorlint // every layer is looked at
		return true
	}
	if r.find().MatchString(err.Error()) {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // every layer is looked at
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && r.leaks(inner)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil && r.leaks(inner) {
				return true
			}
		}
	}
	return false
}

type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string        { return e.text }
func (e *redacted) Is(target error) bool { return errors.Is(e.err, target) }
