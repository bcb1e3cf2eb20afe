package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/control"
	"github.com/catbridge/catbridge/test/harness"
)

// change is what an operator wants to change.
type change func(c *control.Controls) (*control.Change, error)

func pinned(config []byte, lasts time.Duration) change {
	return func(c *control.Controls) (*control.Change, error) {
		return c.Pin(config, 0, control.Order{By: "ann@shop", Reason: "checkout fails", For: lasts})
	}
}

func forcedOdd(odd bool, lasts time.Duration) change {
	return func(c *control.Controls) (*control.Change, error) {
		return c.Force(harness.OddFlag, evaluate.BoolValue(odd), control.Order{By: "bob@shop", Reason: "the dashboard is away", For: lasts})
	}
}

func unpinned(c *control.Controls) (*control.Change, error) { return c.Unpin() }

func unforced(c *control.Controls) (*control.Change, error) { return c.Unforce(harness.OddFlag) }

// controls reads what is in force.
func controls(env *harness.Environment) (c *control.Controls) {
	env.Helper()
	env.Eventually(env.PollBound(), "what is in force can be read", func() (ok bool) { // not all Sentinels know the primary at once
		var err error
		c, err = control.Read(env.Context(), env.Connect(env.T, harness.AsController, nil), harness.SDKKey, "")
		return err == nil
	})
	return c
}

// order makes a change as an operator does, and waits until all followers show its result.
func order(env *harness.Environment, c change, want harness.Shown) {
	env.Helper()
	env.Allow(want)
	ordered(env, c)
	began, bound := time.Now(), env.Leader.RenewInterval+time.Second
	env.AwaitShown(want, bound)
	env.Recovered(began, bound)
}

// ordered makes a change without waiting.
func ordered(env *harness.Environment, c change) {
	env.Helper()
	env.Eventually(env.PollBound(), "an order is accepted", func() bool {
		made, err := c(controls(env))
		if err == nil {
			err = made.Apply(env.Context())
		}
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) { // not all Sentinels know the primary at once
			env.Fatal(err)
		}
		return err == nil
	})
}

// awaitSource waits until the leader has fetched what the CDN serves, while other content is in force.
func awaitSource(env *harness.Environment) {
	env.Helper()
	env.Eventually(env.PollBound(), "the leader has fetched it", func() bool {
		return bytes.Equal(controls(env).Source(), env.CDN.Config().JSON())
	})
}

// requireTheCDNs checks that nothing of a control is left: entry and followers have the CDN's bytes.
func requireTheCDNs(env *harness.Environment, config fakecdn.Config) {
	env.Helper()
	text, err := env.Admin.Get(env.Context(), env.Keys.Entry).Result()
	if err != nil {
		env.Fatal(err)
	}
	entry, err := cachekeys.ParseEntry([]byte(text))
	if err != nil || entry.ETag != config.ETag() || !bytes.Equal(entry.JSON, config.JSON()) {
		env.Errorf("the entry has the ETag %s, want %s; %v", entry.ETag, config.ETag(), err)
	}
	for _, r := range env.Followers {
		s := r.Client.Stats()
		if s.Hash != wire.ContentHash(config.JSON()) || s.ETag != config.ETag() {
			env.Errorf("%s has hash %.8s and ETag %s, want %.8s and %s", r.Name, s.Hash, s.ETag, wire.ContentHash(config.JSON()), config.ETag())
		}
	}
	env.EventuallyAll(env.Leader.RenewInterval+time.Second, "no follower knows of a control", func(r *harness.Follower) bool { return r.Client.Stats().Control == 0 })
}

// F40: leaders die while a config is pinned and the CDN goes on. Redis loses everything while a flag is forced as
// well and the CDN is away. Another force ends while nobody leads.
func TestF40_ControlOutlivesLeadersAndData(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		first, second := env.StartAll(3)
		old := env.CDN.Config()
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		env.Oversee()
		for range env.Rounds(1) {
			pin := harness.ShownOf(old)
			order(env, pinned(old.JSON(), time.Hour), pin)
			first.Kill()
			env.CDN.Publish()
			env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
			awaitSource(env)
			env.RequireShown(pin)

			env.CDN.Break(fakecdn.Down)
			forced := harness.Shown{Version: pin.Version, Odd: !pin.Odd}
			order(env, forcedOdd(forced.Odd, time.Hour), forced)
			before := controls(env)
			env.FlushAll()
			env.Eventually(env.TakeoverBound()+env.PollBound(), "the control is there again", func() bool {
				c := controls(env)
				return c.Applied && c.Pinned != nil && len(c.Forced) == 1 && c.Pinned.Until.Equal(before.Pinned.Until) && c.Forced[0].By == "bob@shop"
			})
			env.AwaitKeys(env.PollBound())
			env.RequireShown(forced)
			order(env, unforced, pin)
			served := env.CDN.Config()
			order(env, unpinned, harness.ShownOf(served))
			requireTheCDNs(env, served)

			// Nobody leads when it ends.
			forced = harness.Shown{Version: served.Version, Odd: served.Version%2 == 0}
			order(env, forcedOdd(forced.Odd, 3*time.Second), forced)
			second.Kill()
			env.Eventually(3*time.Second, "it has ended", func() bool { return len(controls(env).Forced) == 0 })
			env.RequireShown(forced)
			env.Allow(harness.ShownOf(served))
			first, second = env.Lead("a later leader"), env.Lead("another")
			env.AwaitShown(harness.ShownOf(served), env.TakeoverBound()+env.PollBound())
			requireTheCDNs(env, served)
			if second.Leads() {
				first, second = second, first
			}
			old = served
			env.CDN.Repair()
			env.Settle()
		}
	})
}

