package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/configserver"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
	"github.com/catbridge/catbridge/internal/wire"
)

// shopFleet is what people look at with the dashboard: two leaders and a serve process that have one,
// followers that report, and a CDN whose configs the test changes.
type shopFleet struct {
	testing.TB
	server  *redistest.Process
	client  *redis.Client
	cdn     shopCDN
	env     []string
	leaders []*dashboardProcess
	serve   *dashboardProcess
	// watchers are the followers that report, by name.
	watchers map[string]*dashboardProcess
}

// fleetOptions are the options of a shopFleet.
type fleetOptions struct {
	keys      []string // names of SDK keys; nil: shop
	followers []string // names; nil: web-1 and web-2
	tokens    string   // path of a file with tokens for SDK keys of these names; empty: there are none
	hosts     bool     // the processes have the host names bridge-1, bridge-2 and edge-1
	slowly    bool     // with the default timings instead of --fast
}

// startShop starts a fleet with the config testdata/shop.json. It ends with the test.
func startShop(t testing.TB, o fleetOptions) *shopFleet {
	t.Helper()
	f := &shopFleet{TB: t, server: redistest.Start(t)}
	f.client = f.server.Client(t, nil)
	if o.keys == nil {
		o.keys = []string{"shop"}
	}
	if o.followers == nil {
		o.followers = []string{"web-1", "web-2"}
	}
	var keys []string
	f.cdn = shopCDN{}
	for _, name := range o.keys {
		keys = append(keys, name+"="+keyNamed(name))
		f.cdn[keyNamed(name)] = new(atomic.Pointer[[]byte])
		f.cdn[keyNamed(name)].Store(new(shopConfig(t)))
	}
	web := httptest.NewServer(f.cdn)
	t.Cleanup(web.Close)
	f.env = []string{
		"CATBRIDGE_SDK_KEY=" + strings.Join(keys, ","), "CATBRIDGE_REDIS_URL=" + f.server.URL(), "CATBRIDGE_BASE_URL=" + web.URL,
		"TZ=UTC", "USER=ann",
	}
	profile := "--fast"
	if o.slowly {
		profile = "--timings-profile=default"
	}
	host := func(name string) string {
		if !o.hosts {
			return ""
		}
		return name
	}
	for i := range 2 {
		args := []string{"leader", profile, "--poll-interval", "1s", "--log-format", "json", "--ui"}
		if o.tokens != "" {
			args = append(args, "--ui-token-file", o.tokens)
		} else {
			args = append(args, "--ui-open-actions")
		}
		f.leaders = append(f.leaders, f.start(host(fmt.Sprintf("bridge-%d", i+1)), args...))
	}
	args := []string{"serve", profile, "--ui", "--fleet-report", "5s"}
	if o.tokens != "" {
		args = append(args, "--token-file", o.tokens)
	}
	f.serve = f.start(host("edge-1"), args...)
	for _, name := range o.keys {
		f.awaitContent(name)
	}
	f.watchers = map[string]*dashboardProcess{}
	for _, name := range o.followers {
		f.watch(name)
	}
	return f
}

// watch starts catbridge watch, a follower that reports under a name.
func (f *shopFleet) watch(name string) {
	f.Helper()
	p := &dashboardProcess{t: f.TB, env: f.env, args: []string{"watch", "--fast", "--name", "shop", "--fleet-report", "5s", "--fleet-name", name}}
	p.begin()
	f.watchers[name] = p
}

// keyNamed returns the SDK key of a name.
func keyNamed(name string) string {
	if name == "shop" {
		return sdkKey
	}
	return "configcat-sdk-1/TEST_KEY-0123456789012/" + wire.ContentHash([]byte(name))[:22]
}

// publish makes the CDN serve a config, and waits until it is in force. It returns the start of its hash, as pages show it.
func (f *shopFleet) publish(name string, config []byte) (hash string) {
	f.Helper()
	f.cdn[keyNamed(name)].Store(&config)
	f.awaitContent(name)
	return wire.ContentHash(config)[:8]
}

// change makes the CDN serve the current config with some strings replaced by others, and waits until it is in force.
func (f *shopFleet) change(name string, oldAndNew ...string) (hash string) {
	f.Helper()
	config := string(*f.cdn[keyNamed(name)].Load())
	for pair := range slices.Chunk(oldAndNew, 2) {
		if !strings.Contains(config, pair[0]) {
			f.Fatalf("the config does not contain %s", pair[0])
		}
		config = strings.ReplaceAll(config, pair[0], pair[1])
	}
	return f.publish(name, []byte(config))
}

// awaitContent waits until what the CDN serves is in force.
func (f *shopFleet) awaitContent(name string) {
	f.Helper()
	want := wire.ContentHash(*f.cdn[keyNamed(name)].Load())
	for f.meta(name).Hash != want {
		f.pause()
	}
}

// meta returns what is in force; its zero value: nothing.
func (f *shopFleet) meta(name string) wire.Meta {
	f.Helper()
	reply, err := f.client.HMGet(f.Context(), cachekeys.For(keyNamed(name), "", 0).Meta, wire.MetaFields()...).Result()
	if err != nil {
		f.Fatal(err)
	}
	meta, err := wire.ParseMeta(reply)
	if err != nil {
		f.Fatal(err)
	}
	return meta
}

