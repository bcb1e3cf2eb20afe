package observe_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

func TestAViewShowsTheWholeBridge(t *testing.T) {
	virtually(t, func(e *environment) {
		defer e.observer.Watching()()
		e.wait(20 * time.Second)
		v := e.view()
		if v.Err != "" || !v.State.OK || v.State.Leader == nil || v.State.Content == nil || len(v.Advice) != 0 {
			e.Fatalf("%+v", v)
		}
		if v.Local == nil || v.Local.State != leader.StateSteady || v.Config == nil || v.Rev != v.State.Content.Rev || v.Hash != v.State.Content.Hash {
			e.Errorf("of this process: %+v, rev %d", v.Local, v.Rev)
		}
		if len(v.Followers) != 1 || v.Followers[0].Name != "web-1" || v.Followers[0].Standing != observe.Current || v.Followers[0].Reported.IsZero() {
			e.Errorf("followers %+v", v.Followers)
		}
		if len(v.History) != 1 || v.History[0].Cause != history.First || len(v.Changed) != 0 || !v.Complete || v.HistoryErr != "" {
			e.Errorf("history %+v, changed %v, complete %v, %s", v.History, v.Changed, v.Complete, v.HistoryErr)
		}
		if len(v.Spreads) != 1 || v.Spreads[0].Rev != v.History[0].Rev {
			e.Errorf("spreads %+v", v.Spreads)
		}
		if text := fmt.Sprintf("%+v %+v", *v, *v.Local); strings.Contains(text, testKey) || strings.Contains(text, "1234567890123456789012") {
			e.Error("the view contains the SDK key")
		}
		if key, ok := e.observer.Secret("shop"); key != testKey || !ok {
			e.Error("the secret is not the SDK key")
		}
		if _, ok := e.observer.Secret("none"); ok || e.observer.View("none") != nil || !slices.Equal(e.observer.Labels(), []string{"shop"}) {
			e.Error("there is an SDK key that is not configured")
		}
	})
}

func TestAChangeIsShownWithinASecondWhileSomebodyLooks(t *testing.T) {
	virtually(t, func(e *environment) {
		defer e.observer.Watching()()
		e.wait(10 * time.Second)
		before := e.view()
		e.cdn.Publish()
		e.refresh()
		for e.client.Stats().Hash == before.Hash {
			e.wait(10 * time.Millisecond)
		}
		e.wait(time.Second)
		v := e.view()
		if v.Hash != e.client.Stats().Hash || v.State.Content.Hash != v.Hash || len(v.History) != 2 {
			e.Fatalf("a second later the view has %.8s and %d versions", v.Hash, len(v.History))
		}
		newest := v.History[0]
		if newest.Cause != history.Refresh || !newest.Known || len(newest.Changes) == 0 || newest.Why != "" {
			e.Errorf("%+v", newest)
		}
		if c, ok := v.Changed[fakecdn.VersionFlag]; !ok || c.Rev != newest.Rev || c.Cause != history.Refresh || !c.Time.Equal(newest.Time) {
			e.Errorf("the flag changed at %+v", c)
		}
		if _, ok := v.Changed[fakecdn.RolloutFlag]; ok || !v.Complete {
			e.Errorf("a flag that did not change is among %v", v.Changed)
		}
		// The follower reports how long it took within half of its interval, but at least 5 s apart.
		e.wait(10 * time.Second)
		spreads := e.view().Spreads
		last := spreads[len(spreads)-1]
		if len(spreads) != 2 || last.Rev != newest.Rev || last.Reported != 1 || last.Median <= 0 || last.Median != last.Last {
			e.Errorf("%+v", spreads)
		}
	})
}

// pace returns how long the looks of some time are apart.
func (e *environment) pace(d time.Duration) (least, most time.Duration) {
	end := time.Now().Add(d)
	read := e.view().Read
	for time.Now().Before(end) {
		<-e.observer.Changed()
		if next := e.view().Read; next.After(read) {
			apart := next.Sub(read)
			if least == 0 || apart < least {
				least = apart
			}
			most, read = max(most, apart), next
		}
	}
	return least, most
}

func TestLooksAreFarApartWhileNobodyLooks(t *testing.T) {
	virtually(t, func(e *environment) {
		e.wait(time.Minute)
		if least, _ := e.pace(5 * time.Minute); least < 29*time.Second {
			e.Errorf("idle, two looks are %v apart", least)
		}
		release := e.observer.Watching()
		e.wait(time.Second)
		if age := time.Since(e.view().Read); age > time.Second {
			e.Errorf("a second after somebody begins to look, the view is %v old", age)
		}
		if _, most := e.pace(5 * time.Minute); most > 5*time.Second {
			e.Errorf("watched, two looks are %v apart", most)
		}
		release()
		release()
		other := e.observer.Watching()
		defer other()
		e.wait(6 * time.Second)
		if age := time.Since(e.view().Read); age > 5*time.Second {
			e.Errorf("a release that is called twice ends another one's watch: the view is %v old", age)
		}
	})
}

func TestAChangeIsRecordedWhileNobodyLooks(t *testing.T) {
	virtually(t, func(e *environment) {
		e.wait(time.Minute)
		e.cdn.Publish()
		e.refresh()
		e.wait(2 * time.Second)
		if v := e.view(); len(v.History) != 2 || v.State.Content.Hash != e.client.Stats().Hash {
			e.Errorf("two seconds after a change the view has %d versions", len(v.History))
		}
	})
}

