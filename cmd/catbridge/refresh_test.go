package main

import (
	"runtime"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/redistest"
)

// Lock and meta may have any size. refresh uses no memory for more than the limits.
func TestRefreshReadsNoMoreThanTheLimits(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	huge := strings.Repeat("x", 32<<20)
	client.Set(t.Context(), keys.Lock, huge, 0)
	client.HSet(t.Context(), keys.Meta, "etags", huge)
	var errs strings.Builder
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	code := run(t.Context(), []string{"refresh", "--sdk-key", testKey, "--redis", "redis://" + server.Addr(), "--timeout", "5s"}, strings.NewReader(""), &strings.Builder{}, &errs)
	runtime.ReadMemStats(&after)
	if code != exitFailure || !strings.Contains(errs.String(), "the CDN did not answer in time") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d bytes allocated", took)
	}
}