// revs returns the revs of the history, the newest first.
func (f *shopFleet) revs(name string) (revs []int64) {
	f.Helper()
	var history struct{ Entries []struct{ Rev int64 } }
	if err := json.Unmarshal([]byte(f.run("history", name, "--json")), &history); err != nil {
		f.Fatal(err)
	}
	for _, entry := range history.Entries {
		revs = append(revs, entry.Rev)
	}
	return revs
}

// leading returns the leader of the SDK key shop, once there is one, and the other process.
func (f *shopFleet) leading() (leads, other *dashboardProcess) {
	f.Helper()
	for {
		holder, _, _ := wire.ParseLock(f.client.Get(f.Context(), cachekeys.For(sdkKey, "", 0).Lock).Val()) // empty: nobody leads
		for i, p := range f.leaders {
			if holder != "" && strings.Contains(p.log.String(), fmt.Sprintf(`"leader":%q`, holder)) {
				return p, f.leaders[1-i]
			}
		}
		f.pause()
	}
}

// pause is between two looks at something that does not announce itself.
func (f *shopFleet) pause() {
	f.Helper()
	if err := f.Context().Err(); err != nil {
		f.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
}

// run runs a command of the program that must succeed, and returns its output.
func (f *shopFleet) run(args ...string) string {
	f.Helper()
	cmd := exec.CommandContext(f.Context(), program.Path(f.TB), args...)
	cmd.Env = f.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		f.Fatalf("catbridge %q: %v\n%s%s", args, err, out, stderr.String())
	}
	return string(out)
}

// start starts a process with a dashboard, on a host of that name; empty: this one.
func (f *shopFleet) start(host string, args ...string) *dashboardProcess {
	f.Helper()
	addr := freeAddr(f.TB)
	p := &dashboardProcess{t: f.TB, addr: addr, host: host, env: f.env, args: append(args, "--listen", addr)}
	p.begin()
	for p.try("/healthz") == nil { // it listens
		select {
		case <-p.exited:
			f.Fatalf("catbridge %q: %s", p.args, p.log)
		default:
			f.pause()
		}
	}
	return p
}

// dashboardProcess is a process of the program. It can be killed and started again.
type dashboardProcess struct {
	t    testing.TB
	addr string
	host string
	env  []string
	args []string
	cmd  *exec.Cmd
	log  *syncbuffer.Buffer

	exited chan struct{}
}

// begin starts the process. Each function of more changes the command before.
func (p *dashboardProcess) begin(more ...func(*exec.Cmd)) {
	p.t.Helper()
	p.log = new(syncbuffer.Buffer)
	path, args := program.Path(p.t), p.args
	if p.host != "" {
		path, args = "unshare", append([]string{"--user", "--map-root-user", "--uts", "sh", "-c", `hostname "$0" && exec "$@"`, p.host, path}, args...)
	}
	p.cmd = exec.CommandContext(p.t.Context(), path, args...)
	p.cmd.Env, p.cmd.Stderr = p.env, p.log
	for _, change := range more {
		change(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd, log, exited := p.cmd, p.log, make(chan struct{})
	p.exited = exited
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if p.t.Failed() {
			p.t.Logf("catbridge %q: %s", p.args, log.String())
		}
	})
}

func (p *dashboardProcess) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *dashboardProcess) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

func (p *dashboardProcess) url(path string) string { return "http://" + p.addr + path }

// try returns the body of an answer, or nil if there is none.
func (p *dashboardProcess) try(path string) []byte {
	res, err := p.get(path)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil || body.Len() == 0 {
		return nil
	}
	return body.Bytes()
}

func (p *dashboardProcess) get(path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url(path), nil)
	if err != nil {
		return nil, err
	}
	return (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
}

// shopCDN serves a config for each SDK key.
type shopCDN map[string]*atomic.Pointer[[]byte]

func (c shopCDN) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, key, ok := configserver.SplitPath(r.URL.Path)
	config := c[key]
	if !ok || config == nil {
		http.NotFound(w, r)
		return
	}
	json := *config.Load()
	configserver.Answer(w, r, json, fmt.Sprintf("%q", wire.ContentHash(json)[:16]))
}

// shopConfig returns the config of the shop.
func shopConfig(t testing.TB) []byte {
	t.Helper()
	config, err := os.ReadFile(filepath.Join("testdata", "shop.json"))
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, config); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

// dashboardPages are the paths of all pages, besides those that answer a form, by what they show.
func dashboardPages(f *shopFleet) []string {
	return []string{
		"/ui/", "/ui/sdk/shop/flags", "/ui/sdk/shop/flags/newCheckout", "/ui/sdk/shop/segments/Beta%20testers", "/ui/sdk/shop/history",
		fmt.Sprintf("/ui/sdk/shop/history/%d", f.revs("shop")[0]), "/ui/sdk/shop/fleet", "/ui/sdk/shop/actions",
	}
}
