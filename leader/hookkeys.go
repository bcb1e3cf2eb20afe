package leader

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxHookKeys bounds the work that a forged request makes.
	maxHookKeys = 8
	// A signing key of ConfigCat has 59 characters.
	minHookKeyBytes, maxHookKeyBytes = 16, 256
)

var hookName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

// checkHook checks what a webhook needs. The signing keys do not show in the error.
func checkHook(key SDKKey) error {
	if len(key.WebhookKeys) == 0 {
		return nil
	}
	var errs []error
	if !hookName.MatchString(key.Name) {
		errs = append(errs, errors.New("WebhookKeys: the Name stands in the webhook's URL: it must be of letters, digits, _, - and ., "+
			"not begin with a dot, and have 1 to 128 characters"))
	}
	if len(key.WebhookKeys) > maxHookKeys {
		errs = append(errs, fmt.Errorf("WebhookKeys: %d are more than %d", len(key.WebhookKeys), maxHookKeys))
	}
	for i, signing := range key.WebhookKeys {
		switch {
		case len(signing) < minHookKeyBytes || len(signing) > maxHookKeyBytes:
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: %d characters are no signing key, which has %d to %d",
				i, len(signing), minHookKeyBytes, maxHookKeyBytes))
		case strings.ContainsFunc(signing, func(r rune) bool { return r <= ' ' || r > '~' }):
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: there is white space in it, or a character that no signing key has", i))
		case slices.Contains(key.WebhookKeys[:i], signing):
			errs = append(errs, fmt.Errorf("WebhookKeys[%d]: it is there twice", i))
		}
	}
	return errors.Join(errs...)
}
