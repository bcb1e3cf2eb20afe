package leader

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxHookKeys bounds the work for a forged request.
	maxHookKeys = 8
	// ConfigCat's signing keys have 59 characters.
	minHookKeyBytes, maxHookKeyBytes = 16, 256
)

var hookName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

// checkHook checks the settings of the webhook. Its error contains no signing key.
func checkHook(key SDKKey) error {
	if len(key.WebhookKeys) == 0 {
		return nil
	}
	var errs []error
	if !hookName.MatchString(key.Name) {
		errs = append(errs, errors.New("WebhookKeys: the Name is part of the webhook's URL: it must have 1 to 128 letters, digits, _, - or ., "+
			"and must not begin with a dot"))
	}
	if len(key.WebhookKeys) > maxHookKeys {
		errs = append(errs, fmt.Errorf("WebhookKeys: %d keys, want at most %d", len(key.WebhookKeys), maxHookKeys))
	}
	for i, signing := range key.WebhookKeys {
		switch {
		case len(signing) < minHookKeyBytes || len(signing) > maxHookKeyBytes:
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: %d characters, want %d to %d",
				i, len(signing), minHookKeyBytes, maxHookKeyBytes))
		case strings.ContainsFunc(signing, func(r rune) bool { return r <= ' ' || r > '~' }):
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: white space, or a character that is not printable ASCII", i))
		case slices.Contains(key.WebhookKeys[:i], signing):
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: duplicate signing key", i))
		}
	}
	return errors.Join(errs...)
}
