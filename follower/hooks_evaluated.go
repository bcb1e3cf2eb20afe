package follower

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
)

const (
	// evaluationQueue is how many evaluations may wait for slow hooks.
	evaluationQueue = 4096
	// drainTime is how long Close waits for the queued evaluations to be reported.
	drainTime = time.Second
)

// evaluationHooks are the OnFlagEvaluated hooks of one client. Evaluations are queued, which
// never blocks, and one worker reports them in order. It starts with the first evaluation.
type evaluationHooks struct {
	hookList[func(*EvaluationDetails)]

	runner  *hookRunner
	start   sync.Once
	queue   chan *EvaluationDetails // nil: no worker was started
	closing chan struct{}           // closed by close: the worker ends when the queue is empty
	done    chan struct{}           // closed when the worker has ended
	closed  atomic.Bool             // nothing is queued any more
	givenUp atomic.Bool             // no further hook is called

	full    atomic.Bool // the queue was full, which was logged, and has not been empty since
	dropped atomic.Uint64

	// Only the worker uses these.
	details *EvaluationDetails
	rest    []*func(*EvaluationDetails) // hooks that are still to be called with details
}

func (h *evaluationHooks) wanted() bool { return len(h.all()) > 0 && !h.closed.Load() }

func (h *evaluationHooks) report(details *EvaluationDetails) {
	h.start.Do(func() {
		h.queue = make(chan *EvaluationDetails, evaluationQueue)
		h.closing, h.done = make(chan struct{}), make(chan struct{})
		goWhile(h.next, h.done)
	})
	if h.queue == nil {
		return // closed
	}
	select {
	case h.queue <- details:
	default:
		h.dropped.Add(1)
		if h.full.CompareAndSwap(false, true) {
			h.runner.log.Warn(eventid.HookSlow, hookSlowText, slog.String("hook", hookNames[evaluatedCall]))
		}
	}
}

// next calls the next hook, and reports whether the worker continues.
func (h *evaluationHooks) next() bool {
	if len(h.rest) == 0 && !h.take() {
		return false
	}
	if h.givenUp.Load() {
		h.dropped.Add(1)
		return false
	}
	if len(h.rest) > 0 {
		hook := h.rest[0]
		h.rest = h.rest[1:]
		h.runner.call(evaluatedCall, func() { (*hook)(h.details) })
	}
	return true
}

// take waits for an evaluation. It returns false if there will be no more.
func (h *evaluationHooks) take() bool {
	h.details = nil
	if len(h.queue) == 0 {
		h.full.Store(false)
	}
	select {
	case h.details = <-h.queue:
	case <-h.closing:
		select {
		case h.details = <-h.queue:
		default:
			return false
		}
	}
	h.rest = h.all()
	return true
}

// close waits for the queued evaluations, but at most drainTime, and drops the others.
func (h *evaluationHooks) close() {
	if h.closed.Swap(true) {
		return
	}
	defer h.list.Store(nil)
	h.start.Do(func() {}) // from now on, no worker starts
	if h.queue == nil {
		return
	}
	close(h.closing)
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-h.done:
	case <-timer.C:
		h.givenUp.Store(true)
		if h.drop() {
			h.runner.log.Warn(eventid.HookSlow, hookSlowText, slog.String("hook", hookNames[evaluatedCall]))
		}
	}
}

// drop empties the queue, and reports whether it was not empty.
func (h *evaluationHooks) drop() (some bool) {
	for {
		select {
		case <-h.queue:
			h.dropped.Add(1)
			some = true
		default:
			return some
		}
	}
}
