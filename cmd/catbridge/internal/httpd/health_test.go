package httpd

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

const testKey = "configcat-sdk-1/aaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbb"

// environment runs leaders in virtual time.
type environment struct {
	*testing.T
	redis *redistest.VirtualServer
	cdn   *fakecdn.CDN
}

func inEnvironment(t *testing.T, f func(h *environment)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(&environment{t, redistest.Virtual(t), fakecdn.New()})
	})
}

// start runs a leader; stop shuts it down.
func (h *environment) start() (cfg Config, stop func()) {
	h.Helper()
	l, err := leader.New(leader.Config{
		Redis: h.redis.Client(h.T, nil), Transport: h.cdn,
		SDKKeys: []leader.SDKKey{{Name: "shop", Key: testKey, BaseURL: "http://cdn.test"}},
	})
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			h.Error(err)
		}
	}
	return Config{Leader: l, Status: true}, stop
}

func (h *environment) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want checks the answer of a path.
func (h *environment) want(cfg Config, path string, status int, body ...string) {
	h.Helper()
	w := call(h.T, cfg, "GET", path, "")
	if w.Code != status {
		h.Errorf("%s gave %d, want %d:\n%s", path, w.Code, status, w.Body)
	}
	for _, part := range body {
		if !strings.Contains(w.Body.String(), part) {
			h.Errorf("%s says nothing of %q:\n%s", path, part, w.Body)
		}
	}
}

func TestALeaderAndItsCandidateAreReady(t *testing.T) {
	inEnvironment(t, func(h *environment) {
		first, stopFirst := h.start()
		h.want(first, "/readyz", 503, "not ready")
		h.wait(time.Second)
		h.want(first, "/readyz", 200, "ready", "shop: ready, steady")
		second, stopSecond := h.start()
		h.wait(3 * time.Second)
		h.want(second, "/readyz", 200, "shop: ready, candidate")
		stopFirst()
		h.want(first, "/readyz", 503, "shop: stopped")
		h.want(first, "/healthz", 200)
		h.wait(5 * time.Second)
		h.want(second, "/readyz", 200, "shop: ready, steady")
		stopSecond()
	})
}

func TestAProcessStaysAliveDuringAnOutageOfRedis(t *testing.T) {
	inEnvironment(t, func(h *environment) {
		cfg, stop := h.start()
		h.wait(time.Minute)
		h.redis.Mini().SetError("LOADING Redis is loading the dataset in memory")
		h.wait(5 * time.Second)
		h.want(cfg, "/readyz", 200) // it may be a fail-over
		for range 12 {
			h.wait(10 * time.Second)
			h.want(cfg, "/healthz", 200, "alive")
			h.want(cfg, "/readyz", 503, "shop: Redis has not answered for", "LOADING Redis is loading")
		}
		h.redis.Mini().SetError("")
		h.wait(10 * time.Second)
		h.want(cfg, "/readyz", 200)
		stop()
	})
}

func TestWithoutTheCDNAProcessIsReadyIfThereIsAConfig(t *testing.T) {
	inEnvironment(t, func(h *environment) {
		h.cdn.Break(fakecdn.Status(http.StatusServiceUnavailable))
		first, stopFirst := h.start()
		h.wait(5 * time.Second)
		h.want(first, "/readyz", 503, "shop: leading, but no config yet: ")
		second, stopSecond := h.start()
		h.wait(5 * time.Second)
		h.want(second, "/readyz", 503, "shop: another process leads, but no config yet")
		h.cdn.Repair()
		h.wait(time.Minute)
		h.want(first, "/readyz", 200)
		h.want(second, "/readyz", 200)
		h.cdn.Break(fakecdn.Status(http.StatusServiceUnavailable))
		h.wait(time.Hour)
		h.want(first, "/readyz", 200)
		stopFirst()
		h.wait(20 * time.Second)
		h.want(second, "/readyz", 200, "shop: ready, warm")
		stopSecond()
	})
}

