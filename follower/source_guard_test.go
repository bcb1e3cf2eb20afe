package follower

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// S102: a panic in the background is logged as 1200, one of a refresh as 1003; the client continues.
func TestAPanickingTransportIsRecovered_S102(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn, bad := cdnAt(3), errors.New("oh")
				var broken atomic.Bool
				broken.Store(true)
				log, logging := recorded(slog.LevelWarn)
				var got []string
				c := n.ready(t, logging, online(cdn), polling(mode, 0), func(c *Config) {
					c.Hooks = &Hooks{OnError: func(message string, err error) {
						if errors.Is(err, bad) {
							got = append(got, message)
						}
					}}
					c.Transport = transport(func(r *http.Request) (*http.Response, error) {
						if broken.Load() {
							panic(bad)
						}
						return cdn.RoundTrip(r)
					})
				})
				synctest.Wait()
				want := []string{"Error occurred during auto polling."}
				if mode == Lazy {
					want = nil
				}
				wantEvents(t, log, 1200, len(want))
				if err := c.Refresh(t.Context()); !errors.Is(err, bad) {
					t.Errorf("refresh: %v", err)
				}
				synctest.Wait()
				wantEvents(t, log, 1003, 1)
				if want = append(want, "Error occurred in the `Refresh` method."); strings.Join(got, "") != strings.Join(want, "") {
					t.Errorf("received %q", got)
				}
				broken.Store(false)
				time.Sleep(time.Minute)
				wantVersion(t, c, 3)
				c.Close()
			})
		})
	}
}

type panickingCache struct{}

func (panickingCache) Get(context.Context, string) ([]byte, error) { panic("no disk") }
func (panickingCache) Set(context.Context, string, []byte) error   { panic("no disk") }

// S94, S96.
func TestAPanickingCacheIsTreatedAsFailing(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		log, logging := recorded(slog.LevelWarn)
		c := n.ready(t, logging, online(cdnAt(5)), withCache(panickingCache{}))
		wantVersion(t, c, 5)
		wantEvents(t, log, 2200, 1)
		wantEvents(t, log, 2201, 1)
		if e := log.with(2201); !strings.Contains(e[0].text, "no disk") {
			t.Error(e)
		}
	})
}
