package interop

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// TestF42_OfficialSDKsFollowLeadersThroughServe runs the three fetchers of the SDK, each with the
// requests held and not, against processes of catbridge serve on a real Redis. Leaders are killed,
// Redis loses everything, and serve restarts, one by one and together. Every SDK receives every
// config, and never an older one.
func TestF42_OfficialSDKsFollowLeadersThroughServe(t *testing.T) {
	t.Parallel()
	rounds := 0
	t.Cleanup(func() { reportRounds(t, "F42", "OfficialSDKsFollowLeadersThroughServe", leaseOfProcesses, rounds) })
	server, cdn := redistest.Start(t), fakecdn.New()
	leaders := startLeaders(t, server, cdn)
	held, polled := startServe(t, server, "--hold", "5s"), startServe(t, server)
	var sdks group
	for _, fetcher := range fetchers {
		sdks.add(fetcher+", held", startHTTPSDK(t, held.url(), "--fetcher", fetcher))
		sdks.add(fetcher, startHTTPSDK(t, polled.url(), "--fetcher", fetcher))
	}
	end := func(signal os.Signal) {
		t.Helper()
		var both sync.WaitGroup
		for _, s := range []*serveProcess{held, polled} {
			both.Go(func() { s.end(t, signal) })
		}
		both.Wait()
	}
	start := func() { t.Helper(); held.start(t); polled.start(t) }
	publish := func() { t.Helper(); sdks.receive(t, cdn.Publish()) }

	sdks.receive(t, 1)
	faults := []struct {
		name   string
		happen func()
	}{
		{"no fault", func() { held.holds(t, len(fetchers)) }},
		{"the leader is killed", func() { leaders.kill(t) }},
		{"Redis is killed, and comes back empty", func() { server.Kill(); server.Restart(t) }},
		{"serve restarts", func() { end(os.Interrupt); start() }},
		{"the leader is killed while serve is away", func() { end(syscall.SIGKILL); leaders.kill(t); start() }},
		{"Redis is killed while serve is away", func() { end(os.Interrupt); server.Kill(); start(); server.Restart(t) }},
		{"everything is killed", func() { end(syscall.SIGKILL); leaders.kill(t); server.Kill(); server.Restart(t); start() }},
	}
	for round := range numberFrom(t, "ROUNDS", uint64(len(faults))) {
		fault := faults[round%uint64(len(faults))]
		t.Logf("round %d: %s", round, fault.name)
		fault.happen()
		publish()
		rounds++
	}
}

// TestOfficialSDKsTakeNamesInPlaceOfKeys uses the name of an SDK key alone, from this machine, and with a token.
func TestOfficialSDKsTakeNamesInPlaceOfKeys(t *testing.T) {
	t.Parallel()
	server, cdn := redistest.Start(t), fakecdn.New()
	startLeader(t, server.Client(t, nil), cdn)
	const token = "token-of-this-test-0"
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := startServe(t, server, "--token-file", file)
	var sdks group
	for _, key := range []string{"configcat-proxy/interop", "configcat-proxy/interop." + token} {
		for _, fetcher := range fetchers {
			sdks.add(key+", "+fetcher, startHTTPSDKAs(t, key, serve.url(), "--fetcher", fetcher))
		}
	}
	sdks.receive(t, 1)
	wrong := startHTTPSDKAs(t, "configcat-proxy/interop.another-token-0000", serve.url(), "--mode", "manual")
	if r := wrong.ask(t, ""); len(r.Flags) > 0 || len(r.Errors) == 0 {
		t.Errorf("an SDK with another token has %+v", r)
	}
}

// TestOfficialSDKsAgreeWithTheFollowerThroughAGateway compares the values of every flag of each
// config of the conformance data: in Node, through nginx, and in Chromium.
func TestOfficialSDKsAgreeWithTheFollowerThroughAGateway(t *testing.T) {
	t.Parallel()
	for _, fetcher := range fetchers {
		t.Run(fetcher, func(t *testing.T) {
			requireAgreement(t, func(baseURL string) *httpSDK {
				return startHTTPSDK(t, baseURL, "--mode", "manual", "--fetcher", fetcher)
			}, fetcher == "node")
		})
	}
	t.Run("nginx", func(t *testing.T) {
		requireAgreement(t, func(baseURL string) *httpSDK {
			return startHTTPSDK(t, startNginx(t, baseURL).compressing, "--mode", "manual", "--fetcher", "undici")
		}, false)
	})
	t.Run("Chromium", func(t *testing.T) {
		chromium := startBrowser(t)
		for _, fetcher := range browserFetchers {
			t.Run(fetcher, func(t *testing.T) {
				requireAgreement(t, func(baseURL string) *httpSDK {
					return chromium.open(t, page{baseURL: baseURL, fetcher: fetcher, mode: "manual"})
				}, false, chromium.site)
			})
		}
	})
}

