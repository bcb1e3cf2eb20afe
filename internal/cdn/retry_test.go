package cdn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
)

func TestNetworkErrorIsRetriedTwice_S85(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Time
		fail := 3
		f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
			sent = append(sent, time.Now())
			if len(sent) <= fail {
				return nil, errReset
			}
			return reply(200, config), nil
		})
		if e := failure(t, f, ""); e.Code != cdn.CodeNetwork || e.Status != 0 || e.Requests != 3 || !errors.Is(e, errReset) {
			t.Errorf("%+v", e)
		}
		if len(sent) != 3 {
			t.Fatalf("%d requests, want 3", len(sent))
		}
		for i, most := range []time.Duration{300 * time.Millisecond, 600 * time.Millisecond} {
			if pause := sent[i+1].Sub(sent[i]); pause < most/3 || pause >= most {
				t.Errorf("pause %d: %v, want %v to %v", i, pause, most/3, most)
			}
		}

		sent, fail = nil, 2
		got, err := f.Fetch(t.Context(), "")
		if err != nil || got.Requests != 3 || !got.Sent.Equal(sent[2]) {
			t.Errorf("%+v, %v; want the third request's answer, sent at %v", got, err, sent)
		}
	})
}

func TestPausesAreJittered_S85(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) { return nil, errReset })
		for range 5 {
			start := time.Now()
			failure(t, f, "")
			seen[time.Since(start)] = true
		}
		if len(seen) == 1 {
			t.Error("5 fetches paused for the same time")
		}
	})
}

func TestFetchSendsAtMostFiveRequests_S85_S87(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		f := newFetcher(t, cdn.Config{}, func(req *http.Request) (*http.Response, error) {
			requests++
			if requests%2 == 0 {
				return nil, errReset
			}
			return reply(200, `{"p":{"u":"https://x`+req.URL.Host+`","r":2}}`), nil
		})
		if e := failure(t, f, ""); e.Code != cdn.CodeRedirectLoop || e.Requests != 5 || requests != 5 {
			t.Errorf("%+v after %d requests, want 1104 after 5", e, requests)
		}
	})
}

// trickle is a body that returns a byte a second and ignores the context.
type trickle struct{}

func (b *trickle) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	p[0] = ' '
	return 1, nil
}
func (b *trickle) Close() error { return nil }

// hanging is a body that returns nothing until it is closed.
type hanging struct{ closed chan struct{} }

func (b *hanging) Read([]byte) (int, error) { <-b.closed; return 0, io.ErrClosedPipe }
func (b *hanging) Close() error             { close(b.closed); return nil }

func TestHTTPTimeoutBoundsTheWholeRequest_S8_F26(t *testing.T) {
	for name, serve := range map[string]roundTrip{
		"no answer": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
		"a byte a second": func(*http.Request) (*http.Response, error) {
			time.Sleep(2500 * time.Millisecond)
			return &http.Response{StatusCode: 200, Body: &trickle{}}, nil
		},
		"a body that hangs": func(*http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return &http.Response{StatusCode: 200, Body: &hanging{make(chan struct{})}}, nil
		},
		"a compressed body that hangs": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Encoding": {"gzip"}}, Body: &hanging{make(chan struct{})}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, timeout := range []time.Duration{0, 7 * time.Second} {
					f := newFetcher(t, cdn.Config{HTTPTimeout: timeout}, serve)
					if timeout == 0 {
						timeout = 30 * time.Second
					}
					start := time.Now()
					e := failure(t, f, "")
					if e.Code != cdn.CodeTimeout || e.Requests != 1 || errors.Is(e, context.DeadlineExceeded) {
						t.Errorf("%+v", e)
					}
					if took := time.Since(start); took < timeout || took >= timeout+time.Second {
						t.Errorf("took %v, want %v", took, timeout)
					}
				}
			})
		})
	}
}

func TestContextEndsFetchAtOnce(t *testing.T) {
	cause := errors.New("shutting down")
	for name, serve := range map[string]roundTrip{
		"while the answer is awaited": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, errReset // whatever the transport does
		},
		"while the body is read": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: &hanging{make(chan struct{})}}, nil
		},
		"between tries": func(*http.Request) (*http.Response, error) {
			time.Sleep(950 * time.Millisecond)
			return nil, errReset
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFetcher(t, cdn.Config{}, serve)
				for _, because := range []error{nil, cause} {
					ctx, cancel := context.WithCancelCause(t.Context())
					start := time.Now()
					time.AfterFunc(time.Second, func() { cancel(because) })
					_, err := f.Fetch(ctx, "")
					if !errors.Is(err, context.Canceled) || because != nil && !errors.Is(err, because) {
						t.Errorf("error %v", err)
					}
					if _, ok := errors.AsType[*cdn.Error](err); ok {
						t.Errorf("the CDN is blamed: %v", err)
					}
					if took := time.Since(start); took != time.Second {
						t.Errorf("took %v, want 1s", took)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := f.Fetch(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

func TestEndedContextSendsNothing(t *testing.T) {
	f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errReset
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Fetch(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestRetryAfterIsReported_S85(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UTC()
		date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
		for _, c := range []struct {
			value, date string
			want        time.Duration
		}{
			{"", "", 0}, {"0", "", 0}, {"7", "", 7 * time.Second}, {" 600 ", "", 10 * time.Minute}, {"601", "", 10 * time.Minute},
			{strings.Repeat("9", 40), "", 10 * time.Minute}, {"-5", "", 0}, {"1.5", "", 0}, {"soon", "", 0}, {"+5", "", 0},
			{date(90 * time.Second), "", 90 * time.Second}, {date(-time.Hour), "", 0}, {date(time.Hour), "", 10 * time.Minute},
			// A date is relative to the server's own clock, even if that is wrong.
			{date(time.Hour + 30*time.Second), date(time.Hour), 30 * time.Second},
			{date(30 * time.Second), "yesterday", 30 * time.Second},
		} {
			f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
				return reply(429, "", "Retry-After", c.value, "Date", c.date), nil
			})
			if e := failure(t, f, ""); e.RetryAfter != c.want || e.Status != 429 || e.Code != cdn.CodeUnexpectedStatus {
				t.Errorf("%q at %q: %v, want %v", c.value, c.date, e.RetryAfter, c.want)
			}
		}
	})
}
