package httpd

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"
)

// headers keeps browsers from interpreting or embedding the answers.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// lastIfUnclear closes the connection after a request whose end [framing] could not determine, and
// within TLS, where framing sees nothing, after every request with Transfer-Encoding: it may have
// a Content-Length, too, and a proxy that goes by that takes what follows for a part of the body.
func lastIfUnclear(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok && c.framing.unclear.Load() || len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// working keeps the connection of a request from being closed for a new one while the request is
// handled.
func working(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		c.work(func() { next.ServeHTTP(w, r) })
	})
}

// patient removes the read deadline of requests without a body, whose handlers may take long.
// The deadline would also end the context of the request. Other requests keep it: before an answer
// is sent, the rest of a body is read, which may never arrive.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		next.ServeHTTP(w, r)
	})
}

// buffered reads the body before the request counts as being handled, so that a slow sender
// does not block other requests. It cuts a body that is too large just above the leader's limit.
func buffered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength >= maxBodyBytes {
			// The handler rejects and counts it by its length. The body is not read.
			w.Header().Set("Connection", "close")
			r.Body = http.NoBody
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
		_, tooLarge := errors.AsType[*http.MaxBytesError](err)
		switch {
		case tooLarge:
			// The handler rejects and counts it.
			w.Header().Set("Connection", "close")
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.Header().Set("Connection", "close")
			http.Error(w, "the body arrived too slowly", http.StatusRequestTimeout)
			return
		case err != nil:
			w.Header().Set("Connection", "close")
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// access says what is logged of each request.
type access struct {
	level slog.Level
	peer  bool // the address of the client, which is personal data
}

// observed logs requests, and logs and answers panics. It logs the route instead of the path, which
// is untrusted and may contain secrets.
func observed(log *slog.Logger, what access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, seen := time.Now(), &statusWriter{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				log.Error("The handler of a request panicked.", "route", r.Pattern, "panic", cause, "stack", string(debug.Stack()))
				if seen.status != 0 {
					panic(http.ErrAbortHandler) // a partial answer must not look complete
				}
				http.Error(seen, "internal error", http.StatusInternalServerError)
			}
			if !log.Enabled(r.Context(), what.level) {
				return
			}
			attrs := []slog.Attr{
				slog.String("method", loggedMethod(r.Method)), slog.String("route", r.Pattern),
				slog.Int("status", seen.status), slog.Duration("took", time.Since(began)),
			}
			if what.peer {
				attrs = append(attrs, slog.String("from", r.RemoteAddr))
			}
			log.LogAttrs(r.Context(), what.level, "request", attrs...)
		}()
		next.ServeHTTP(seen, r)
	})
}

// loggedMethod returns a method for the log. Clients choose it, up to the limit of a header.
func loggedMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}

// statusWriter records the status of an answer; 0: no status yet.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type promLog struct{ log *slog.Logger }

func (l promLog) Println(v ...any) { l.log.Error("Some metrics could not be collected.", "error", v) }
