package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	adapter "github.com/catbridge/catbridge/examples/adapters/go"
	"github.com/catbridge/catbridge/internal/configserver"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// place is where a fleet keeps its entry: a namespace, empty for none, in a database.
type place struct {
	server    *redistest.Process
	namespace string
	db        int
}

func (p place) String() string { return fmt.Sprintf("namespace %q, database %d", p.namespace, p.db) }

// url returns the URL of the Redis, with the database.
func (p place) url() string { return p.server.URL() + "/" + strconv.Itoa(p.db) }

func (p place) client(t *testing.T) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(p.url())
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// entryKey returns the entry's key, written as the adapters must build it.
func (p place) entryKey() string {
	if p.namespace == "" {
		return cacheKey
	}
	return p.namespace + ":" + cacheKey
}

// reader reads through an adapter at a place.
type reader struct {
	// version returns the version of the config, and its fetch time in Unix ms.
	version func(t *testing.T) (version, fetchTime int64)
	// write makes the adapter write what an official SDK would after its own fetch.
	write func(t *testing.T)
}

// adapters start the adapters of examples/adapters that can run here.
var adapters = map[string]func(t *testing.T, p place) reader{
	"node": nodeAdapter, "python": pythonAdapter, "go": goAdapter,
}

// TestAdaptersReadALeadersEntries starts four fleets with one SDK key on one Redis, in
// different namespaces and databases. Each adapter must read the entry of its own fleet,
// and its changes.
func TestAdaptersReadALeadersEntries(t *testing.T) {
	server := redistest.Start(t)
	for i, p := range []place{{server, "", 0}, {server, "shop", 0}, {server, "", 3}, {server, "shop", 3}} {
		cdn := fakecdn.New()
		for range i * 10 { // so that no two fleets ever have the same version
			cdn.Publish()
		}
		_, refresh := startLeaderIn(t, p.client(t), p.namespace, cdn)
		p.await(t, cdn.Config())
		for name, start := range adapters {
			t.Run(fmt.Sprintf("%s, %v", name, p), func(t *testing.T) {
				reads := start(t, p)
				p.requireRead(t, reads, cdn.Version())
				cdn.Publish()
				refresh()
				p.await(t, cdn.Config())
				p.requireRead(t, reads, cdn.Version())
			})
		}
	}
}

// TestAdaptersNeverWrite would fail for an adapter that stores what the SDK passes to it:
// only the leader writes the entry.
func TestAdaptersNeverWrite(t *testing.T) {
	server := redistest.Start(t)
	for name, start := range adapters {
		t.Run(name, func(t *testing.T) {
			p := place{server, "shop", 3}
			client := p.client(t)
			entry := cachekeys.Entry{FetchTime: 1_790_000_000_000, ETag: `"1"`, JSON: fakecdn.Config{Version: 1}.JSON()}
			want := string(entry.Append(nil))
			if err := client.Set(t.Context(), p.entryKey(), want, 0).Err(); err != nil {
				t.Fatal(err)
			}
			start(t, p).write(t)
			requireBytes(t, client.Get(t.Context(), p.entryKey()).Val(), want)
			if keys := client.Keys(t.Context(), "*").Val(); len(keys) != 1 {
				t.Errorf("keys %q, want the entry alone", keys)
			}
		})
	}
}

// TestTheNodeAdapterDoesNotWaitForRedis stops Redis while its connections stay open. An evaluation
// must end, with the config in memory.
func TestTheNodeAdapterDoesNotWaitForRedis(t *testing.T) {
	server := redistest.Start(t)
	p := place{server, "", 0}
	cdn := fakecdn.New()
	startLeaderIn(t, p.client(t), p.namespace, cdn)
	p.await(t, cdn.Config())
	sdk := startSDK(t, p.url(), "--timeout", "5000")
	want := versionOf(sdk.first(t))
	server.Pause(t)
	resumed := time.AfterFunc(time.Minute, func() { server.Resume(t) }) // ends an evaluation that waits
	r := sdk.next(t)
	if !resumed.Stop() {
		t.Error("the evaluation waited for Redis")
	}
	if errors := strings.Join(r.Errors, "; "); !strings.Contains(errors, "Redis did not answer within 5000 ms") {
		t.Errorf("the official SDK says %q", errors)
	}
	if have := versionOf(r); have != want {
		t.Errorf("version %v, want %v: the config in memory", have, want)
	}
	server.Resume(t)
	if r := sdk.next(t); len(r.Errors) > 0 || versionOf(r) != want {
		t.Errorf("after Redis is back: %+v", r)
	}
}

