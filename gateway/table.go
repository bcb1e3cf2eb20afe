package gateway

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway/internal/ofrep"
)

// namePrefix is the start of the keys that contain a name instead of an SDK key. Every official
// SDK accepts them with a custom base URL.
const namePrefix = "configcat-proxy/"

// table maps the keys, names and tokens of requests to configs. It is immutable. Its own keys are
// hashes: a look-up takes the same time whether a request's key resembles a valid one or not.
type table struct {
	keys    map[[sha256.Size]byte]*target
	tokens  map[[sha256.Size]byte]map[string]*target // by name
	only    *target                                  // of the only name or key; nil: there are more
	served  []*sdk
	sites   []*site
	origins []*origins // of the tokens
	scopes  sync.Map   // *ofrep.Signer → map[ofrep.Scope]*scoped, made when needed
}

// target is what a key selects.
type target struct {
	sdks    []*sdk // the first with a config is served
	bare    bool   // the key is a name alone
	rights  Rights
	origins *origins // of the token; nil: the key is none
	token   string   // hash of the token; empty: the key is none
}

// sdk is an [SDK] that is served.
type sdk struct {
	*site
	scope     string // a text that differs between SDKs, and is the same in all processes
	user      *user  // the default one
	refresher *refresher
}

// checkSDKs returns an error that joins all faults of the SDKs.
func checkSDKs(sdks []SDK) error {
	var errs []error
	keys := map[string]bool{}
	tokens := map[string]*Token{}
	names := map[string]string{} // by the key that they are in a path
	paths := map[string]bool{}   // in which a token stands
	for _, sdk := range sdks {
		if sdk.Name != "" {
			names[namePrefix+sdk.Name] = sdk.Name
		}
		for _, token := range sdk.Tokens {
			paths[namePrefix+sdk.Name+"."+token.Secret] = true
		}
	}
	for i, sdk := range sdks {
		err := sdk.check()
		if name, taken := names[sdk.Key]; taken && name != sdk.Name {
			err = errors.Join(err, fmt.Errorf("the Key selects the Name %q of another SDK: give this SDK the same Name, or rename the other", name))
		}
		if paths[sdk.Key] {
			err = errors.Join(err, errors.New("the Key is a name with its token, which would have all rights: use another Key"))
		}
		if sdk.Key != "" && keys[sdk.Key] {
			err = errors.Join(err, errors.New("duplicate Key"))
		}
		keys[sdk.Key] = true
		for i := range sdk.Tokens {
			token := &sdk.Tokens[i]
			if other := tokens[token.Secret]; other != nil && (other.Rights != token.Rights || !slices.Equal(other.Origins, token.Origins)) {
				err = errors.Join(err, fmt.Errorf("Tokens[%d] has other Rights or Origins than the same token before", i)) //nolint:staticcheck // a field's name
			}
			tokens[token.Secret] = token
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("gateway: SDKs[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// newTable returns the table of SDKs without faults. It takes the sites of clients that before has,
// and makes new ones for the others.
func newTable(sdks []SDK, before *table) *table {
	t := &table{keys: map[[sha256.Size]byte]*target{}, tokens: map[[sha256.Size]byte]map[string]*target{}}
	existing := map[*follower.Client]*site{}
	for _, s := range before.sites {
		existing[s.client] = s
	}
	selected := map[string]*target{}
	for _, of := range sdks {
		s := existing[of.Client]
		if s == nil {
			s = newSite(of.Client)
			existing[of.Client] = s
		}
		if !slices.Contains(t.sites, s) {
			t.sites = append(t.sites, s)
		}
		user, _ := newUser(of.DefaultUser, nil) // checked before
		served := &sdk{site: s, scope: of.Name + "\x00" + of.Key, user: user}
		t.served = append(t.served, served)
		if of.Refresh != nil {
			served.refresher = &refresher{site: s, ask: of.Refresh}
		}
		if of.Key != "" {
			selected[cmp.Or(of.Name, of.Key)] = t.add(of.Key, served, &target{bare: strings.HasPrefix(of.Key, namePrefix), rights: allRights})
		}
		if of.Name != "" {
			selected[of.Name] = t.add(namePrefix+of.Name, served, &target{bare: true, rights: allRights})
		}
		for i := range of.Tokens {
			t.addToken(of.Name, served, &of.Tokens[i])
		}
	}
	if len(selected) == 1 {
		for _, to := range selected {
			only := *to
			only.bare = true // a request without a credential, even if the SDK has a key alone
			t.only = &only
		}
	}
	return t
}

// add adds what a key selects, like to if it is the first, and returns it.
func (t *table) add(key string, served *sdk, like *target) *target {
	hash := sha256.Sum256([]byte(key))
	if t.keys[hash] == nil {
		t.keys[hash] = like
	}
	found := t.keys[hash]
	if !slices.ContainsFunc(found.sdks, func(s *sdk) bool { return s.site == served.site }) {
		found.sdks = append(found.sdks, served)
	}
	found.bare = found.bare && like.bare
	return found
}

func (t *table) addToken(name string, served *sdk, token *Token) {
	allowed, _ := parseOrigins(token.Origins) // checked before
	hash := sha256.Sum256([]byte(token.Secret))
	to := t.add(namePrefix+name+"."+token.Secret, served, &target{rights: token.Rights, origins: &allowed, token: string(hash[:])})
	if t.tokens[hash] == nil {
		t.tokens[hash] = map[string]*target{}
	}
	t.tokens[hash][name] = to
	if !allowed.none() {
		t.origins = append(t.origins, &allowed)
	}
}

// find returns what a key selects, or nil.
func (t *table) find(key string) *target { return t.keys[sha256.Sum256([]byte(key))] }

// token returns what a token selects, by name; nil: it is not valid.
func (t *table) token(secret string) map[string]*target {
	return t.tokens[sha256.Sum256([]byte(secret))]
}

// scoped is what a signed URI selects.
type scoped struct {
	sdk *sdk
	to  *target // of the token that the URI was made for; nil: for none
}

// scopeOf returns the text of the scope of URIs for an SDK, which the target selected.
func scopeOf(of *sdk, to *target) string {
	if to == nil || to.token == "" {
		return of.scope
	}
	return of.scope + "\x00" + to.token
}

// scoped returns what a scope selects, or nil. All scopes of a signer are computed once: each open stream is
// looked up after a change.
func (t *table) scoped(signer *ofrep.Signer, scope ofrep.Scope) *scoped {
	if all, ok := t.scopes.Load(signer); ok {
		return all.(map[ofrep.Scope]*scoped)[scope]
	}
	all := map[ofrep.Scope]*scoped{}
	add := func(of *sdk, to *target) {
		for _, scope := range signer.Scopes(scopeOf(of, to)) {
			if all[scope] == nil {
				all[scope] = &scoped{of, to}
			}
		}
	}
	for _, of := range t.served {
		add(of, nil)
	}
	for _, names := range t.tokens {
		for _, to := range names {
			for _, of := range to.sdks {
				add(of, to)
			}
		}
	}
	t.scopes.Store(signer, all)
	return all[scope]
}

// serving returns the SDK to serve: the first with a config, or else the first.
func (t *target) serving() *sdk {
	if len(t.sdks) == 1 {
		return t.sdks[0]
	}
	for _, s := range t.sdks {
		if c, _ := s.current(); c != nil {
			return s
		}
	}
	return t.sdks[0]
}
