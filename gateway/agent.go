package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
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

// polls reports whether the SDK polls by itself, in the background, so that its request may wait
// for a change: its name ends in /a-{version}. The SDK for PHP has no background.
func polls(agent string) bool {
	slash := strings.LastIndexByte(agent, '/')
	return slash >= 0 && strings.HasPrefix(agent[slash+1:], "a-") && !strings.HasPrefix(agent, "ConfigCat-PHP")
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
