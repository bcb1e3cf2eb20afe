package hook

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxKeys bounds the work for a forged request.
	maxKeys = 8
	// ConfigCat's signing keys have 59 characters.
	minKeyBytes, maxKeyBytes = 16, 256
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

// CheckKeys checks the signing keys of an SDK key, and its name if there are any. Its error
// contains no signing key.
func CheckKeys(name string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	var errs []error
	if !validName.MatchString(name) {
		errs = append(errs, errors.New("WebhookKeys: the Name is part of the webhook's URL: it must have 1 to 128 letters, digits, _, - or ., "+
			"and must not begin with a dot"))
	}
	if len(keys) > maxKeys {
		errs = append(errs, fmt.Errorf("WebhookKeys: %d keys, want at most %d", len(keys), maxKeys))
	}
	for i, key := range keys {
		switch {
		case len(key) < minKeyBytes || len(key) > maxKeyBytes:
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: %d characters, want %d to %d", i, len(key), minKeyBytes, maxKeyBytes))
		case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: white space, or a character that is not printable ASCII", i))
		case slices.Contains(keys[:i], key):
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: duplicate signing key", i))
		}
	}
	return errors.Join(errs...)
}
