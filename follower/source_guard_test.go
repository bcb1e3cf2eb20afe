package follower

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// faults are how a user's code may end without returning, with what reports it.
var faults = map[string]struct {
	end  func()
	want error
}{
	"panics":         {func() { panic(errByTest) }, errByTest},
	"ends goroutine": {runtime.Goexit, errGoexit},
}

var errByTest = errors.New("no disk")

// S102: a panic in the background is logged as 1200, one of a refresh as 1003; the client continues. A
// Transport that ends its goroutine, as t.FailNow does, counts as one that panics.
func TestATransportThatDoesNotReturnIsReported_S102(t *testing.T) {
	for name, fault := range faults {
		for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
			t.Run(name+"/"+mode.String(), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *network) {
					cdn := cdnAt(3)
					var broken atomic.Bool
					broken.Store(true)
					log, logging := recorded(slog.LevelWarn)
					var got []string
					c := n.ready(t, logging, online(cdn), polling(mode, 0), func(c *Config) {
						c.Hooks = &Hooks{OnError: func(message string, err error) {
							if errors.Is(err, fault.want) {
								got = append(got, message)
							}
						}}
						c.Transport = transport(func(r *http.Request) (*http.Response, error) {
							if broken.Load() {
								fault.end()
							}
							return cdn.RoundTrip(r)
						})
					})
					synctest.Wait()
					var want []string
					if mode == Subscribe || mode == AutoPoll {
						want = []string{"Error occurred during auto polling."}
					}
					wantEvents(t, log, eventid.PollingFailed, len(want))
					if err := c.Refresh(t.Context()); !errors.Is(err, fault.want) {
						t.Errorf("refresh: %v", err)
					}
					synctest.Wait()
					wantEvents(t, log, eventid.RefreshFailed, 1)
					if want = append(want, "Error occurred in the `Refresh` method."); !slices.Equal(got, want) {
						t.Errorf("received %q", got)
					}
					if mode == Lazy {
						wantVersion(t, c, -1) // the get does not wait forever
					}
					broken.Store(false)
					time.Sleep(time.Minute)
					if mode == Manual {
						if err := c.Refresh(t.Context()); err != nil {
							t.Error(err)
						}
					}
					wantVersion(t, c, 3)
					c.Close()
				})
			})
		}
	}
}

// endingCache is a Cache whose methods do not return.
type endingCache struct{ end func() }

func (c endingCache) Get(context.Context, string) ([]byte, error) {
	c.end()
	return nil, nil
}

func (c endingCache) Set(context.Context, string, []byte) error {
	c.end()
	return nil
}

// S94, S96.
func TestACacheThatDoesNotReturnIsTreatedAsFailing(t *testing.T) {
	for name, fault := range faults {
		for _, mode := range []PollingMode{AutoPoll, Lazy, Manual} {
			t.Run(name+"/"+mode.String(), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *network) {
					log, logging := recorded(slog.LevelWarn)
					c := n.ready(t, logging, online(cdnAt(5)), withCache(endingCache{fault.end}), polling(mode, 0))
					if mode == Manual {
						if err := c.Refresh(t.Context()); err != nil {
							t.Error(err)
						}
					}
					wantVersion(t, c, 5)
					if e := log.with(eventid.CacheRead); len(e) == 0 || !strings.Contains(e[0].text, fault.want.Error()) {
						t.Error(e)
					}
					wantEvents(t, log, eventid.CacheWrite, 1)
					wantEventText(t, log, eventid.CacheWrite, fault.want.Error())
				})
			})
		}
	}
}

// endingHandler is a log handler that does not return from events of level error.
type endingHandler struct {
	slog.Handler
	end func()
}

func (h endingHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level == slog.LevelError {
		h.end()
	}
	return h.Handler.Handle(ctx, r)
}

func (h endingHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

// The Logger does not even return from the report of its own fault.
func TestALoggerThatDoesNotReturnDoesNotStopTheClient(t *testing.T) {
	for name, fault := range faults {
		for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
			t.Run(name+"/"+mode.String(), func(t *testing.T) {
				inBubble(t, func(t *testing.T, n *network) {
					cdn := cdnAt(5)
					cdn.Break(fakecdn.Status(http.StatusInternalServerError)) // is logged
					c := n.ready(t, online(cdn), polling(mode, 0), func(c *Config) {
						c.Logger = slog.New(endingHandler{c.Logger.Handler(), fault.end})
					})
					if err := c.Refresh(t.Context()); !errors.Is(err, fault.want) {
						t.Errorf("refresh: %v", err)
					}
					cdn.Repair()
					if mode == Manual || mode == Lazy {
						if err := c.Refresh(t.Context()); err != nil {
							t.Error(err)
						}
					}
					time.Sleep(time.Minute)
					wantVersion(t, c, 5)
				})
			})
		}
	}
}
