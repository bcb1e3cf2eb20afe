package cdn

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const proxyKeyPrefix = "configcat-proxy/"

var (
	sdkKeyForm = regexp.MustCompile(`^(configcat-sdk-1/)?.{22}/.{22}$`)
	namedForm  = regexp.MustCompile(`^[^/=]+=(configcat-sdk-1/)?.{22}/.{22}$`)
)

// CheckSDKKey returns an error unless key has one of the forms of S3. customBaseURL reports
// whether the client has its own base URL, which proxy keys require. The error contains the
// masked key.
func CheckSDKKey(key string, customBaseURL bool) error {
	switch {
	case key == "":
		return errors.New("the SDK key is empty")
	case !utf8.ValidString(key):
		return fmt.Errorf("the SDK key %q is not valid UTF-8", Mask(key))
	case sdkKeyForm.MatchString(key):
		return nil
	case namedForm.MatchString(key):
		return fmt.Errorf("the SDK key %q has a name and = before it: give the SDK key alone, "+
			"only the settings of catbridge accept a name", Mask(key))
	case !strings.HasPrefix(key, proxyKeyPrefix):
		return fmt.Errorf("the SDK key %q does not have the form of an SDK key "+
			"(22 characters, a slash, 22 characters, with configcat-sdk-1/ before it or not)", Mask(key))
	case len(key) == len(proxyKeyPrefix) || strings.Contains(key, "\n"):
		return fmt.Errorf("the SDK key %q has the prefix of a proxy, but no name after it", Mask(key))
	case !customBaseURL:
		return fmt.Errorf("the SDK key %q is for a proxy and needs a base URL", Mask(key))
	}
	return nil
}

// Mask returns the SDK key in a form for logs and errors (S103): an ellipsis and its last 6
// characters. If the key's last part is shorter than 12 characters, Mask shows only half of that
// part. For an empty key it returns an empty string.
func Mask(sdkKey string) string {
	if sdkKey == "" {
		return ""
	}
	last := []rune(sdkKey[strings.LastIndexByte(sdkKey, '/')+1:])
	return "…" + string(last[len(last)-min(6, len(last)/2):])
}
