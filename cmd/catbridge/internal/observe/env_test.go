package observe_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/follower"
	_ "github.com/catbridge/catbridge/internal/testenv/bubble"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

const testKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// environment is a Redis, a CDN, a leader and a follower that reports, with an Observer of them.
type environment struct {
	*testing.T
	server   redistest.Server
	cdn      *fakecdn.CDN
	leader   *leader.Leader
	client   *follower.Client
	link     *redistest.Link // of the Observer
	redis    *redis.Client   // likewise
	observer *observe.Observer
	stop     func() // ends the Observer, and waits
}

// virtually runs a test in virtual time.
func virtually(t *testing.T, test func(e *environment)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(start(t, redistest.Virtual(t))) })
}

func start(t *testing.T, server redistest.Server) *environment {
	t.Helper()
	e := &environment{T: t, server: server, cdn: fakecdn.New(), link: new(redistest.Link)}
	var err error
	e.leader, err = leader.New(leader.Config{
		Redis: server.Client(t, nil), Transport: e.cdn, SDKKeys: []leader.SDKKey{{Name: "shop", Key: testKey, BaseURL: "http://cdn.test"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.run(func(ctx context.Context) error { return e.leader.Run(ctx) })
	e.client, err = follower.New(follower.Config{SDKKey: testKey, Redis: server.Client(t, nil), FleetReport: 5 * time.Second, FleetName: "web-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.client.Close)
	<-e.client.Ready()
	e.redis = server.Client(t, e.link)
	e.observer, err = observe.New(observe.Config{Redis: e.redis, Leader: e.leader.Stats})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.observer.SetTargets([]observe.Target{{Label: "shop", Key: testKey, Client: e.client}}); err != nil {
		t.Fatal(err)
	}
	e.stop = e.run(e.observer.Run)
	return e
}

// run runs something in a goroutine. stop ends it and waits.
func (e *environment) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(e.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			e.Error(err)
		}
	})
	e.Cleanup(stop)
	return stop
}

// wait lets virtual time pass.
func (e *environment) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (e *environment) view() *observe.View { return e.observer.View("shop") }

// refresh makes the leader poll, and fails the test if it cannot.
func (e *environment) refresh() {
	e.Helper()
	if err := e.leader.RequestRefresh(e.Context(), "shop"); err != nil {
		e.Fatal(err)
	}
}