// requireAgreement compares an SDK in the mode manual with the follower, if matrix is set for all
// users of each roll-out matrix, too. Pages of the origins may read the configs.
func requireAgreement(t *testing.T, start func(baseURL string) *httpSDK, matrix bool, origins ...string) {
	t.Helper()
	g := startGateway(t, redistest.Start(t), gateway.MaxHold, origins...)
	sdk := start(g.url)
	flags := 0
	for name, content := range conformanceConfigs(t) {
		g.put(t, name, content)
		users := someUsers()
		if matrix {
			users = append(users, g.matrixUsers(name)...)
		}
		for _, user := range users {
			official := sdk.ask(t, user.json())
			for key, f := range official.Flags {
				f.Error = "" // compared by TestDifferential
				official.Flags[key] = f
			}
			if diff := cmp.Diff(official.Flags, followerFlags(g.client, user.user())); diff != "" {
				t.Fatalf("%s, %s: official SDK and follower differ (-official +follower):\n%s\n%s", name, user.json(), diff, strings.Join(official.Errors, "\n"))
			}
			flags += len(official.Flags)
		}
	}
	if flags == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d evaluations are the same", flags)
}

// TestAPageReceivesConfigsThatComeBack leaves an answer to each ETag of the page in the browser's HTTP
// cache: the other config. The page must not take that for the answer the next time.
func TestAPageReceivesConfigsThatComeBack(t *testing.T) {
	t.Parallel()
	chromium := startBrowser(t)
	for name, hold := range map[string]time.Duration{"held": gateway.MaxHold, "polled": 0} {
		t.Run(name, func(t *testing.T) {
			g := startGateway(t, redistest.Start(t), hold, chromium.site)
			var sdk *httpSDK
			for _, version := range []int64{1, 2, 1, 2} {
				g.put(t, "comes back", fakecdn.Config{Version: version}.JSON())
				if sdk == nil {
					sdk = chromium.open(t, page{baseURL: g.url})
				}
				for sdk.read(t).version() != float64(version) {
				}
				if hold == 0 {
					g.awaitAnswers(t, 2) // the last of them may be under way
				}
				if err := sdk.write(""); err != nil {
					t.Fatal(err)
				}
				// The SDK says that it changed at each answer 200, also to what it has.
				for changed := true; changed; {
					r := sdk.read(t)
					if changed = r.Changed; r.version() != float64(version) {
						t.Fatalf("the page has version %v, want %d", r.version(), version)
					}
				}
			}
		})
	}
}

// gatewayServer serves what a follower reads from the shared cache.
type gatewayServer struct {
	*cached
	gateway *gateway.Gateway
	url     string
}

// startGateway starts one, which ends with the test. Pages of the origins may read the configs.
func startGateway(t testing.TB, server *redistest.Process, hold time.Duration, origins ...string) *gatewayServer {
	t.Helper()
	client, err := follower.New(follower.Config{SDKKey: sdkKey, Redis: server.Client(t, nil), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	<-client.Ready()
	g, err := gateway.New(gateway.Config{SDKs: []gateway.SDK{{Key: sdkKey, Client: client}}, Hold: hold, Origins: origins})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	web := httptest.NewServer(g)
	t.Cleanup(web.Close)
	return &gatewayServer{newCached(t, server.Client(t, nil), client), g, web.URL}
}

// awaitAnswers waits for n more answers.
func (g *gatewayServer) awaitAnswers(t *testing.T, n int) {
	t.Helper()
	answers := func() (sum uint64) {
		for _, n := range g.gateway.Stats().Answers {
			sum += n
		}
		return sum
	}
	for want := answers() + uint64(n); answers() < want; {
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
