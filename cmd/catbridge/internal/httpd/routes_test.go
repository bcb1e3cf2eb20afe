package httpd

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
	"github.com/prometheus/client_golang/prometheus"
)

// everything enables all routes.
var everything = Config{Gatherer: prometheus.NewRegistry(), Status: true, Pprof: true}

func TestOnlyEnabledRoutesAreServed(t *testing.T) {
	for path, whole := range map[string]int{
		"/healthz": 200, "/readyz": 503, "/metrics": 200, "/status": 200, "/debug/pprof/": 200, "/debug/pprof/goroutine": 200,
		"/debug/pprof/cmdline": 404, "/debug/vars": 404, "/": 404, "/hook/": 404, "/hook/a/b": 404, "/hook/a/b/": 404, "/index.html": 404, "/healthz/": 404,
		"/.git/config": 404,
	} {
		if got := call(t, everything, "GET", path, "").Code; got != whole {
			t.Errorf("GET %s gave %d, want %d", path, got, whole)
		}
		bare := whole
		if path == "/metrics" || path == "/status" || strings.HasPrefix(path, "/debug") {
			bare = 404
		}
		if got := call(t, Config{}, "GET", path, "").Code; got != bare {
			t.Errorf("GET %s gave %d where it is not asked for, want %d", path, got, bare)
		}
	}
}

func TestOtherMethodsAreRejectedAndTheAllowedOnesNamed(t *testing.T) {
	for path, allowed := range map[string]string{
		"/healthz": "GET, HEAD", "/readyz": "GET, HEAD", "/metrics": "GET, HEAD", "/status": "GET, HEAD",
		"/debug/pprof/symbol": "GET, HEAD", "/hook/main": "GET, POST", "/hook/main/": "GET, POST",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"} {
			w := call(t, everything, method, path, "")
			refused := !slices.Contains(strings.Split(allowed, ", "), method)
			if got := w.Code == http.StatusMethodNotAllowed; got != refused {
				t.Errorf("%s %s gave %d", method, path, w.Code)
			}
			if refused && w.Header().Get("Allow") != allowed {
				t.Errorf("%s %s: Allow %q, want %q", method, path, w.Header().Get("Allow"), allowed)
			}
		}
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	for _, path := range []string{"/healthz", "/status", "/metrics", "/nothing", "/debug/pprof/"} {
		h := call(t, everything, "GET", path, "").Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}

func TestWebhooksReachTheLeader(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/hook/main", "/hook/main/"} {
			if w := call(t, Config{}, method, path, "changed"); w.Code != http.StatusOK || w.Body.String() != "main:changed" {
				t.Errorf("%s %s: %d %q", method, path, w.Code, w.Body)
			}
		}
	}
}

func TestALargeBodyIsReadOnlyUpToTheLimit(t *testing.T) {
	for size, want := range map[int]int{64 << 10: 64 << 10, 64<<10 + 1: 64<<10 + 1, 10 << 20: 64<<10 + 1} {
		w := httptest.NewRecorder()
		body := struct{ io.Reader }{strings.NewReader(strings.Repeat("x", size))} // without a declared length
		newHandler(Config{Leader: fixedLeader{}, Logger: slog.New(slog.DiscardHandler)}).ServeHTTP(w, httptest.NewRequest("POST", "/hook/main", body))
		if got := w.Body.Len() - len("main:"); got != want {
			t.Errorf("of %d bytes the leader got %d, want %d", size, got, want)
		}
	}
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	log := new(syncbuffer.Buffer)
	cfg := Config{
		Leader: fixedLeader{hook: func(http.ResponseWriter, *http.Request) { panic("no more ideas") }},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
	if w := call(t, cfg, "POST", "/hook/main", ""); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "ideas") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	for _, want := range []string{"level=ERROR", "no more ideas", "/hook/{name}", "stack="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
}

func TestRequestsAreLoggedAtLevelDebugOnlyAndByTheirRoute(t *testing.T) {
	log := new(syncbuffer.Buffer)
	cfg := Config{Logger: slog.New(slog.NewTextHandler(log, nil))}
	call(t, cfg, "POST", "/hook/secret", "")
	if log.String() != "" {
		t.Errorf("logged %s", log)
	}
	cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	call(t, cfg, "POST", "/hook/secret?key=secret", "")
	if text := log.String(); !strings.Contains(text, "route=/hook/{name} status=200") || strings.Contains(text, "secret") {
		t.Errorf("logged %s", text)
	}
}

func TestTheNumberOfRequestsHandledAtOnceIsBounded(t *testing.T) {
	if most := hooksAtOnce + metricsAtOnce + statusAtOnce + profilesAtOnce; most >= fewConnections {
		t.Fatalf("%d requests may be handled at once, on %d connections: none is left to give up", most, fewConnections)
	}
	hold, arrived := make(chan struct{}), make(chan struct{})
	_, url := start(t, Config{Leader: fixedLeader{hook: func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-hold
	}}})
	codes := make(chan int, hooksAtOnce)
	post := func() int {
		resp, err := http.Post(url+"/hook/main", "", nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for range hooksAtOnce {
		go func() { codes <- post() }()
		<-arrived
	}
	if got := post(); got != http.StatusServiceUnavailable {
		t.Errorf("one more gave %d", got)
	}
	close(hold)
	for range hooksAtOnce {
		if got := <-codes; got != http.StatusOK {
			t.Errorf("one of those gave %d", got)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// If the declared length of a body is too large, the body is not read.
func TestABodyWhoseLengthIsTooLargeIsRejectedUnread(t *testing.T) {
	length := make(chan int64, 1)
	s, _ := start(t, Config{Leader: fixedLeader{hook: func(w http.ResponseWriter, r *http.Request) {
		length <- r.ContentLength
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}}})
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(readTimeout / 2))
	if _, err := io.WriteString(c, "POST /hook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n := <-length; answer.StatusCode != http.StatusRequestEntityTooLarge || !answer.Close || n != 65537 {
		t.Errorf("%d, the leader saw a length of %d", answer.StatusCode, n)
	}
}
