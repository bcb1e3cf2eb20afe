package leader

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/internal/wire"
)

// jsonCDN serves a config JSON that a test sets.
type jsonCDN struct {
	mu   sync.Mutex
	json []byte
}

func (c *jsonCDN) set(json []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.json = json
}

func (c *jsonCDN) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	etag := `"` + wire.ContentHash(c.json)[:16] + `"`
	status, body := http.StatusOK, c.json
	if r.Header.Get("If-None-Match") == etag {
		status, body = http.StatusNotModified, nil
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Etag": {etag}, "Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// Walking back through the history gives each version byte for byte, whatever was edited and
// whichever process led.
func TestTheHistoryLeadsBackToEveryVersion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		flags := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,3}`), 1, 40)
		edits := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			b.WriteString(`{"p":{"s":"salt"},"f":{`)
			names := flags.Draw(t, "flags")
			slices.Sort(names)
			for i, name := range slices.Compact(names) {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, `%q:{"t":1,"v":{"s":%q}}`, name, strings.Repeat(rapid.SampledFrom([]string{"on", "off", "blue"}).Draw(t, "value"), rapid.SampledFrom([]int{1, 1, 500}).Draw(t, "times")))
			}
			b.WriteString(`}}`)
			return b.String()
		}), 1, 8).Draw(rt, "edits")
		failovers := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "stop", "lost lock", "lost meta"}), len(edits), len(edits)).Draw(rt, "failovers")
		runEnv(t, func(s *testEnv) {
			cdn := new(jsonCDN)
			start := func() (*Leader, func()) {
				l, err := New(Config{Redis: s.server.Client(s.T, nil), SDKKeys: []SDKKey{mainKey()}, Transport: cdn})
				if err != nil {
					s.Fatal(err)
				}
				return l, s.run(l)
			}
			cdn.set([]byte(edits[0]))
			l, stop := start()
			s.wait(5 * time.Second)
			want := []string{edits[0]}
			for i, edit := range edits {
				if edit != want[len(want)-1] {
					want = append(want, edit)
				}
				cdn.set([]byte(edit))
				if err := l.RequestRefresh(s.Context(), "main"); err != nil {
					s.Fatal(err)
				}
				s.wait(5 * time.Second)
				switch failovers[i] {
				case "stop":
					stop()
					l, stop = start()
				case "lost lock":
					s.client.Del(s.Context(), s.keys.Lock)
				case "lost meta":
					s.client.Del(s.Context(), s.keys.Meta)
				}
				s.wait(20 * time.Second)
			}
			h := s.history()
			var have []string
			for i := range h.Versions {
				json, err := h.Content(i)
				if err != nil {
					s.Fatal(i, err, h.Versions)
				}
				have = append(have, string(json))
			}
			slices.Reverse(have)
			if !slices.Equal(have, want) {
				s.Errorf("the history has %d versions, want %d, with failovers %q", len(have), len(want), failovers)
			}
			for i, v := range h.Versions { // in any order
				again, err := h.Content(len(h.Versions) - 1 - i)
				at, found := h.Find(fmt.Sprint(v.Rev))
				if err != nil || string(again) != want[i] || found != nil || at != i {
					s.Errorf("version %d: %v; its rev is of version %d, %v", i, err, at, found)
				}
			}
			stop()
		})
	})
}