// One SDK key that is not ready makes the whole process unready.
func TestUnreadyReasons(t *testing.T) {
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	good := leader.KeyStats{Name: "shop", State: leader.StateCandidate, LockHolder: "X", LastContact: now.Add(-time.Second), Rev: wire.MinRev}
	for name, c := range map[string]struct {
		change func(*leader.KeyStats)
		want   string
	}{
		"candidate, another leads":         {func(*leader.KeyStats) {}, ""},
		"candidate, nobody leads":          {func(k *leader.KeyStats) { k.LockHolder = "" }, "no known leader"},
		"candidate, no config":             {func(k *leader.KeyStats) { k.Rev = 0 }, "no config yet"},
		"steady":                           {func(k *leader.KeyStats) { k.State = leader.StateSteady }, ""},
		"steady, the CDN fails":            {func(k *leader.KeyStats) { k.State, k.PollError = leader.StateSteady, "503" }, ""},
		"warm, with a config":              {func(k *leader.KeyStats) { k.State, k.LockHolder = leader.StateWarm, "" }, ""},
		"warm, without":                    {func(k *leader.KeyStats) { k.State, k.Rev, k.PollError = leader.StateWarm, 0, "503" }, "no config yet: 503"},
		"stopped":                          {func(k *leader.KeyStats) { k.State = leader.StateStopped }, "stopped"},
		"never reached":                    {func(k *leader.KeyStats) { k.LastContact, k.WriteError = time.Time{}, "refused" }, "not answered yet: refused"},
		"failing for a moment":             {func(k *leader.KeyStats) { k.WriteError = "refused" }, ""},
		"failing for long":                 {func(k *leader.KeyStats) { k.WriteError, k.LastContact = "a\nb", now.Add(-11*time.Second) }, "for 11s: a; b"},
		"long ago, with a long retry time": {func(k *leader.KeyStats) { k.LastContact = now.Add(-time.Hour) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := good
			c.change(&k)
			got := unready(k, now)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			other := good
			other.Name = "other"
			s := status{leader: fixedLeader{stats: leader.Stats{Keys: []leader.KeyStats{k, other}}}}.read(now)
			if s.Ready != (c.want == "") || s.SDKKeys[0].Reason != got || !s.SDKKeys[1].Ready {
				t.Errorf("status %+v", s)
			}
		})
	}
	w := call(t, Config{}, "GET", "/readyz", "")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "no SDK key") {
		t.Errorf("without SDK keys: %d %s", w.Code, w.Body)
	}
}

func TestAProcessWithAHangingLoopIsNotAlive(t *testing.T) {
	for overdueBy, want := range map[time.Duration]int{0: 200, overdue - time.Second: 200, overdue + time.Second: 503} {
		stats := leader.Stats{Keys: []leader.KeyStats{{Name: "shop", State: leader.StateSteady, Due: time.Now().Add(-overdueBy)}}}
		w := call(t, Config{Leader: fixedLeader{stats: stats}}, "GET", "/healthz", "")
		if w.Code != want {
			t.Errorf("overdue by %v: %d, want %d", overdueBy, w.Code, want)
		}
		if want == 503 && !strings.Contains(w.Body.String(), "shop: its loop has been hanging since") {
			t.Error(w.Body)
		}
	}
}

// The names of the fields must not change.
func TestStatusKeepsItsFields(t *testing.T) {
	inEnvironment(t, func(h *environment) {
		cfg, stop := h.start()
		defer stop()
		cfg.Version = "v1.2.3"
		h.wait(time.Minute)
		h.cdn.Break(fakecdn.Status(http.StatusServiceUnavailable))
		h.wait(time.Minute)
		h.redis.Mini().SetError("LOADING")
		h.wait(4 * time.Second)
		body := call(t, cfg, "GET", "/status", "").Body.Bytes()
		h.redis.Mini().SetError("")
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"version", "leader_id", "time", "ready", "sdk_keys"} {
			if _, ok := got[name]; !ok {
				t.Errorf("no %s", name)
			}
		}
		key := got["sdk_keys"].([]any)[0].(map[string]any)
		for _, name := range []string{
			"name", "state", "ready", "lock_holder", "epoch", "since", "last_contact", "rev", "hash", "etag", "bytes", "last_answer", "age_seconds",
			"ahead_seconds", "clock_offset_seconds", "receivers", "broken_flags", "poll_error", "write_error", "poll_interval_seconds",
		} {
			if _, ok := key[name]; !ok {
				t.Errorf("no %s for an SDK key", name)
			}
		}
		if age := key["age_seconds"].(float64); age < 60 || age > 130 {
			t.Errorf("age %v", age)
		}
		if strings.Contains(string(body), testKey) || strings.Contains(string(body), "aaaaaaaaaaaaaaaaaaaaaa") {
			t.Errorf("the SDK key stands in\n%s", body)
		}
	})
}
