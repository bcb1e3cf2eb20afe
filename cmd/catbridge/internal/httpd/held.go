package httpd

import (
	"bytes"
	"container/list"
	"net/http"
	"sync"
	"time"
)

// maxUnread bounds the answers in memory that their clients have not read yet, in bytes.
const maxUnread = 16 << 20

// unread is the answers of a server that are being sent from memory. It is safe for concurrent use.
type unread struct {
	most int

	mu    sync.Mutex
	bytes int       // of all
	all   list.List // of *heldAnswer, the oldest first
}

// holding keeps the answers of next in memory until next returns, and then sends them. So a client
// that does not read its answer holds nothing that others wait for: not its turn, and not its
// connection, which gives way to new ones. If clients leave too much unread, the answers that
// have been sent for longest are cut off.
//
// An answer that is flushed, such as a stream, is passed on from then on.
func (u *unread) holding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &heldAnswer{ResponseWriter: w}
		next.ServeHTTP(held, r)
		if held.passed {
			return
		}
		u.add(held)
		defer u.remove(held)
		held.release()
	})
}

func (u *unread) add(a *heldAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	a.size = a.body.Len()
	for u.bytes += a.size; u.bytes > u.most && u.all.Len() > 0; {
		oldest := u.all.Front().Value.(*heldAnswer)
		u.forget(oldest)
		oldest.cut()
	}
	a.place = u.all.PushBack(a)
}

func (u *unread) remove(a *heldAnswer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(a)
}

// forget removes an answer from the count. The caller must hold the lock.
func (u *unread) forget(a *heldAnswer) {
	if a.place != nil {
		u.all.Remove(a.place)
		a.place = nil
		u.bytes -= a.size
	}
}

// heldAnswer is an answer in memory.
type heldAnswer struct {
	http.ResponseWriter
	status int // 0: none yet
	body   bytes.Buffer
	passed bool // what follows goes to the client at once

	// Guarded by the lock of unread.
	place *list.Element // nil: it is not, or no longer, counted
	size  int
}

func (a *heldAnswer) WriteHeader(status int) {
	switch {
	case a.passed:
		a.ResponseWriter.WriteHeader(status)
	case a.status == 0:
		a.status = status
	}
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	if a.passed {
		return a.ResponseWriter.Write(p)
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.body.Write(p)
}

// release sends what is held.
func (a *heldAnswer) release() {
	a.passed = true
	if a.status != 0 {
		a.ResponseWriter.WriteHeader(a.status)
	}
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
}

// FlushError is for [http.ResponseController].
func (a *heldAnswer) FlushError() error {
	if !a.passed {
		a.release()
		a.body = bytes.Buffer{}
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap is for [http.ResponseController].
func (a *heldAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// cut ends the sending of an answer, whose client takes too long.
func (a *heldAnswer) cut() {
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
}
