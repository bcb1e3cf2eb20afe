package follower

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// S81–S84, S87, S88: failures have a type, are logged, and leave the config in force.
func TestFetchFailures(t *testing.T) {
	for name, test := range map[string]struct {
		fault  fakecdn.Fault
		code   int
		status int
	}{
		"403 (S83)":                  {fakecdn.Status(403), 1100, 403},
		"404 (S83)":                  {fakecdn.Status(404), 1100, 404},
		"500 (S84)":                  {fakecdn.Status(500), 1101, 500},
		"timeout (S84)":              {fakecdn.Hang(nil), 1102, 0},
		"network (S84, S85)":         {fakecdn.Network(errors.New("unplugged")), 1103, 0},
		"no config (S81)":            {fakecdn.HTML(), 1105, 200},
		"empty body (S81)":           {fakecdn.Body("application/json", ""), 1105, 200},
		"loop (S87)":                 {redirectInTurn, 1104, 200},
		"304 without a config (S82)": {fakecdn.Status(304), 1106, 304},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := cdnAt(7)
				log, logging := recorded(slog.LevelWarn)
				if test.code == 1106 {
					cdn.Break(test.fault)
				}
				c := n.ready(t, online(cdn), logging)
				cdn.Break(test.fault)
				log.events = nil
				err := c.Refresh(t.Context())
				failure, ok := errors.AsType[*FetchError](err)
				if !ok || failure.Code != test.code || failure.Status != test.status {
					t.Fatalf("%v", err)
				}
				if strings.Contains(err.Error(), testSDKKey) {
					t.Error("the SDK key shows (S103)")
				}
				wantEvents(t, log, test.code, 1)
				want := 7
				if test.code == 1106 {
					want = -1
				}
				wantVersion(t, c, want)
				cdn.Repair()
				cdn.Publish()
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				wantVersion(t, c, 8)
			})
		})
	}
}

// redirectInTurn redirects each request from one host to the other.
func redirectInTurn(w http.ResponseWriter, r *http.Request, _ func() fakecdn.Config) {
	next := "https://a.configcat.com"
	if r.Host == "a.configcat.com" {
		next = "https://b.configcat.com"
	}
	fmt.Fprintf(w, `{"p":{"u":%q,"r":1},"f":{}}`, next)
}

// S83: after 403 or 404 the next request waits as long as after an answer; after other failures the
// next tick retries (S84). Neither confirms the content (I14).
func TestAnUnknownSDKKeyIsNotRequestedRepeatedly(t *testing.T) {
	for status, want := range map[int][3]int{403: {1, 1, 2}, 500: {20, 21, 22}} {
		inBubble(t, func(t *testing.T, n *network) {
			cdn := fakecdn.New()
			cdn.Break(fakecdn.Status(status))
			c := n.ready(t, online(cdn), func(c *Config) { c.PollingMode = Lazy })
			for range 20 {
				wantVersion(t, c, -1)
				time.Sleep(time.Second)
			}
			wantRequests(t, cdn, want[0])
			if s := c.CacheState(); s != NoFlagData {
				t.Error(s)
			}
			time.Sleep(39400 * time.Millisecond) // 59.4 s after the first, with S42's tolerance
			wantVersion(t, c, -1)
			wantRequests(t, cdn, want[1])
			time.Sleep(200 * time.Millisecond)
			wantVersion(t, c, -1)
			wantRequests(t, cdn, want[2])
		})
	}
}

// S85: the CDN receives no request before the time of Retry-After, not even by Refresh.
func TestRetryAfterIsHonoured(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		cdn := cdnAt(2)
		cdn.Break(fakecdn.TooMany(5 * time.Minute))
		c := n.ready(t, online(cdn))
		wantRequests(t, cdn, 1)
		cdn.Repair()
		time.Sleep(4 * time.Minute)
		if err := c.Refresh(t.Context()); err == nil {
			t.Error("no error")
		}
		wantRequests(t, cdn, 1)
		time.Sleep(2 * time.Minute)
		wantVersion(t, c, 2)
	})
}

// S3, S4, S7, S8, S10, S80: the settings determine URL, header and transport of a request.
func TestCDNSettingsAreUsed(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		url    string
	}{
		"Global (S10)":  {func(*Config) {}, "https://cdn-global.configcat.com/configuration-files/" + testSDKKey + "/config_v6.json"},
		"EUOnly (S10)":  {func(c *Config) { c.DataGovernance = EUOnly }, "https://cdn-eu.configcat.com/configuration-files/" + testSDKKey + "/config_v6.json"},
		"base URL (S4)": {func(c *Config) { c.BaseURL = "https://cdn.example.com/x" }, "https://cdn.example.com/x/configuration-files/" + testSDKKey + "/config_v6.json"},
		"proxy key (S3)": {func(c *Config) { c.BaseURL, c.SDKKey = "http://127.0.0.1:9", "configcat-proxy/my" },
			"http://127.0.0.1:9/configuration-files/configcat-proxy/my/config_v6.json"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := fakecdn.New()
				var url string
				var header http.Header
				c := n.ready(t, online(cdn), test.change, func(c *Config) {
					c.PollingMode = AutoPoll
					c.Transport = transport(func(r *http.Request) (*http.Response, error) {
						url, header = r.URL.String(), r.Header
						return cdn.RoundTrip(r)
					})
				})
				wantVersion(t, c, 1)
				c.Close()
				if url != test.url || !strings.HasPrefix(header.Get("X-ConfigCat-UserAgent"), "ConfigCat-Go-catbridge/a-") {
					t.Errorf("%s, %v", url, header)
				}
			})
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The CDN does not know the ETags of an operator's control. A restored client may hold content with one.
func TestTheETagOfAControlIsNotSentToTheCDN(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.order(ordered, configJSON(2))
		file := filepath.Join(t.TempDir(), "snapshot")
		c := n.ready(t, func(c *Config) { c.SnapshotFile = file })
		wantVersion(t, c, 2)
		c.Close()
		n.link.Down()
		cdn := cdnAt(9)
		c = n.ready(t, online(cdn), func(c *Config) { c.SnapshotFile = file })
		time.Sleep(2 * time.Minute)
		wantVersion(t, c, 9)
		if requests := cdn.Requests(); len(requests) == 0 || requests[0].ETag != "" || requests[len(requests)-1].ETag == "" {
			t.Errorf("%+v", requests)
		}
		n.link.Up()
		wantVersion(t, c, 9)
		time.Sleep(10 * time.Second)
		wantVersion(t, c, 2) // once it knows of the control
	})
}
