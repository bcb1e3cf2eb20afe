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

// maxErrorText bounds an error text from the transport, the server or the check.
const maxErrorText = 1 << 10

// redactor removes the secrets of one fetcher from text of the transport, the server and the
// check (S103). It is safe for concurrent use.
type redactor struct {
	find     func() *regexp.Regexp // nil: no secrets
	shortest int                   // length of the shortest form of a secret, in characters: a shorter text contains none
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
		// Half of a key is more than S103 allows.
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
	// Matching ignores letter case, because host names are lower-cased in transit. The expression
	// is compiled for the first long text: it is larger than a config, and there may be
	// thousands.
	find := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("(?i)" + strings.Join(forms, "|")) })
	return redactor{find, shortest}
}

func (r redactor) text(s string) string {
	if r.find == nil || utf8.RuneCountInString(s) < r.shortest {
		return s
	}
	return r.find().ReplaceAllLiteralString(s, "***")
}

// err returns err without the URL that *url.Error prints. If a secret remains anywhere in its
// chain, the result has a redacted text, truncated if it is long.
func (r redactor) err(err error) error {
	for {
		wrapped, ok := err.(*url.Error) //nolint:errorlint // only the outermost layer is removed
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
	if _, ok := err.(*url.Error); ok { //nolint:errorlint // every layer is checked
		return true
	}
	if r.find().MatchString(err.Error()) {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // every layer is checked
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
