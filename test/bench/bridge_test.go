package bench_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

const (
	sdkKey   = "configcat-sdk-1/BENCHMARKS-00000000000/1234567890123456789012"
	hookName = "main"
	hookKey  = "configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88="
	// fetchGap is slightly longer than the minimum time between two fetches of a leader.
	fetchGap = 1050 * time.Millisecond
)

// bridge is a CDN, a Redis and a leader with a webhook, in this process.
type bridge struct {
	t      testing.TB
	cdn    *origin
	server *server
	leader *leader.Leader
	hook   *httptest.Server
	hooks  uint64
}

// startBridge starts a bridge with a content of the given size, and waits until it is in
// Redis.
func startBridge(t testing.TB, s *server, size int, change func(*leader.Config)) *bridge {
	t.Helper()
	b := &bridge{t: t, cdn: startOrigin(t, size), server: s}
	cfg := leader.Config{
		Redis:   s.client(t),
		SDKKeys: []leader.SDKKey{{Name: hookName, Key: sdkKey, BaseURL: b.cdn.URL, WebhookKeys: []string{hookKey}}},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if b.leader, err = leader.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.leader.Run(ctx) })
	mux := http.NewServeMux()
	mux.Handle("POST /hook/{name}", b.leader.WebhookHandler())
	b.hook = httptest.NewServer(mux)
	t.Cleanup(func() {
		b.hook.Close()
		cancel()
		running.Wait()
	})
	until(t, "the leader has written the content", func() bool { return b.leader.Stats().Keys[0].Commits > 0 })
	return b
}

// call sends a signed webhook and returns the status of the answer; 0: no answer.
func (b *bridge) call() int {
	b.hooks++
	id, at := fmt.Sprintf("%032x", b.hooks), strconv.FormatInt(time.Now().Unix(), 10)
	body := []byte(`{"action":"save"}`)
	mac := hmac.New(sha256.New, []byte(hookKey))
	_, _ = io.WriteString(mac, id+at+string(body))
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.hook.URL+"/hook/"+hookName, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("X-ConfigCat-Webhook-ID", id)
	request.Header.Set("X-ConfigCat-Webhook-Timestamp", at)
	request.Header.Set("X-ConfigCat-Webhook-Signature-V1", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	answer, err := b.hook.Client().Do(request)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// follow starts a follower on a Redis client. The follower ends with the test.
func follow(t testing.TB, client redis.UniversalClient) *follower.Client {
	t.Helper()
	c := openFollower(t, client)
	t.Cleanup(c.Close)
	return c
}

// openFollower is follow without the cleanup, which would keep the follower in memory until
// the end of the test.
func openFollower(t testing.TB, client redis.UniversalClient) *follower.Client {
	t.Helper()
	c, err := follower.New(follower.Config{SDKKey: sdkKey, Redis: client, MaxInitWait: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// versionOf evaluates the flag whose value is the version. Without a config it returns 0.
func versionOf(c *follower.Client) int64 {
	if c.CacheState() == follower.NoFlagData {
		return 0 // an evaluation would log an error
	}
	return int64(c.GetIntValue(bench.VersionFlag, 0, nil))
}

// closeAll closes all followers at once: one after the other, thousands take long.
func closeAll(clients []*follower.Client) {
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(c.Close)
	}
	group.Wait()
}
