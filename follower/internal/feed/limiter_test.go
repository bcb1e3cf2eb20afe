package feed

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnectLimiter(t *testing.T) {
	const slow = time.Second
	acquire := func(t *testing.T, limiter *connectLimiter, n int) (releases []func()) {
		t.Helper()
		for range n {
			end, err := limiter.acquire(t.Context(), slow)
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, end)
		}
		return releases
	}
	releaseAll := func(releases []func()) {
		for _, end := range releases {
			end()
			end()
		}
	}
	waits := func(t *testing.T, limiter *connectLimiter) (free func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			end, err := limiter.acquire(ctx, slow)
			if err == nil {
				end()
			}
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("no wait: %v", err)
		default:
		}
		return func() {
			cancel()
			<-done
		}
	}
	synctest.Test(t, func(t *testing.T) {
		limiter := newConnectLimiter()
		releases := acquire(t, limiter, initialSlots)
		giveUp := waits(t, limiter)
		giveUp()
		if limiter.waiting.Len() != 0 || limiter.inUse != initialSlots {
			t.Errorf("%d wait and %d are taken after one gave up", limiter.waiting.Len(), limiter.inUse)
		}
		// A caller waits while connections are made quickly: the limit may rise.
		giveUp = waits(t, limiter)
		releaseAll(releases)
		giveUp()
		if limiter.limit != initialSlots+1 {
			t.Errorf("%d at once after quick ones", limiter.limit)
		}
		// Connections that are slow at the same time count once.
		for want := limiter.limit / 2; want > minSlots; want /= 2 {
			releases = acquire(t, limiter, limiter.limit)
			time.Sleep(2 * slow)
			releaseAll(releases)
			if limiter.limit != want {
				t.Fatalf("%d at once after slow ones, want %d", limiter.limit, want)
			}
		}
		for range 5 {
			releases = acquire(t, limiter, limiter.limit)
			time.Sleep(2 * slow)
			releaseAll(releases)
		}
		if limiter.limit != minSlots || limiter.inUse != 0 {
			t.Errorf("%d at once, %d taken", limiter.limit, limiter.inUse)
		}
		for range 3 * maxSlots {
			releases = acquire(t, limiter, limiter.limit)
			giveUp = waits(t, limiter)
			releaseAll(releases)
			giveUp()
		}
		if limiter.limit != maxSlots || limiter.inUse != 0 {
			t.Errorf("%d at once, %d taken", limiter.limit, limiter.inUse)
		}
	})
}
