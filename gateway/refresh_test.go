package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// No request for a poll is lost, and the leader is asked at most once a second.
func TestRefreshesAreSharedAndNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		f := &refresher{site: &site{}, ask: func(context.Context) error {
			asked = append(asked, time.Now())
			return nil
		}}
		began := time.Now()
		if err := f.refresh(t.Context()); err != nil || len(asked) != 1 || !asked[0].Equal(began) {
			t.Fatalf("the first one: %v at %v", err, asked)
		}
		time.Sleep(300 * time.Millisecond)
		var group sync.WaitGroup
		var done atomic.Int64
		for range 100 {
			group.Go(func() {
				if f.refresh(t.Context()) == nil {
					done.Add(1)
				}
			})
		}
		given, giveUp := context.WithCancel(t.Context())
		giveUp()
		if err := f.refresh(given); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
		group.Wait()
		if len(asked) != 2 || done.Load() != 100 || !asked[1].Equal(began.Add(time.Second)) {
			t.Errorf("%d of 100 within the second are answered by %v", done.Load(), asked)
		}
		time.Sleep(time.Minute)
		last := time.Now()
		if err := f.refresh(t.Context()); err != nil || len(asked) != 3 || !asked[2].Equal(last) {
			t.Errorf("later: %v at %v", err, asked)
		}
	})
}

func TestTheLeaderIsAskedToPoll(t *testing.T) {
	n := 0
	var failure error
	e := start(t, func(cfg *Config) {
		cfg.SDKs[0].Refresh = func(context.Context) error { n++; return failure }
		cfg.SDKs[0].Tokens = []Token{{Secret: forShop, Rights: RightRefresh}, {Secret: evaluator, Rights: RightEvaluate}}
	})
	res := e.do(post("/api/shop/refresh", "", "X-API-Key: "+forShop))
	if want(t, res, 200); body(t, res) != "" || n != 1 {
		t.Errorf("asked %d times", n)
	}
	want(t, e.do(post("/api/shop/refresh", "", "X-API-Key: "+evaluator)), 403)
	failure = errors.New("a secret of Redis")
	res = e.do(post("/api/refresh", "", "X-ConfigCat-SdkKey: "+sdkKey))
	if want(t, res, 503, "Retry-After: 1"); body(t, res) != "the leader could not be asked to poll\n" {
		t.Error("the cause is in the answer")
	}
	want(t, start(t).do(local(post("/api/shop/refresh", ""))), 501)
}
