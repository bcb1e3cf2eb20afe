package interop

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// nginxProxies are the base URLs of nginx before one server.
type nginxProxies struct {
	plain       string // nginx as it comes: HTTP/1.0 to the server, with the client's Accept-Encoding
	compressing string // connections are kept, and nginx compresses and makes ETags weak
	caching     string // with a cache, for which nginx takes conditions out of requests
}

// nginxConfig needs no root.
const nginxConfig = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {}
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	proxy_cache_path cache keys_zone=configs:1m;
	gzip on;
	gzip_proxied any;
	gzip_types application/json;
	upstream serve { server SERVE; keepalive 16; }
	server { listen PLAIN; location / { proxy_pass http://SERVE; } }
	server { listen COMPRESSING; location / {
		proxy_pass http://serve;
		proxy_http_version 1.1;
		proxy_set_header Connection "";
		proxy_set_header Accept-Encoding "";
	} }
	server { listen CACHING; location / { proxy_pass http://SERVE; proxy_cache configs; } }
}
`

// startNginx starts nginx before a server. It ends with the test.
func startNginx(t *testing.T, serverURL string) nginxProxies {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // where only root's PATH looks
		if _, err := os.Stat(path); err != nil {
			missing.Skip(t, "nginx is missing: install the Debian package nginx")
		}
	}
	plain, compressing, caching := freeAddr(t), freeAddr(t), freeAddr(t)
	text := strings.NewReplacer("SERVE", strings.TrimPrefix(serverURL, "http://"), "PLAIN", plain, "COMPRESSING", compressing, "CACHING", caching).Replace(nginxConfig)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-p", dir, "-e", "stderr", "-c", "nginx.conf")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return nginxProxies{"http://" + plain, "http://" + compressing, "http://" + caching}
}

// TestOfficialSDKsFollowLeadersThroughNginxAndServe has the requests held.
func TestOfficialSDKsFollowLeadersThroughNginxAndServe(t *testing.T) {
	t.Parallel()
	server, cdn := redistest.Start(t), fakecdn.New()
	_, refresh := startLeader(t, server.Client(t, nil), cdn)
	serve := startServe(t, server, "--hold", "5s")
	serve.streams(t) // it listens
	nginx := startNginx(t, serve.url())
	var sdks group
	for _, fetcher := range fetchers {
		sdks.add(fetcher+", plain", startHTTPSDK(t, nginx.plain, "--fetcher", fetcher))
		sdks.add(fetcher+", compressing", startHTTPSDK(t, nginx.compressing, "--fetcher", fetcher))
	}
	waiting := len(sdks)
	sdks.add("caching", startHTTPSDK(t, nginx.caching)) // which does not wait
	sdks.receive(t, 1)
	for range 2 {
		serve.holds(t, waiting)
		version := cdn.Publish()
		refresh()
		sdks.receive(t, version)
	}
	serve.end(t, os.Interrupt)
	serve.start(t)
	version := cdn.Publish()
	refresh()
	sdks.receive(t, version)
}

// TestConditionsHoldThroughNginx asks as SDKs do, and looks at what they do not show.
func TestConditionsHoldThroughNginx(t *testing.T) {
	t.Parallel()
	server, cdn := redistest.Start(t), fakecdn.New()
	_, refresh := startLeader(t, server.Client(t, nil), cdn)
	serve := startServe(t, server, "--hold", "5s")
	for !bytes.HasPrefix(serve.get(t, "/readyz"), []byte("ready")) {
		time.Sleep(10 * time.Millisecond)
	}
	nginx := startNginx(t, serve.url())
	for _, c := range []struct {
		name, base, accept, encoding string
		weak                         bool
	}{
		{"plain, identity", nginx.plain, "", "", false},
		{"plain, gzip", nginx.plain, "gzip", "gzip", false},
		{"plain, zstd", nginx.plain, "gzip, zstd", "zstd", false},
		{"compressing, identity", nginx.compressing, "", "", false},
		{"compressing, gzip", nginx.compressing, "gzip", "gzip", true},
		{"caching, gzip", nginx.caching, "gzip", "gzip", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := askThroughNginx(t, c.base, "Accept-Encoding", c.accept)
			first.requireConfig(t, cdn, c.encoding)
			etag := first.Header.Get("ETag")
			if weak := strings.HasPrefix(etag, "W/"); weak != c.weak || etag == "" {
				t.Errorf("ETag %q", etag)
			}
			conditional := []string{"Accept-Encoding", c.accept, "If-None-Match", etag}
			second := askThroughNginx(t, c.base, conditional...)
			if c.base == nginx.caching {
				second.requireConfig(t, cdn, c.encoding) // nginx has removed the condition
				return
			}
			second.requireNotModified(t)

			held := make(chan *nginxAnswer)
			go func() {
				held <- askThroughNginx(t, c.base, append(conditional, "X-ConfigCat-UserAgent", "ConfigCat-Node/a-11.3.1")...)
			}()
			serve.holds(t, 1)
			cdn.Publish()
			refresh()
			third := <-held
			third.requireConfig(t, cdn, c.encoding)
			if again := third.Header.Get("ETag"); again == etag {
				t.Errorf("the ETag %s is that of the earlier config", again)
			}
		})
	}
}

type nginxAnswer struct {
	*http.Response
	body []byte
	err  error
}

// askThroughNginx asks for the config, and waits for nginx to listen. The headers are pairs of name
// and value.
func askThroughNginx(t *testing.T, base string, headers ...string) *nginxAnswer {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/configuration-files/"+sdkKey+"/config_v6.json", nil)
		if err != nil {
			return &nginxAnswer{err: err}
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		res, err := client.Do(r)
		if err != nil && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return &nginxAnswer{err: err}
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return &nginxAnswer{res, body, err}
	}
}

func (a *nginxAnswer) requireConfig(t *testing.T, cdn *fakecdn.CDN, encoding string) {
	t.Helper()
	a.require(t, http.StatusOK, encoding)
	var unpacked io.Reader = bytes.NewReader(a.body)
	var err error
	switch encoding {
	case "gzip":
		unpacked, err = gzip.NewReader(unpacked)
	case "zstd":
		unpacked, err = zstd.NewReader(unpacked, zstd.WithDecoderConcurrency(1))
	}
	if err != nil {
		t.Fatal(err)
	}
	have, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	requireBytes(t, string(have), string(cdn.Config().JSON()))
}

func (a *nginxAnswer) requireNotModified(t *testing.T) {
	t.Helper()
	a.require(t, http.StatusNotModified, "")
	if len(a.body) > 0 {
		t.Errorf("304 with %q", a.body)
	}
}

func (a *nginxAnswer) require(t *testing.T, status int, encoding string) {
	t.Helper()
	if a.err != nil {
		t.Fatal(a.err)
	}
	if have := a.Header.Get("Content-Encoding"); a.StatusCode != status || have != encoding {
		t.Fatalf("%d with encoding %q, want %d with %q", a.StatusCode, have, status, encoding)
	}
}
