package httpd

import (
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// How many requests of a kind are handled at once: together fewer than minConnections.
const (
	hooksAtOnce    = 32
	metricsAtOnce  = 8
	statusAtOnce   = 8
	profilesAtOnce = 4
)

// newHandler serves what the configuration asks for, and nothing else.
func newHandler(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", notFound)
	mux.Handle("/hook/{name}", only(http.MethodPost, buffered(atOnce(hooksAtOnce, cfg.Leader.WebhookHandler()))))
	h := health{cfg.Leader}
	mux.Handle("/healthz", only(http.MethodGet, http.HandlerFunc(h.live)))
	mux.Handle("/readyz", only(http.MethodGet, http.HandlerFunc(h.ready)))
	if cfg.Gatherer != nil {
		mux.Handle("/metrics", only(http.MethodGet, atOnce(metricsAtOnce, promhttp.HandlerFor(cfg.Gatherer, promhttp.HandlerOpts{
			ErrorLog: promLog{cfg.Logger}, ErrorHandling: promhttp.ContinueOnError, Timeout: writeTimeout / 2,
		}))))
	}
	if cfg.Status {
		mux.Handle("/status", only(http.MethodGet, atOnce(statusAtOnce, status{cfg.Leader, cfg.Version})))
	}
	if cfg.Pprof {
		profiles := http.NewServeMux()
		profiles.HandleFunc("/debug/pprof/", pprof.Index)
		profiles.HandleFunc("/debug/pprof/cmdline", notFound) // may hold secrets
		profiles.HandleFunc("/debug/pprof/profile", pprof.Profile)
		profiles.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		profiles.HandleFunc("/debug/pprof/trace", pprof.Trace)
		mux.Handle("/debug/pprof/", only(http.MethodGet, atOnce(profilesAtOnce, patient(profiles))))
	}
	return observed(cfg.Logger, headers(mux))
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "there is nothing here", http.StatusNotFound)
}

// only refuses other methods. HEAD goes where GET does.
func only(method string, next http.Handler) http.Handler {
	allowed := []string{method}
	if method == http.MethodGet {
		allowed = append(allowed, http.MethodHead)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(allowed, r.Method) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		http.Error(w, "the method here is "+strings.Join(allowed, " or "), http.StatusMethodNotAllowed)
	})
}
