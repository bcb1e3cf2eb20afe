package leader

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
)

// awayCDN is a jsonCDN that does not answer while away is set.
type awayCDN struct {
	jsonCDN
	away atomic.Bool
}

func (c *awayCDN) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.away.Load() {
		return nil, errors.New("the CDN is away")
	}
	return c.jsonCDN.RoundTrip(r)
}

// controlledConfigs are what the CDN serves and operators pin. Two of them lack the flag "a", or have it
// with another type.
var controlledConfigs = []string{
	`{"f":{"a":{"t":0,"v":{"b":false}},"b":{"t":2,"v":{"i":1}}}}`,
	`{"f":{"a":{"t":0,"v":{"b":true},"r":[{"s":{"v":{"b":false}}}]},"b":{"t":2,"v":{"i":1}}}}`,
	`{"f":{"b":{"t":2,"v":{"i":2}}}}`,
	`{"f":{"a":{"t":1,"v":{"s":"text"}},"b":{"t":2,"v":{"i":3},"r":[{"s":{"v":{"i":4}}}]}}}`,
	`{"p":{"s":"salt"},"f":{"a":{"t":0,"v":{"b":false}},"b":{"t":2,"v":{"i":9}}}}`,
}

// What is current follows the CDN and the operators, whatever happens in between. Without a control, it
// is the CDN's bytes with the CDN's ETag.
func TestWhatIsCurrentFollowsTheCDNAndTheOperators(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			Do     string
			Config int
			Value  int
			Lasts  time.Duration
			Wait   time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				Do: rapid.SampledFrom([]string{
					"edit", "edit", "edit and refresh", "edit and refresh", "force a", "force b", "unforce a", "unforce b", "pin", "unpin",
					"take over", "lose the lock", "lose all", "CDN away", "CDN back", "settle",
				}).Draw(t, "do"),
				Config: rapid.IntRange(0, len(controlledConfigs)-1).Draw(t, "config"),
				Value:  rapid.IntRange(0, 3).Draw(t, "value"),
				Lasts:  rapid.SampledFrom([]time.Duration{10 * time.Second, time.Minute, time.Hour}).Draw(t, "lasts"),
				Wait:   rapid.SampledFrom([]time.Duration{100 * time.Millisecond, 5 * time.Second, 70 * time.Second}).Draw(t, "wait"),
			}
		}), 1, 12).Draw(rt, "steps")
		runEnv(t, func(s *testEnv) {
			cdn := new(awayCDN)
			start := func() (*Leader, func()) {
				l, err := New(Config{Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: cdn})
				if err != nil {
					s.Fatal(err)
				}
				return l, s.run(l)
			}
			cdn.set([]byte(controlledConfigs[0]))
			l, stop := start()
			s.wait(5 * time.Second)

			ordered := &control.Control{} // what the operators believe to be in force
			pin := ""                     // the content of its pin
			var shown []string            // the contents that were current since the history began
			failed := func(i int, format string, args ...any) {
				s.Helper()
				s.Fatalf("step %d of %+v: %s", i, steps, fmt.Sprintf(format, args...))
			}
			now := func() int64 { return time.Now().UnixMilli() }
			effective := func(source string) string {
				c := ordered.InForce(now())
				if c.Empty() {
					return source
				}
				var pinned []byte
				if c.Pin != nil {
					pinned = []byte(pin)
				}
				made, _, err := c.Effective([]byte(source), pinned)
				if err != nil {
					s.Fatal(err)
				}
				return string(made)
			}
			note := func() string {
				json := string(s.entry().JSON)
				if len(shown) == 0 || shown[len(shown)-1] != json {
					shown = append(shown, json)
				}
				return json
			}
			// check checks what Redis has once all is quiet.
			check := func(i int) {
				s.Helper()
				json, entry, meta := note(), s.entry(), s.meta()
				blob, err := wire.ParseBlob([]byte(s.client.Get(s.Context(), s.keys.Blob).Val()))
				if err != nil || blob.Rev != meta.Rev || blob.Hash != meta.Hash || entry.FetchTime != meta.Rev || entry.ETag != meta.ETag || wire.ContentHash(entry.JSON) != meta.Hash {
					failed(i, "meta %+v, entry %d %s, blob %+v, %v", meta, entry.FetchTime, entry.ETag, blob, err)
				}
				empty := ordered.InForce(now()).Empty()
				if (meta.Control == 0) != empty || (s.client.Exists(s.Context(), s.keys.Source).Val() == 0) != empty {
					failed(i, "meta names the control %d; nothing is in force: %v", meta.Control, empty)
				}
				if empty && (control.IsETag(entry.ETag, meta.Hash) || !slices.Contains(controlledConfigs, json)) {
					failed(i, "nothing is in force, but %s with ETag %s is current", json, entry.ETag)
				}
				if cdn.away.Load() {
					return
				}
				served := string(cdn.json)
				if want := effective(served); json != want {
					failed(i, "current is\n%s, want\n%s", json, want)
				}
				etag := `"` + wire.ContentHash(cdn.json)[:16] + `"`
				if json == served && entry.ETag != etag {
					failed(i, "the CDN's content has the ETag %s, want %s", entry.ETag, etag)
				}
				for _, old := range meta.Recent {
					if old.ETag == etag {
						failed(i, "meta lists what the CDN serves as replaced: %+v", meta.Recent)
					}
				}
			}
			// operate changes the control, and checks the cause in the history.
			operate := func(i int, change func(*control.Control) *control.Control, pinned []byte, cause history.Cause) {
				s.Helper()
				before := note()
				s.operate(change, pinned)
				ordered = change(ordered.InForce(now()))
				after := note()
				h := s.history()
				if len(h.Versions) == 0 || h.Versions[0].Hash != wire.ContentHash([]byte(after)) {
					failed(i, "the history does not begin with what is current: %+v", h.Versions)
				}
				// A poll may come at the same moment, unless the CDN is away.
				if after != before && h.Versions[0].Cause != cause && h.Versions[0].Cause != history.Expired && cdn.away.Load() {
					failed(i, "the cause is %s, want %s", h.Versions[0].Cause, cause)
				}
			}
			for i, step := range append(steps, step{Do: "CDN back"}, step{Do: "settle"}, step{Do: "withdraw all"}, step{Do: "settle"}) {
				switch step.Do {
				case "edit", "edit and refresh":
					cdn.set([]byte(controlledConfigs[step.Config]))
					if step.Do != "edit" {
						if err := l.RequestRefresh(s.Context(), "main"); err != nil {
							s.Fatal(err)
						}
					}
				case "force a":
					operate(i, forced("a", evaluate.BoolValue(step.Value%2 == 0), step.Lasts), nil, history.Force)
				case "force b":
					operate(i, forced("b", evaluate.IntValue(int64(step.Value)), step.Lasts), nil, history.Force)
				case "unforce a", "unforce b":
					operate(i, unforced(step.Do[len("unforce "):]), nil, history.Withdrawn)
				case "pin":
					pin = controlledConfigs[step.Config]
					operate(i, pinned([]byte(pin), step.Lasts), []byte(pin), history.Pin)
				case "unpin":
					operate(i, unpinned, nil, history.Withdrawn)
				case "withdraw all":
					operate(i, func(c *control.Control) *control.Control { return c.Unpinned().Without("a").Without("b") }, nil, history.Withdrawn)
				case "take over":
					stop()
					l, stop = start()
				case "lose the lock":
					s.client.Del(s.Context(), s.keys.Lock)
				case "lose all":
					s.server.Mini().FlushAll()
					s.wait(10 * time.Second)
					shown = nil
				case "CDN away", "CDN back":
					cdn.away.Store(step.Do == "CDN away")
				case "settle":
					s.wait(150 * time.Second)
					check(i)
				}
				s.wait(step.Wait)
				note()
			}
			h := s.history()
			var have []string
			for i := range h.Versions {
				json, err := h.Content(i)
				if err != nil {
					failed(len(steps), "version %d: %v; %+v", i, err, h.Versions)
				}
				have = append(have, string(json))
			}
			slices.Reverse(have)
			for _, json := range shown {
				at := slices.Index(have, json)
				if at < 0 {
					failed(len(steps), "the history has not all that was current, or in another order: it lacks\n%s", json)
				}
				have = have[at:]
			}
			stop()
		})
	})
}
