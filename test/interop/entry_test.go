package interop

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/redistest"
)

const rev = 1_790_000_000_123 // Unix milliseconds

// TestOfficialSDKReadsTheEntry writes entries as the leader does. Their bytes are
// spelled out: what they must be is not for this project to say.
func TestOfficialSDKReadsTheEntry(t *testing.T) {
	redis := redistest.Start(t)
	client := redis.Client(t, nil)
	config := string(readFile(t, "testdata/flags.json"))
	const hashOfConfig = "23f2cc1c47cc50a9d7b4ac3c6ec9f0a8b2b0eb26c2b0c3a7d8f6bd4d1d5e3c11"
	for name, c := range map[string]struct{ etag, line string }{
		"strong ETag":   {`"68ac-5b3d"`, `"68ac-5b3d"`},
		"weak ETag":     {`W/"68ac-5b3d"`, `W/"68ac-5b3d"`},
		"no ETag":       {"", hashOfConfig},
		"endless ETag":  {strings.Repeat("e", 257), "ee"},
		"two-line ETag": {"one\ntwo", "12"},
	} {
		t.Run(name, func(t *testing.T) {
			entry := cachekeys.Entry{FetchTime: rev, ETag: c.etag, JSON: []byte(config)}
			if err := client.Set(t.Context(), cachekeys.For(sdkKey).Entry, entry.Append(nil), 0).Err(); err != nil {
				t.Fatal(err)
			}
			have, err := client.Get(t.Context(), cacheKey).Result()
			if err != nil {
				t.Fatalf("the entry is not where official SDKs look for it: %v", err)
			}
			if want := "1790000000123\n" + c.line + "\n" + config; have != want {
				t.Fatalf("entry %q\nwant  %q", have, want)
			}
			cdn := newRevalidator()
			defer cdn.Close()
			sdk := startSDK(t, redis.URL(), "--user", staff, "--base-url", cdn.URL)
			requireReading(t, sdk.first(t), reading{
				CacheKeys:  []string{cacheKey},
				CacheState: "HasCachedFlagDataOnly",
			})
		})
	}
}

// revalidator is a CDN that finds every ETag current.
type revalidator struct {
	*httptest.Server
	etags chan string
}

func newRevalidator() *revalidator {
	r := &revalidator{etags: make(chan string, 16)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.etags <- req.Header.Get("If-None-Match")
		w.WriteHeader(http.StatusNotModified)
	}))
	return r
}
