package gateway

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/catbridge/catbridge/follower"
)

// namePrefix is the start of the keys that contain a name instead of an SDK key. Every official
// SDK accepts them with a custom base URL.
const namePrefix = "configcat-proxy/"

// table maps the keys in paths to configs. It is immutable. Its own keys are hashes: a look-up
// takes the same time whether a request's key resembles a valid one or not.
type table struct {
	keys  map[[sha256.Size]byte]*target
	sites []*site
}

// target is what a key selects.
type target struct {
	sites []*site // the first with a config is served
	bare  bool    // the key is a name alone
}

// checkSDKs returns an error that joins all faults of the SDKs.
func checkSDKs(sdks []SDK) error {
	var errs []error
	keys := map[string]bool{}
	names := map[string]string{} // by the key that they are in a path
	for _, sdk := range sdks {
		if sdk.Name != "" {
			names[namePrefix+sdk.Name] = sdk.Name
		}
	}
	for i, sdk := range sdks {
		err := sdk.check()
		if name, taken := names[sdk.Key]; taken && name != sdk.Name {
			err = errors.Join(err, fmt.Errorf("the Key selects the Name %q of another SDK: give this SDK the same Name, or rename the other", name))
		}
		if sdk.Key != "" && keys[sdk.Key] {
			err = errors.Join(err, errors.New("duplicate Key"))
		}
		keys[sdk.Key] = true
		if err != nil {
			errs = append(errs, fmt.Errorf("gateway: SDKs[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// newTable returns the table of SDKs without faults. It takes the sites of clients that before has,
// and makes new ones for the others.
func newTable(sdks []SDK, before *table) *table {
	t := &table{keys: map[[sha256.Size]byte]*target{}}
	existing := map[*follower.Client]*site{}
	for _, s := range before.sites {
		existing[s.client] = s
	}
	for _, sdk := range sdks {
		s := existing[sdk.Client]
		if s == nil {
			s = newSite(sdk.Client)
			existing[sdk.Client] = s
		}
		if !slices.Contains(t.sites, s) {
			t.sites = append(t.sites, s)
		}
		if sdk.Key != "" {
			t.add(sdk.Key, s, strings.HasPrefix(sdk.Key, namePrefix))
		}
		if sdk.Name != "" {
			t.add(namePrefix+sdk.Name, s, true)
		}
		for _, token := range sdk.Tokens {
			t.add(namePrefix+sdk.Name+"."+token, s, false)
		}
	}
	return t
}

func (t *table) add(key string, s *site, bare bool) {
	hash := sha256.Sum256([]byte(key))
	if t.keys[hash] == nil {
		t.keys[hash] = &target{bare: bare}
	}
	found := t.keys[hash]
	if !slices.Contains(found.sites, s) {
		found.sites = append(found.sites, s)
	}
	found.bare = found.bare && bare
}

// find returns what a key selects, or nil.
func (t *table) find(key string) *target { return t.keys[sha256.Sum256([]byte(key))] }

// site returns the site to serve: the first with a config, or else the first.
func (t *target) site() *site {
	if len(t.sites) == 1 {
		return t.sites[0]
	}
	for _, s := range t.sites {
		if c, _ := s.current(); c != nil {
			return s
		}
	}
	return t.sites[0]
}
