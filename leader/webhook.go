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
)

const (
	// maxHookBytes bounds the body. It is signed, but not looked at.
	maxHookBytes = 64 << 10
	// hookWindow is how far a request's time may be from this process's clock.
	hookWindow = 300 * time.Second
	// hookTimeout bounds the time for Redis to take the refresh request.
	hookTimeout = 5 * time.Second
)

// WebhookHandler serves ConfigCat's webhook: GET or POST /hook/{name}, with or without a
// slash at the end, where the name is that of an SDK key with WebhookKeys. Whichever
// process gets it, the one that leads polls at once, though at most once a second. It
// looks up the path value "name" of an http.ServeMux's pattern, or else takes the last
// part of the path.
//
//	200  the leader was asked to poll, now or when a request of that ID was accepted before,
//	     by any process: ConfigCat sends a webhook again if its answer was lost
//	400  a header is missing or malformed, the time is more than 300 s off this
//	     process's clock, or the body broke off
//	403  no signature fits
//	404  no SDK key has that name, or it has no signing key
//	405  the method is neither GET nor POST
//	413  the body has more than 64 KiB
//	503  Redis could not be reached; ConfigCat tries again
//
// The answer says in a line what is wrong, and holds no secret. Neither timeouts nor the
// number of connections are bounded here: that is the server's part.
func (l *Leader) WebhookHandler() http.Handler { return http.HandlerFunc(l.serveHook) }

func (l *Leader) serveHook(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // a cache must not answer a GET
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "a webhook is called by GET or POST", http.StatusMethodNotAllowed)
		return
	}
	name := r.PathValue("name")
	if name == "" {
		name = path.Base(r.URL.Path)
	}
	e := l.set.Load().byName[name]
	if e == nil || len(e.settings().WebhookKeys) == 0 {
		l.unknownHooks.Add(1)
		http.Error(w, "there is no webhook of that name", http.StatusNotFound)
		return
	}
	replayed, refusal := e.hook(w, r)
	e.hooks.count(e, replayed, refusal)
	if refusal != nil {
		http.Error(w, refusal.Error(), refusal.status)
		return
	}
	text := "the leader was asked to poll\n"
	if replayed {
		text = "a request of this ID was accepted before\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
}

// refusal says why a webhook's request is not accepted.
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

var errHookTooLarge = fmt.Errorf("the body has more than %d bytes", maxHookBytes)

func tooLargeHook() *refusal {
	return refuse(http.StatusRequestEntityTooLarge, func(s *WebhookStats) *uint64 { return &s.TooLarge }, errHookTooLarge)
}

// hook handles a request for the SDK key, and reports whether its ID was accepted before.
// What costs nothing is looked at first; what is remembered is only IDs that were signed.
func (e *elector) hook(w http.ResponseWriter, r *http.Request) (replayed bool, _ *refusal) {
	if r.ContentLength > maxHookBytes {
		return false, tooLargeHook()
	}
	call, err := parseHookCall(r.Header)
	if err != nil {
		return false, malformedHook(err)
	}
	if off := time.Since(call.sent); off.Abs() > hookWindow {
		return false, refuse(http.StatusBadRequest, func(s *WebhookStats) *uint64 { return &s.Stale },
			fmt.Errorf("%s is %v off the clock here, more than %v", headerHookTimestamp, off.Abs().Round(time.Second), hookWindow))
	}
	switch err := call.verify(e.settings().WebhookKeys, http.MaxBytesReader(w, r.Body, maxHookBytes)); {
	case errors.Is(err, errForged):
		return false, refuse(http.StatusForbidden, func(s *WebhookStats) *uint64 { return &s.Forged }, err)
	case err != nil:
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return false, tooLargeHook()
		}
		return false, malformedHook(errors.New("the body broke off"))
	}
	return e.acceptHook(r.Context(), call)
}

// acceptHook asks for a poll, once for each ID. Redis remembers IDs for all processes;
// what this one remembers spares Redis a flood of replays.
func (e *elector) acceptHook(ctx context.Context, call hookCall) (replayed bool, _ *refusal) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	for {
		isNew, pending := e.hooks.reserve(call.id)
		if isNew {
			break
		}
		if pending == nil {
			return true, nil
		}
		// The first request of that ID may still fail: then this one is passed on.
		select {
		case <-pending:
		case <-ctx.Done():
			return false, failedHook()
		}
	}
	asked, err := e.ask(func(channel string) (request, error) { return e.store.hook(ctx, channel, call.id) })
	switch {
	case err != nil:
		e.hooks.release(call.id)
		e.log().Error(eventHookFailed, "A webhook could not be passed on to the leader.", eventlog.Err(err))
		return false, failedHook()
	}
	e.hooks.accept(call.id)
	if !asked.accepted {
		return true, nil
	}
	e.log().Info(eventHook, "A webhook asked for a poll.", slog.String("webhook", call.id))
	return false, nil
}

func failedHook() *refusal {
	return refuse(http.StatusServiceUnavailable, func(s *WebhookStats) *uint64 { return &s.Failed },
		errors.New("the leader could not be asked to poll: try again"))
}
