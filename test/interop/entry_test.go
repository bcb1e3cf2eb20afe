package interop

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// TestOfficialSDKReadsTheEntry writes entries as the leader does. The test spells out key
// and bytes, since the official SDKs define them (S90, S91).
func TestOfficialSDKReadsTheEntry(t *testing.T) {
	redis := redistest.Start(t)
	client := redis.Client(t, nil)
	sdk := startSDK(t, redis.URL(), "--user", staff)
	if r := sdk.first(t); r.CacheState != "NoFlagData" {
		t.Fatalf("an empty Redis gave %+v", r)
	}
	config := string(readFile(t, "testdata/flags.json"))
	fetchTime := int64(1_790_000_000_000)
	for name, c := range map[string]struct{ etag, stored string }{
		"strong ETag":   {`"68ac-5b3d"`, `"68ac-5b3d"`},
		"weak ETag":     {`W/"68ac-5b3d"`, `W/"68ac-5b3d"`},
		"no ETag":       {"", hexSHA256(config)},
		"endless ETag":  {strings.Repeat("e", 257), hexSHA256(strings.Repeat("e", 257))},
		"two-line ETag": {"one\ntwo", hexSHA256("one\ntwo")},
	} {
		t.Run(name, func(t *testing.T) {
			fetchTime++
			entry := cachekeys.Entry{FetchTime: fetchTime, ETag: c.etag, JSON: []byte(config)}
			if err := client.Set(t.Context(), cachekeys.For(sdkKey, "", 0).Entry, entry.Append(nil), 0).Err(); err != nil {
				t.Fatal(err)
			}
			have, err := client.Get(t.Context(), cacheKey).Result()
			if err != nil {
				t.Fatalf("the entry is not where official SDKs look for it: %v", err)
			}
			requireBytes(t, have, strconv.FormatInt(fetchTime, 10)+"\n"+c.stored+"\n"+config)
			requireReading(t, sdk.next(t), reading{
				CacheKeys:  []string{cacheKey},
				CacheState: "HasCachedFlagDataOnly",
				FetchTime:  fetchTime,
				Flags:      flagsOfStaff(),
				Errors:     []string{},
			})
			requireRevalidation(t, redis.URL(), c.stored)
		})
	}
}

// TestOfficialSDKReadsTheWholeEntryOrNothing shows that the script reports an unreadable
// entry.
func TestOfficialSDKReadsTheWholeEntryOrNothing(t *testing.T) {
	redis := redistest.Start(t)
	if err := redis.Client(t, nil).Set(t.Context(), cacheKey, "1790000000000\netag\n{", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := startSDK(t, redis.URL()).first(t)
	if r.CacheState != "NoFlagData" || len(r.Errors) == 0 || !strings.HasPrefix(r.Errors[0], "[2200]") {
		t.Errorf("a cut entry gave %+v", r)
	}
}

// requireRevalidation makes the official SDK ask a CDN whether the entry is current: it
// must send the entry's ETag, and keep the entry when the CDN confirms it.
func requireRevalidation(t *testing.T, redisURL, etag string) {
	t.Helper()
	etags := make(chan string, 8)
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		etags <- r.Header.Get("If-None-Match")
		w.WriteHeader(http.StatusNotModified)
	}))
	defer cdn.Close()
	r := startSDK(t, redisURL, "--user", staff, "--base-url", cdn.URL).first(t)
	if r.Refresh == nil || !r.Refresh.OK {
		t.Errorf("asking the CDN gave %+v", r)
	}
	if diff := cmp.Diff(flagsOfStaff(), r.Flags); diff != "" {
		t.Errorf("after asking the CDN (-want +have):\n%s", diff)
	}
	close(etags)
	if have := <-etags; have != etag {
		t.Errorf("the official SDK asked the CDN with ETag %q, want %q", have, etag)
	}
}

func requireBytes(t *testing.T, have, want string) {
	t.Helper()
	if have != want {
		t.Fatalf("entry %q\nwant  %q", have, want)
	}
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
