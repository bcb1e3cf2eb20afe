package interop

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// TestOfficialSDKAndFollowerAgree makes both read the same entries from the same Redis, one
// for each config of the conformance data, and compares the values of each flag for some
// users (S15, S18, S90, S91). Configs with a roll-out matrix are evaluated for all users of
// the matrix.
func TestOfficialSDKAndFollowerAgree(t *testing.T) {
	server := redistest.Start(t)
	sdk := startSDK(t, server.URL())
	sdk.first(t)
	client, err := follower.NewClient(sdkKey, server.Client(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	<-client.Ready()

	flags, cached := 0, newCached(t, server.Client(t, nil), client)
	for name, content := range conformanceConfigs(t) {
		t.Run(name, func(t *testing.T) {
			cached.put(t, name, content)
			for _, user := range append(someUsers(), cached.matrixUsers(name)...) {
				official := sdk.nextFor(t, user.json())
				if official.FetchTime != cached.fetchTime {
					t.Fatalf("the official SDK has flags of %d, want %d", official.FetchTime, cached.fetchTime)
				}
				for key := range official.Flags {
					f := official.Flags[key]
					f.Error = "" // compared by TestDifferential, which allows for different messages
					official.Flags[key] = f
				}
				if diff := cmp.Diff(official.Flags, followerFlags(client, user.user())); diff != "" {
					t.Fatalf("%s: official SDK and follower differ (-official +follower):\n%s", user.json(), diff)
				}
				flags += len(official.Flags)
			}
		})
	}
	if flags == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d evaluations are the same", flags)
}

// cached puts configs of the conformance data in the shared cache.
type cached struct {
	redis     redis.UniversalClient
	client    *follower.Client
	fetchTime int64 // of the last config
	matrices  map[string]conformance.Matrix
}

func newCached(t testing.TB, rdb redis.UniversalClient, client *follower.Client) *cached {
	t.Helper()
	c := &cached{redis: rdb, client: client, fetchTime: 1_790_000_000_000, matrices: map[string]conformance.Matrix{}}
	for _, m := range conformance.Matrices(t) {
		c.matrices[m.Config] = m
	}
	return c
}

// put replaces the config, and lets the follower read it.
func (c *cached) put(t testing.TB, name string, content []byte) {
	t.Helper()
	c.fetchTime += 1000
	entry := cachekeys.Entry{FetchTime: c.fetchTime, ETag: name, JSON: content}
	if err := c.redis.Set(t.Context(), cacheKey, entry.Append(nil), 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.client.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// matrixUsers returns the users of the config's roll-out matrix, if it has one.
func (c *cached) matrixUsers(name string) []someone {
	m, ok := c.matrices[filepath.Base(name)]
	if !ok {
		return nil
	}
	return matrixUsers(m)
}

// conformanceConfigs reads every config JSON v6 of the conformance data, by name. It skips
// files without "f", such as simple override files.
func conformanceConfigs(t *testing.T) map[string][]byte {
	t.Helper()
	dir := conformance.Dir(t)
	configs := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".json") {
			return err
		}
		content := readFile(t, filepath.Join(dir, name))
		var config struct{ F map[string]any }
		if json.Unmarshal(content, &config) == nil && config.F != nil {
			configs[name] = content
		}
		return nil
	})
	if err != nil || len(configs) == 0 {
		t.Fatalf("no config in %s: %v", dir, err)
	}
	return configs
}

// someone is a user whose attributes are all strings; nil: no user.
type someone map[string]string

func (s someone) json() string { return jsonText(s) }

func (s someone) user() follower.User {
	if s == nil {
		return nil
	}
	u := &follower.UserData{Custom: map[string]any{}}
	for name, value := range s {
		switch name {
		case "Identifier":
			u.Identifier = value
		case "Email":
			u.Email = value
		case "Country":
			u.Country = value
		default:
			u.Custom[name] = value
		}
	}
	return u
}

func someUsers() []someone {
	return []someone{
		nil,
		{"Identifier": ""},
		{"Identifier": "12345", "Email": "jane@example.com", "Country": "HU"},
		{"Identifier": "a@configcat.com", "Email": "a@configcat.com", "Country": "Hungary", "Custom1": "admin"},
		{"Identifier": "b@configcat.com", "Email": "b@configcat.com", "Number": "5", "Version": "1.1.0"},
	}
}

func matrixUsers(m conformance.Matrix) []someone {
	users := make([]someone, 0, len(m.Rows))
	for _, row := range m.Rows {
		if row.NoUser {
			continue // in someUsers
		}
		u := someone{"Identifier": row.Identifier}
		for name, value := range map[string]*string{"Email": row.Email, "Country": row.Country, m.UserAttribute: row.Custom} {
			if value != nil {
				u[name] = *value
			}
		}
		users = append(users, u)
	}
	return users
}

// followerFlags returns the follower's evaluations in the form of the official SDK's
// script.
func followerFlags(client *follower.Client, user follower.User) map[string]flag {
	flags := map[string]flag{}
	for _, d := range client.GetAllValueDetails(user) {
		if whole, ok := d.Value.(int); ok {
			d.Value = float64(whole) // JSON has one number type
		}
		flags[d.Data.Key] = flag{Value: d.Value, VariationID: d.Data.VariationID, ErrorCode: int(d.Data.ErrorCode)}
	}
	return flags
}