func TestAnErrorOfRedisIsShownAndEnds(t *testing.T) {
	virtually(t, func(e *environment) {
		defer e.observer.Watching()()
		e.wait(10 * time.Second)
		good := e.view()
		e.link.Down()
		e.wait(20 * time.Second)
		v := e.view()
		if !strings.Contains(v.Err, "Redis cannot be read: ") || !strings.Contains(v.Err, "run catbridge doctor") || strings.Contains(v.Err, testKey) {
			e.Errorf("the error is %q", v.Err)
		}
		if v.Read.Before(good.Read) || v.State.Content == nil || time.Since(v.Read) < 15*time.Second {
			e.Errorf("what was read before is gone, or said to be new: read %v ago", time.Since(v.Read))
		}
		// This process's own part needs no Redis of the observer.
		e.cdn.Publish()
		e.refresh()
		e.wait(2 * time.Second)
		if v := e.view(); v.Hash != e.client.Stats().Hash || v.Hash == good.Hash {
			e.Error("the config of this process is not shown while Redis cannot be read")
		}
		e.link.Up()
		e.wait(6 * time.Second)
		if v := e.view(); v.Err != "" || time.Since(v.Read) > 5*time.Second || len(v.History) != 2 {
			e.Errorf("after the outage: %q, read %v ago", v.Err, time.Since(v.Read))
		}
		e.wait(2 * time.Minute)
		unknown := 0
		for _, a := range e.view().Answers {
			if !a.Known {
				unknown++
			}
		}
		if n := len(e.view().Answers); n < 3 || unknown > n/2 {
			e.Errorf("%d of %d samples are unknown", unknown, n)
		}
	})
}

func TestTargetsComeAndGo(t *testing.T) {
	virtually(t, func(e *environment) {
		e.wait(10 * time.Second)
		kept := e.view()
		for _, wrong := range [][]observe.Target{
			{{Label: "", Key: testKey}}, {{Label: "a", Key: ""}}, {{Label: "a", Key: testKey}, {Label: "a", Key: testKey}},
		} {
			if e.observer.SetTargets(wrong) == nil {
				e.Errorf("%v is accepted", wrong)
			}
		}
		changed := e.observer.Changed()
		const other = "configcat-sdk-1/TEST_KEY-0123456789012/other67890123456789012"
		if err := e.observer.SetTargets([]observe.Target{{Label: "other", Key: other}, {Label: "shop", Key: testKey, Client: e.client}}); err != nil {
			e.Fatal(err)
		}
		<-changed
		if e.view() != kept || !slices.Equal(e.observer.Labels(), []string{"other", "shop"}) {
			e.Error("what is known of an SDK key that stays is gone")
		}
		if v := e.observer.View("other"); v == nil || !v.Read.IsZero() || v.Err != "" {
			e.Errorf("before its first look: %+v", v)
		}
		e.wait(time.Second)
		if v := e.observer.View("other"); v.Read.IsZero() || v.State.OK || len(v.State.Faults) == 0 || v.Local != nil || v.Config != nil {
			e.Errorf("an SDK key without anything in Redis: %+v", v)
		}
		if err := e.observer.SetTargets(nil); err != nil {
			e.Fatal(err)
		}
		e.wait(time.Minute)
		if e.view() != nil || len(e.observer.Labels()) != 0 {
			e.Error("an SDK key that was removed is still there")
		}
		if e.observer.Run(e.Context()) == nil {
			e.Error("Run may be called twice")
		}
	})
}

// While an operator's order has no effect, and when it has, the view says so.
func TestTheLocalPartIsNewWithoutALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := redistest.Virtual(t)
		var now atomic.Pointer[leader.KeyStats]
		now.Store(&leader.KeyStats{Name: "shop", State: leader.StateCandidate})
		o, err := observe.New(observe.Config{Redis: server.Client(t, nil), Leader: func() leader.Stats {
			return leader.Stats{Keys: []leader.KeyStats{*now.Load()}}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.SetTargets([]observe.Target{{Label: "shop", Key: testKey}}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.Run(ctx) }()
		defer func() { cancel(); <-done }()
		defer o.Watching()()
		time.Sleep(time.Second)
		synctest.Wait()
		now.Store(&leader.KeyStats{Name: "shop", State: leader.StateSteady, PollError: "no answer"})
		time.Sleep(time.Second)
		synctest.Wait()
		if v := o.View("shop"); v.Local.State != leader.StateSteady || len(v.Advice) != 1 || !strings.Contains(v.Advice[0], "no answer") {
			t.Errorf("%+v", v.Advice)
		}
	})
}

func TestObserverNeedsARedisAndAValidNamespace(t *testing.T) {
	if _, err := observe.New(observe.Config{}); err == nil {
		t.Error("it needs no Redis")
	}
}

// A real Redis.
func TestAChangeIsShownFromARealRedis(t *testing.T) {
	t.Parallel()
	e := start(t, redistest.Start(t))
	defer e.observer.Watching()()
	await := func(what string, is func(*observe.View) bool) {
		t.Helper()
		for {
			changed := e.observer.Changed()
			if is(e.view()) {
				return
			}
			select {
			case <-changed:
			case <-t.Context().Done():
				t.Fatalf("%s: %+v", what, e.view())
			}
		}
	}
	await("the first look", func(v *observe.View) bool { return v.State.OK && len(v.History) == 1 && v.Complete })
	e.cdn.Publish()
	e.refresh()
	await("a change", func(v *observe.View) bool {
		return len(v.History) == 2 && v.History[0].Known && v.Changed[fakecdn.VersionFlag].Rev == v.History[0].Rev
	})
	await("its spread", func(v *observe.View) bool { return len(v.Spreads) > 0 && v.Spreads[len(v.Spreads)-1].Reported == 1 })
	e.stop()
}