// F40: a replica that was behind takes over, and has neither the pin nor what it replaced. The leader writes it again.
func TestF40_FailoverThatLosesTheControl(t *testing.T) {
	harness.OnSentinel(t, func(env *harness.Environment, sentinel *redistest.Sentinel) {
		_, second := env.StartAll(3)
		second.Stop() // a process that never saw the control starts without
		old := env.CDN.Config()
		env.AwaitVersion(env.CDN.Publish(), env.PollBound())
		env.Oversee()
		holdReplicas(env)
		primary := sentinel.Primary(env.T)
		order(env, pinned(old.JSON(), time.Hour), harness.ShownOf(old))
		sentinel.ReplaceSilent(env.T)
		primary.Kill()
		killed, bound := time.Now(), max(env.Leader.LeaseDuration, redistest.DownAfter)+3*time.Second
		replaced(env, primary)
		env.Eventually(bound, "the pin is there again", func() bool {
			c := controls(env)
			return c.Applied && c.Pinned != nil
		})
		env.Recovered(killed, bound)
		env.RequireShown(harness.ShownOf(old))
		order(env, unpinned, harness.ShownOf(env.CDN.Config()))
		requireTheCDNs(env, env.CDN.Config())
		env.Settle()
	})
}

// F40: of two operators at once one is told, and neither loses anything. The pinned config has a broken flag. An
// official SDK that is not offline overwrites the entry all the while.
func TestF40_TwoOperatorsAndAnSDKOnline(t *testing.T) {
	harness.OnServer(t, func(env *harness.Environment, _ *redistest.Process) {
		env.StartAll(3)
		env.Oversee()
		config := env.CDN.Config()
		for range env.Rounds(1) {
			config = env.CDN.Config()
			forced := harness.Shown{Version: config.Version, Odd: config.Version%2 == 0}
			// Either order may come first. The pinned config shows the same as the CDN's.
			for _, s := range []harness.Shown{harness.ShownOf(config), forced, forced} {
				env.Allow(s)
			}
			atOnce(env, pinned(broken(env, config), time.Hour), forcedOdd(forced.Odd, time.Hour))
			env.AwaitShown(forced, env.Leader.RenewInterval+time.Second)
			for _, r := range env.Followers {
				if v := r.Client.GetStringValue(fakecdn.RolloutFlag, "the default", nil); v != "the default" {
					env.Errorf("%s shows %q of a broken flag", r.Name, v)
				}
			}
			env.CDN.Break(unreachableForLeaders)
			env.CDN.Publish()
			env.CDN.Publish() // again one that the force changes
			for range 5 {
				env.Audit.Suspend()
				fetched := env.WriteEntry(fetchAsSDK(env))
				env.Eventually(env.Leader.RenewInterval+time.Second, "the leader writes its entry again", func() bool {
					text, err := env.Admin.Get(env.Context(), env.Keys.Entry).Result()
					entry, parsed := cachekeys.ParseEntry([]byte(text))
					return err == nil && parsed == nil && entry.FetchTime > fetched
				})
				env.Audit.Resume()
				env.RequireShown(forced)
			}
			config = env.CDN.Config() // it is the SDK's that the leader took for the CDN's
			order(env, unpinned, harness.Shown{Version: config.Version, Odd: forced.Odd})
			order(env, unforced, harness.ShownOf(config))
			requireTheCDNs(env, config)
			if c := controls(env); c.Overwrites < 5 {
				env.Errorf("%d overwritten entries are counted", c.Overwrites)
			}
			env.CDN.Repair()
			env.Settle()
		}
	})
}

// fetchAsSDK fetches the config from the CDN as official SDKs do, and returns when.
func fetchAsSDK(env *harness.Environment) time.Time {
	env.Helper()
	began := time.Now()
	r, err := http.NewRequestWithContext(env.Context(), http.MethodGet, "http://cdn.test/configuration-files/"+harness.SDKKey+"/config_v6.json", nil)
	if err != nil {
		env.Fatal(err)
	}
	r.Header.Set("X-ConfigCat-UserAgent", "ConfigCat-Node/m-1.0.0")
	response, err := env.CDN.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		env.Fatal(response, err)
	}
	return began
}

// atOnce makes two changes at once: one of the operators must try again.
func atOnce(env *harness.Environment, changes ...change) {
	env.Helper()
	var made []*control.Change
	for _, c := range changes {
		m, err := c(controls(env))
		if err != nil {
			env.Fatal(err)
		}
		made = append(made, m)
	}
	errs := make([]error, len(made))
	var running sync.WaitGroup
	for i, m := range made {
		running.Go(func() { errs[i] = m.Apply(env.Context()) })
	}
	running.Wait()
	conflicts := 0
	for i, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, control.ErrConflict):
			conflicts++
			ordered(env, changes[i])
		default:
			env.Error(err)
		}
	}
	if c := controls(env); conflicts != 1 || c.Pinned == nil || len(c.Forced) != 1 {
		env.Errorf("%d conflicts; in force are the pin %v and %v", conflicts, c.Pinned, c.Forced)
	}
}

// broken returns a config with a broken flag.
func broken(env *harness.Environment, config fakecdn.Config) []byte {
	env.Helper()
	var all map[string]map[string]any
	if err := json.Unmarshal(config.JSON(), &struct{ F *map[string]map[string]any }{&all}); err != nil {
		env.Fatal(err)
	}
	flag, err := json.Marshal(all[fakecdn.RolloutFlag])
	if err != nil {
		env.Fatal(err)
	}
	text := strings.Replace(string(config.JSON()), string(flag), `{"t":1,"v":{"i":7}}`, 1)
	if text == string(config.JSON()) {
		env.Fatal("no flag is broken")
	}
	return []byte(text)
}
