package localcdn

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/configserver"
)

// Server serves one config for every SDK key. All methods are safe for concurrent use.
type Server struct {
	current atomic.Pointer[Content]
	log     *slog.Logger
}

// New returns a server of content. It logs each request, with the SDK key masked.
func New(content *Content, logger *slog.Logger) *Server {
	s := &Server{log: logger}
	s.current.Store(content)
	return s
}

// Publish replaces the content that is served.
func (s *Server) Publish(content *Content) { s.current.Store(content) }

// Current returns the content that is served.
func (s *Server) Current() *Content { return s.current.Load() }

// ServeHTTP implements [http.Handler]. It answers 304 if the request has the ETag of the
// current content, 200 for /healthz, and 404 if the path has no well-formed SDK key.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" { // of probes, such as the image's
		_, _ = io.WriteString(w, "alive\n")
		return
	}
	seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	sdkKey := s.serve(seen, r)
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method), slog.Int("status", seen.status),
		slog.String("sdk_key", cdn.Mask(sdkKey)), slog.String("from", r.RemoteAddr), slog.String("user_agent", r.UserAgent()))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) (sdkKey string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET or HEAD", http.StatusMethodNotAllowed)
		return ""
	}
	base, sdkKey, ok := configserver.SplitPath(r.URL.Path)
	if !ok || base != "" || cdn.CheckSDKKey(sdkKey, true) != nil {
		http.Error(w, "no config here: the path is "+configserver.PathPrefix+"{SDK key}"+configserver.PathSuffix, http.StatusNotFound)
		return ""
	}
	content := s.Current()
	w.Header().Set("Cache-Control", "no-cache")
	configserver.Answer(w, r, content.JSON, content.ETag)
	return sdkKey
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Serve answers requests until ctx ends, and closes the listener. Requests in progress then
// have 1 s to end.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	})
	err := server.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
