package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// agentOf returns how an official SDK names itself, such as ConfigCat-Node/a-11.3.1, or "". The
// SDKs for browsers send it in the query, because they can set no header.
func agentOf(r *http.Request) string {
	if h := r.Header["X-Configcat-Useragent"]; len(h) > 0 {
		return h[0]
	}
	if !strings.Contains(r.URL.RawQuery, "sdk=") {
		return ""
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // other parameters may be malformed
	return query.Get("sdk")
}

// holds are how long requests of these SDKs may be held at most. The others are not here: they
// evaluate flags while a request is pending, and wait for its answer for at least 10 s.
var holds = map[string]time.Duration{
	"ConfigCat-PHP": 0, // polls while a page waits
	// Holds the lock of the config during a request, so that evaluations wait for its end.
	"ConfigCat-Rust": 0,
	// Wait for an answer for 5 s.
	"ConfigCat-Cpp":    3 * time.Second,
	"ConfigCat-Elixir": 3 * time.Second,
	"ConfigCat-Unreal": 3 * time.Second,
}

// maxHold returns how long a request of an SDK may be held at most. It is 0 unless the SDK polls by
// itself, in the background: its name ends in /a-{version}.
func maxHold(agent string) time.Duration {
	slash := strings.LastIndexByte(agent, '/')
	if slash < 0 || !strings.HasPrefix(agent[slash+1:], "a-") {
		return 0
	}
	if limit, ok := holds[agent[:slash]]; ok {
		return limit
	}
	return MaxHold
}

const (
	// maxAgents bounds the SDK versions that are counted one by one.
	maxAgents = 64
	// otherAgents is the name under which all further ones are counted, and malformed names.
	otherAgents = "other"
)

// agents counts requests by SDK and version. Requests choose the names, so they are bounded.
type agents struct {
	counts sync.Map // of name to *atomic.Uint64
	mu     sync.Mutex
	known  int
}

func (a *agents) count(agent string) {
	if agent == "" {
		return
	}
	n, ok := a.counts.Load(agent)
	if !ok {
		n = a.add(agent)
	}
	n.(*atomic.Uint64).Add(1)
}

func (a *agents) add(agent string) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !wellFormed(agent) || a.known >= maxAgents {
		agent = otherAgents
	}
	n, loaded := a.counts.LoadOrStore(agent, new(atomic.Uint64))
	if !loaded {
		a.known++
	}
	return n
}

func (a *agents) read() map[string]uint64 {
	counts := map[string]uint64{}
	for name, n := range a.counts.Range {
		counts[name.(string)] = n.(*atomic.Uint64).Load()
	}
	return counts
}

// wellFormed reports whether a name is ConfigCat-{SDK}/{mode}-{version}.
func wellFormed(agent string) bool {
	sdk, version, ok := strings.Cut(agent, "/")
	if !ok || len(agent) > 64 || !strings.HasPrefix(sdk, "ConfigCat-") || len(version) < 3 || version[1] != '-' {
		return false
	}
	return strings.IndexFunc(agent, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-./_+", r)
	}) < 0
}
