package leader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/leader/internal/hook"
)

const (
	// maxHookBytes bounds the body, which is signed but otherwise ignored.
	maxHookBytes = 64 << 10
	// hookTimeout bounds the time for sending the refresh request to Redis.
	hookTimeout = 5 * time.Second
	// hookLogEvery is the least time between two logs of refused webhooks.
	hookLogEvery = time.Minute
)

// WebhookStats counts requests to the webhook of an SDK key.
type WebhookStats struct {
	Accepted  uint64 // a poll was requested
	Malformed uint64 // refused: a header was missing or malformed, or the body was incomplete
	TooLarge  uint64 // refused: more than 64 KiB
	Stale     uint64 // refused: its time was more than 300 s off this process's clock
	Forged    uint64 // refused: no signature was valid
	Replayed  uint64 // answered without another poll: the ID was already accepted
	Failed    uint64 // not forwarded: Redis was unreachable
}

// WebhookHandler returns the handler of ConfigCat's webhook: GET or POST /hook/{name}, with or
// without a trailing slash. name is the name of an SDK key with WebhookKeys: the path value
// "name" of an http.ServeMux pattern, or else the last element of the path. Any process may
// receive the request; the leader then polls at once, but at most once per second.
//
//	200  a poll was requested, now or by an earlier request with the same ID to any
//	     process: ConfigCat sends a webhook again if the response was lost
//	400  a header is missing or malformed, the time differs from this process's clock
//	     by more than 300 s, or the body is incomplete
//	403  no signature is valid
//	404  no SDK key has that name, or it has no signing key
//	405  the method is neither GET nor POST
//	413  the body is larger than 64 KiB
//	503  Redis is unreachable; ConfigCat retries
//
// The response says in one line what is wrong and contains no secret. The handler bounds
// neither timeouts nor the number of connections: that is the server's task.
func (l *Leader) WebhookHandler() http.Handler { return http.HandlerFunc(l.serveHook) }

func (l *Leader) serveHook(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // a cache must not answer a GET
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "the method must be GET or POST", http.StatusMethodNotAllowed)
		return
	}
	name := r.PathValue("name")
	if name == "" {
		name = path.Base(r.URL.Path)
	}
	e := l.set.Load().byName[name]
	if e == nil || len(e.settings().WebhookKeys) == 0 {
		l.unknownHooks.Add(1)
		http.Error(w, "unknown webhook", http.StatusNotFound)
		return
	}
	replayed, refusal := e.hook(w, r)
	e.countHook(replayed, refusal)
	if refusal != nil {
		http.Error(w, refusal.Error(), refusal.status)
		return
	}
	text := "poll requested\n"
	if replayed {
		text = "a request with this ID was already accepted\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
}

type refusal struct {
	status  int
	counter func(*WebhookStats) *uint64
	error
}

func refuse(status int, counter func(*WebhookStats) *uint64, err error) *refusal {
	return &refusal{status, counter, err}
}

func malformedHook(err error) *refusal {
	return refuse(http.StatusBadRequest, func(s *WebhookStats) *uint64 { return &s.Malformed }, err)
}

var errHookTooLarge = fmt.Errorf("the body is larger than %d bytes", maxHookBytes)

func tooLargeHook() *refusal {
	return refuse(http.StatusRequestEntityTooLarge, func(s *WebhookStats) *uint64 { return &s.TooLarge }, errHookTooLarge)
}

// hook handles a request for the SDK key, and reports whether its ID was already accepted.
// Cheap checks come first. Only IDs of correctly signed requests are remembered.
func (e *elector) hook(w http.ResponseWriter, r *http.Request) (replayed bool, _ *refusal) {
	if r.ContentLength > maxHookBytes {
		return false, tooLargeHook()
	}
	request, err := hook.Parse(r.Header)
	if err != nil {
		return false, malformedHook(err)
	}
	if err := request.CheckTime(); err != nil {
		return false, refuse(http.StatusBadRequest, func(s *WebhookStats) *uint64 { return &s.Stale }, err)
	}
	switch err := request.Verify(e.settings().WebhookKeys, http.MaxBytesReader(w, r.Body, maxHookBytes)); {
	case errors.Is(err, hook.ErrForged):
		return false, refuse(http.StatusForbidden, func(s *WebhookStats) *uint64 { return &s.Forged }, err)
	case err != nil:
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return false, tooLargeHook()
		}
		return false, malformedHook(errors.New("the body is incomplete"))
	}
	return e.acceptHook(r.Context(), request.ID)
}

// acceptHook requests a poll once for each ID. Redis remembers the IDs for all processes; this
// process's memory spares Redis a flood of replays.
func (e *elector) acceptHook(ctx context.Context, id string) (replayed bool, _ *refusal) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	isNew, err := e.replays.Once(id, func() (bool, error) {
		reply, err := e.requestRefresh(ctx, id)
		switch {
		case err != nil:
			e.log().Error(eventHookFailed, "Forwarding a webhook to the leader failed.", eventlog.Err(err))
		case reply.Accepted:
			e.log().Info(eventHook, "A webhook requested a poll.", slog.String("webhook", id))
		}
		return reply.Accepted, err
	})
	if err != nil {
		return false, refuse(http.StatusServiceUnavailable, func(s *WebhookStats) *uint64 { return &s.Failed },
			errors.New("requesting the poll failed: try again"))
	}
	return !isNew, nil
}

// countHook counts a request by its outcome. It logs refused requests at most once per
// hookLogEvery: a wrong signing key must show, but a flood must not fill the log.
func (e *elector) countHook(replayed bool, r *refusal) {
	report := false
	e.stats.update(func(s *KeyStats) {
		switch {
		case r != nil:
			*r.counter(&s.Webhooks)++
			if now := time.Now(); now.Sub(e.hookReported) >= hookLogEvery {
				e.hookReported, report = now, true
			}
		case replayed:
			s.Webhooks.Replayed++
		default:
			s.Webhooks.Accepted++
		}
	})
	if report {
		e.log().Warn(eventHookRefused, "A webhook was refused.", eventlog.Err(r.error), slog.Int("status", r.status))
	}
}
