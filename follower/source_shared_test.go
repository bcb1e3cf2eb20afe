package follower

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// S13, S42: a fresh entry written by others saves the request, even if its content is the one that
// the client fetched itself some time ago.
func TestAFreshEntryOfTheSameContentSavesTheRequest_S42(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := cdnAt(5)
				c := n.ready(t, online(cdn), polling(mode, 0))
				wantVersion(t, c, 5)
				wantRequests(t, cdn, 1)
				for range 20 { // an official SDK
					e := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: `"x"`, JSON: cdn.Config().JSON()}
					if err := n.Set(cachekeys.For(testSDKKey, "", 0).Entry, string(e.Append(nil))); err != nil {
						t.Fatal(err)
					}
					time.Sleep(29 * time.Second)
					wantVersion(t, c, 5)
				}
				wantRequests(t, cdn, 1)
			})
		})
	}
}

// A shared Cache saves the request in the same way.
func TestAFreshValueOfTheCacheSavesTheRequest_S42(t *testing.T) {
	for _, mode := range []PollingMode{AutoPoll, Lazy} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn, cache := cdnAt(5), new(memoryCache)
				c := n.ready(t, online(cdn), withCache(cache), polling(mode, 0))
				wantVersion(t, c, 5)
				for range 20 {
					e := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: `"x"`, JSON: cdn.Config().JSON()}
					if err := cache.Set(t.Context(), cachekeys.For(testSDKKey, "", 0).Entry, e.Append(nil)); err != nil {
						t.Fatal(err)
					}
					time.Sleep(29 * time.Second)
					wantVersion(t, c, 5)
				}
				wantRequests(t, cdn, 1)
			})
		})
	}
}
