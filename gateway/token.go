package gateway

import (
	"errors"
	"fmt"
	"regexp"
)

// Rights say what a token allows. They are combined with |, and 0 is none. Copies may change (G12).
type Rights uint8

// The rights. None includes another (G12).
const (
	RightConfig   Rights = 1 << iota // read configs, with all their rules, as official SDKs do
	RightEvaluate                    // evaluate flags and read their keys
	RightStream                      // receive the values of flags as server-sent events
	RightRefresh                     // ask the leader to poll the CDN

	allRights = RightConfig | RightEvaluate | RightStream | RightRefresh
)

// Token is a credential of clients. It is accepted as {name}.{token} where a name is, and, except for
// configs, in the headers Authorization: Bearer {token} and X-API-Key (G8, G12). [New] and
// [Gateway.SetSDKs] copy it.
type Token struct {
	// Secret has 16 to 256 letters, digits, underscores and hyphens. Required (G12).
	Secret string
	// Rights are what it allows. Without [RightConfig], as for pages in browsers, it never shows rules (G12). Required.
	Rights Rights
	// Origins are the origins whose pages may use it and read the answers, in the form of
	// [Config.Origins], in addition to those. Requests without an Origin may use it, too (G12). Empty: pages of
	// [Config.Origins] may read the answers, and the others may not.
	Origins []string
}

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)

// check returns an error that joins all faults. It does not contain the secret.
func (t *Token) check() error {
	var errs []error
	if !tokenForm.MatchString(t.Secret) {
		errs = append(errs, errors.New("the Secret does not consist of 16 to 256 letters, digits, underscores and hyphens"))
	}
	if t.Rights == 0 || t.Rights&^allRights != 0 {
		errs = append(errs, fmt.Errorf("Rights: %d are none that exist", t.Rights)) //nolint:staticcheck // a field's name
	}
	if _, err := parseOrigins(t.Origins); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
