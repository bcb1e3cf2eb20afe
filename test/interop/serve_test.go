package interop

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// httpReading is what the official SDK has from an HTTP server.
type httpReading struct {
	Changed bool            `json:"changed"` // the SDK received another config
	At      int64           `json:"at"`      // Unix milliseconds
	Flags   map[string]flag `json:"flags"`
	Errors  []string        `json:"errors"`
}

// startHTTPSDK starts the official SDK on a base URL. It ends with the test.
func startHTTPSDK(t *testing.T, baseURL string, args ...string) process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node(t), append([]string{"serve.mjs", "--base-url", baseURL}, args...)...)
	cmd.Env = append(os.Environ(), "CATBRIDGE_SDK_KEY="+sdkKey)
	return startLines(t, cmd)
}

func (p process) read(t *testing.T) httpReading {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the official SDK ended: %v\n%s", p.lines.Err(), p.stderr)
	}
	var r httpReading
	if err := json.Unmarshal(p.lines.Bytes(), &r); err != nil {
		t.Fatalf("the official SDK printed %q: %v", p.lines.Text(), err)
	}
	return r
}

// version waits until the SDK has received that version.
func (p process) version(t *testing.T, version int64) httpReading {
	t.Helper()
	for {
		r := p.read(t)
		switch have := r.Flags[fakecdn.VersionFlag].Value; {
		case have == float64(version):
			return r
		case !r.Changed:
			t.Fatalf("the official SDK printed %+v", r)
		}
	}
}

var httpFetchers = []string{"node", "undici", "browser"}

// TestOfficialSDKsFollowLeadersThroughServe runs the three fetchers of the SDK, each with the
// requests held and not, against catbridge serve on a real Redis. Then serve and Redis restart.
func TestOfficialSDKsFollowLeadersThroughServe(t *testing.T) {
	server := redistest.Start(t)
	client, cdn := server.Client(t, nil), fakecdn.New()
	_, refresh := startLeader(t, client, cdn)
	held, plain := startServe(t, server, freeAddr(t), "--hold", "5s"), startServe(t, server, freeAddr(t))
	var sdks []process
	var names []string
	for _, fetcher := range httpFetchers {
		for name, s := range map[string]*serveProcess{"held": held, "polling": plain} {
			sdks = append(sdks, startHTTPSDK(t, "http://"+s.addr, "--fetcher", fetcher))
			names = append(names, fetcher+", "+name)
		}
	}
	all := func(what string, version int64) {
		t.Helper()
		published := time.Now()
		for i, sdk := range sdks {
			r := sdk.version(t, version)
			if len(r.Errors) > 0 {
				t.Logf("%s: %s: %q", what, names[i], r.Errors)
			}
			t.Logf("%s: %s: after %v", what, names[i], time.UnixMilli(r.At).Sub(published).Round(time.Millisecond))
		}
	}
	all("first", 1)
	for range 3 {
		held.holds(t, len(httpFetchers))
		version := cdn.Publish()
		refresh()
		all("change", version)
	}

	held.restart(t)
	plain.restart(t)
	version := cdn.Publish()
	refresh()
	all("after serve restarted", version)

	server.Kill()
	server.Restart(t)
	version = cdn.Publish()
	all("after Redis restarted", version) // with the leader's next poll
}

type serveProcess struct {
	cmd  *exec.Cmd
	addr string
	url  string // of Redis
	args []string
}

func startServe(t *testing.T, server *redistest.Process, addr string, args ...string) *serveProcess {
	t.Helper()
	s := &serveProcess{addr: addr, url: server.URL(), args: args}
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *serveProcess) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.CommandContext(t.Context(), program.Path(t), append([]string{"serve", "--listen", s.addr}, s.args...)...)
	s.cmd.Env = []string{"CATBRIDGE_SDK_KEY=interop=" + sdkKey, "CATBRIDGE_REDIS_URL=" + s.url}
	s.cmd.Stderr = t.Output()
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (s *serveProcess) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(os.Interrupt)
	if err := s.cmd.Wait(); err != nil && t.Context().Err() == nil {
		t.Errorf("serve: %v", err)
	}
}

// holds waits until n requests wait for a change.
func (s *serveProcess) holds(t *testing.T, n int) {
	t.Helper()
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		var status struct{ Streams struct{ Holding int } }
		err = json.NewDecoder(res.Body).Decode(&status)
		_ = res.Body.Close()
		switch {
		case err != nil:
			t.Fatal(err)
		case status.Streams.Holding >= n:
			http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *serveProcess) restart(t *testing.T) {
	t.Helper()
	s.stop(t)
	s.start(t)
}

// freeAddr returns an address on which nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestOfficialSDKThroughAGatewayAgreesWithTheFollower compares the values of every flag of each
// config of the conformance data.
func TestOfficialSDKThroughAGatewayAgreesWithTheFollower(t *testing.T) {
	server := redistest.Start(t)
	client, err := follower.NewClient(sdkKey, server.Client(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	<-client.Ready()
	g, err := gateway.New(gateway.Config{SDKs: []gateway.SDK{{Key: sdkKey, Client: client}}, Hold: gateway.MaxHold})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	web := httptest.NewServer(g)
	t.Cleanup(web.Close)
	flags, cached := 0, newCached(t, server.Client(t, nil), client)
	for _, fetcher := range httpFetchers {
		sdk := startHTTPSDK(t, web.URL, "--mode", "manual", "--fetcher", fetcher)
		for name, content := range conformanceConfigs(t) {
			cached.put(t, name, content)
			users := someUsers()
			if fetcher == "node" {
				users = append(users, cached.matrixUsers(name)...)
			}
			for _, user := range users {
				if _, err := io.WriteString(sdk.in, user.json()+"\n"); err != nil {
					t.Fatalf("the official SDK ended: %v\n%s", err, sdk.stderr)
				}
				official := sdk.read(t)
				for key, f := range official.Flags {
					f.Error = "" // compared by TestDifferential
					official.Flags[key] = f
				}
				if diff := cmp.Diff(official.Flags, followerFlags(client, user.user())); diff != "" {
					t.Fatalf("%s, %s: official SDK and follower differ (-official +follower):\n%s\n%s", name, user.json(), diff, strings.Join(official.Errors, "\n"))
				}
				flags += len(official.Flags)
			}
		}
	}
	if flags == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d evaluations are the same", flags)
}
