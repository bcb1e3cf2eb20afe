package ui

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
)

// tokens are the credentials in effect. They do not change.
type tokens []credential

// credential is a token without its secret.
type credential struct {
	hash   [sha256.Size]byte // of the secret
	key    []byte            // signs the sessions of the token
	viewer viewer            // without a key
}

// newTokens returns the tokens that have a right to the dashboard.
func newTokens(list []Token, acts bool) tokens {
	var known tokens
	for _, t := range list {
		v := viewer{name: t.Name, sdks: slices.Clone(t.SDKs)}
		if t.Read || t.Explain || t.Control {
			v.rights = rightRead
		}
		if t.Explain {
			v.rights |= rightExplain
		}
		if t.Control && acts {
			v.rights |= rightControl
		}
		if v.rights != 0 {
			hash := sha256.Sum256([]byte(t.Secret))
			v.credential = "token " + hex.EncodeToString(hash[:])
			known = append(known, credential{hash, mac([]byte(t.Secret), "dashboard session"), v})
		}
	}
	return known
}

// find returns the credential of a secret, or nil. It compares with all, in constant time.
func (t tokens) find(secret string) *credential {
	given, found := sha256.Sum256([]byte(secret)), -1
	for i := range t {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(given[:], t[i].hash[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &t[found]
}

// mac returns the authenticator of a purpose and a value.
func mac(key []byte, purpose string, value ...byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write(value)
	return h.Sum(nil)
}