// requireRead checks the version that an adapter reads, with the fetch time in Redis.
func (p place) requireRead(t *testing.T, r reader, want int64) {
	t.Helper()
	version, fetchTime := r.version(t)
	entry, err := cachekeys.ParseEntry([]byte(p.client(t).Get(t.Context(), p.entryKey()).Val()))
	if err != nil {
		t.Fatal(err)
	}
	if version != want || fetchTime != entry.FetchTime {
		t.Errorf("version %d of %d, want version %d of %d", version, fetchTime, want, entry.FetchTime)
	}
}

// await waits until the entry has a config.
func (p place) await(t *testing.T, config fakecdn.Config) {
	t.Helper()
	client := p.client(t)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		entry, err := cachekeys.ParseEntry([]byte(client.Get(t.Context(), p.entryKey()).Val()))
		if err == nil && string(entry.JSON) == string(config.JSON()) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v: the entry does not have version %d", p, config.Version)
		}
	}
}

// nodeAdapter returns a reader that uses the official SDK.
func nodeAdapter(t *testing.T, p place) reader {
	var sdk *officialSDK
	return reader{
		version: func(t *testing.T) (int64, int64) {
			var r reading
			if sdk == nil {
				sdk = startSDK(t, p.url(), "--namespace", p.namespace)
				r = sdk.first(t)
			} else {
				r = sdk.next(t)
			}
			if len(r.Errors) > 0 {
				t.Errorf("the official SDK says %q", r.Errors)
			}
			return int64(versionOf(r)), r.FetchTime
		},
		write: func(t *testing.T) { // online, it stores what its CDN serves
			cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				configserver.Answer(w, r, fakecdn.Config{Version: 2}.JSON(), `"2"`)
			}))
			defer cdn.Close()
			r := startSDK(t, p.url(), "--namespace", p.namespace, "--base-url", cdn.URL).first(t)
			if r.Refresh == nil || !r.Refresh.OK || len(r.Errors) > 0 {
				t.Errorf("asking the CDN gave %+v", r)
			}
		},
	}
}

// pythonAdapter returns a reader that uses a script instead of the SDK.
func pythonAdapter(t *testing.T, p place) reader {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		missing.Skip(t, "python3 is missing: install the Debian package python3 (%v)", err)
	}
	at, err := url.Parse(p.url())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "adapter.py", at.Hostname(), at.Port(), strconv.Itoa(p.db), p.namespace)
	script := startLines(t, cmd)
	call := func(t *testing.T, order map[string]string) (value *string) {
		t.Helper()
		if err := json.NewEncoder(script.in).Encode(order); err != nil || !script.lines.Scan() {
			t.Fatalf("the script ended: %v, %v\n%s", err, script.lines.Err(), script.stderr)
		}
		answer := struct{ Value **string }{&value}
		if err := json.Unmarshal(script.lines.Bytes(), &answer); err != nil {
			t.Fatalf("%q: %v", script.lines.Text(), err)
		}
		return value
	}
	return reader{
		version: func(t *testing.T) (int64, int64) {
			value := call(t, map[string]string{"get": cacheKey})
			if value == nil {
				t.Fatal("the adapter found no entry")
			}
			return versionIn(t, []byte(*value))
		},
		write: func(t *testing.T) {
			if value := call(t, map[string]string{"get": strings.Repeat("0", len(cacheKey))}); value != nil {
				t.Errorf("a key that does not exist gives %q, want None", *value)
			}
			call(t, map[string]string{"set": cacheKey, "value": "1\n2\n{}"})
		},
	}
}

// goAdapter returns a reader that uses the interface ConfigCache of the official SDK for
// Go.
func goAdapter(t *testing.T, p place) reader {
	t.Helper()
	opened, err := adapter.New(p.client(t), p.namespace)
	if err != nil {
		t.Fatal(err)
	}
	var cache interface {
		Get(ctx context.Context, key string) ([]byte, error)
		Set(ctx context.Context, key string, value []byte) error
	} = opened
	return reader{
		version: func(t *testing.T) (int64, int64) {
			value, err := cache.Get(t.Context(), cacheKey)
			if err != nil {
				t.Fatal(err)
			}
			return versionIn(t, value)
		},
		write: func(t *testing.T) {
			if err := cache.Set(t.Context(), cacheKey, []byte("1\n2\n{}")); err != nil {
				t.Error(err)
			}
		},
	}
}

// versionIn returns the version and the fetch time of an entry.
func versionIn(t *testing.T, value []byte) (version, fetchTime int64) {
	t.Helper()
	entry, err := cachekeys.ParseEntry(value)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		F map[string]struct{ V struct{ I int64 } }
	}
	if err := json.Unmarshal(entry.JSON, &config); err != nil {
		t.Fatal(err)
	}
	return config.F[fakecdn.VersionFlag].V.I, entry.FetchTime
}
