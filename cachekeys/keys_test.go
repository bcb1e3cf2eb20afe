package cachekeys_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
)

const (
	sdkKey      = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"
	officialKey = "f83ba5d45bceb4bb704410f51b704fb6dfa19942" // its official key
)

// names returns all the names in keys, in order.
func names(keys cachekeys.Keys) []string {
	return []string{keys.Entry, keys.Lock, keys.Meta, keys.Blob, keys.Patches, keys.History, keys.Control, keys.Pinned, keys.Source, keys.Fleet, keys.Hook("1f"), keys.Events}
}

func TestNamesDeriveFromTheOfficialKey(t *testing.T) {
	for _, c := range []struct {
		namespace, k, events, scope string
		db                          int
	}{
		{"", officialKey, "events", officialKey, 0},
		{"", officialKey, "events@7", officialKey + "@7", 7},
		{"shop", "shop:" + officialKey, "events", "shop:" + officialKey, 0},
		{"shop", "shop:" + officialKey, "events@12", "shop:" + officialKey + "@12", 12},
		{"", officialKey, "events", officialKey, -1}, // go-redis then selects no database
	} {
		tag := "catbridge:{" + c.k + "}:"
		keys := cachekeys.For(sdkKey, c.namespace, c.db)
		want := []string{c.k, tag + "lock", tag + "meta", tag + "blob", tag + "patches", tag + "history", tag + "control", tag + "pinned", tag + "source", tag + "fleet", tag + "hook:1f", tag + c.events}
		if have := names(keys); !slices.Equal(have, want) {
			t.Errorf("namespace %q, database %d: %q", c.namespace, c.db, have)
		}
		if keys.Scope() != c.scope {
			t.Errorf("namespace %q, database %d: scope %s", c.namespace, c.db, keys.Scope())
		}
		for _, name := range append(names(keys), keys.Scope()) {
			for part := range strings.SplitSeq(sdkKey, "/") {
				if strings.Contains(name, part) {
					t.Errorf("%s shows a part of the SDK key (I13)", name)
				}
			}
		}
	}
}

// Redis separates the keys of databases, but not their channels.
func TestFleetsShareNoKeyAndNoChannel(t *testing.T) {
	seen := map[string]string{}
	for _, key := range []string{sdkKey, sdkKey + "x"} {
		for _, namespace := range []string{"", "a", "b", "a.b", "events", officialKey[:cachekeys.MaxNamespaceBytes]} {
			for _, db := range []int{0, 1, 2, 12} {
				keys := cachekeys.For(key, namespace, db)
				fleet := fmt.Sprintf("SDK key %s, namespace %q, database %d", key, namespace, db)
				for _, name := range names(keys) {
					if name != keys.Events {
						name = fmt.Sprintf("%d %s", db, name)
					}
					if other := seen[name]; other != "" {
						t.Errorf("%s: of %s and of %s", name, fleet, other)
					}
					seen[name] = fleet
				}
			}
		}
	}
}

func TestNamespacesAreChecked(t *testing.T) {
	for _, good := range []string{"", "a", "Shop-1.eu_west", strings.Repeat("x", cachekeys.MaxNamespaceBytes)} {
		if err := cachekeys.CheckNamespace(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{" ", "a b", "a:b", "{a}", "a\n", "ä", "*", "a@1", "a/b", "\xff", strings.Repeat("x", cachekeys.MaxNamespaceBytes+1), strings.Repeat("x", 1<<20)} {
		err := cachekeys.CheckNamespace(bad)
		if err == nil || len(err.Error()) > 400 || !strings.Contains(err.Error(), "1 to 32") {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}
