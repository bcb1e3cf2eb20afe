package httpd

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The number of requests of each kind handled at once. Their sum is less than the connections of any server.
const (
	hooksAtOnce    = 32
	metricsAtOnce  = 8
	statusAtOnce   = 8
	profilesAtOnce = 4
	pagesAtOnce    = 32
)

// newHandler returns the handler of a leader process. docs/http.md is generated from the calls of mux.Handle
// and the comments at the ends of their lines.
func newHandler(cfg Config) http.Handler {
	mux, answers := http.NewServeMux(), &unread{most: maxUnread}
	mux.HandleFunc("/", notFound(cfg.ui != nil))
	hooks := only(getOrPost, buffered(answers.holding(atOnce(hooksAtOnce, cfg.Leader.WebhookHandler()))))
	mux.Handle("/hook/{name}", hooks) // ConfigCat's webhook for the SDK key of that name
	mux.Handle("/hook/{name}/{$}", hooks)
	h := health{cfg.Leader}
	mux.Handle("/healthz", only(getOrHead, http.HandlerFunc(h.live))) // 200 while the process works, also if Redis is unreachable
	mux.Handle("/readyz", only(getOrHead, http.HandlerFunc(h.ready))) // 200 if the process takes part for every SDK key, otherwise 503; a line for each SDK key
	guarded := func(next http.Handler) http.Handler { return next }
	if cfg.loopback || len(cfg.Hosts) > 0 {
		guarded = func(next http.Handler) http.Handler { return fromHosts(cfg.Hosts, next) }
	}
	addInternal(mux, answers, guarded, cfg.Gatherer, cfg.Logger, cfg.Pprof)
	addUI(mux, answers, cfg.ui)
	if cfg.Status {
		mux.Handle("/status", guarded(only(getOrHead, answers.holding(atOnce(statusAtOnce, status{cfg.Leader, cfg.Version}))))) // JSON, see below; with the setting status
	}
	return observed(cfg.Logger, access{slog.LevelDebug, true}, headers(lastIfUnclear(mux)))
}

// addInternal adds /metrics, unless gatherer is nil, and the profiles.
func addInternal(mux *http.ServeMux, answers *unread, guarded func(http.Handler) http.Handler, gatherer prometheus.Gatherer, log *slog.Logger, withProfiles bool) {
	if gatherer != nil {
		mux.Handle("/metrics", guarded(only(getOrHead, answers.holding(atOnce(metricsAtOnce, promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{
			ErrorLog: promLog{log}, ErrorHandling: promhttp.ContinueOnError, Timeout: writeTimeout / 2,
		})))))) // for Prometheus; with the setting metrics.enabled
	}
	if !withProfiles {
		return
	}
	profiles := http.NewServeMux()
	profiles.HandleFunc("/debug/pprof/", pprof.Index)
	profiles.HandleFunc("/debug/pprof/cmdline", notFound(false)) // may contain secrets
	profiles.HandleFunc("/debug/pprof/profile", pprof.Profile)
	profiles.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	profiles.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/pprof/", guarded(only(getOrHead, atOnce(profilesAtOnce, patient(profiles))))) // profiles of Go; with the setting pprof
}

// notFound answers with the paths that there are.
func notFound(ui bool) http.HandlerFunc {
	text := "not found; see /healthz and /readyz"
	if ui {
		text = "not found; see /ui/, /healthz and /readyz"
	}
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, http.StatusNotFound) }
}

var (
	getOrHead = []string{http.MethodGet, http.MethodHead}
	getOrPost = []string{http.MethodGet, http.MethodPost}
)

// only rejects other methods than the allowed ones.
func only(allowed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(allowed, r.Method) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		http.Error(w, "method not allowed; use "+strings.Join(allowed, " or "), http.StatusMethodNotAllowed)
	})
}
