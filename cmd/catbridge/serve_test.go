package main

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const (
	configToken = "token-of-configs-secretsecret"
	statusToken = "token-of-status-secretsecret"
	nextToken   = "token-number-two-secretsecret"
)

// serving is a serve process with its files, beside a leader process.
type serving struct {
	*testing.T
	folder string
	mini   *miniredis.Miniredis
	redis  string // URL
	cdn    *localcdn.Server
	leader *process
	*process
	base   string // URL
	client *http.Client
	mark   int
}

// startServing starts both with these files, among them serve.yaml.
func startServing(t *testing.T, files map[string]string) *serving {
	t.Helper()
	s := &serving{T: t, folder: t.TempDir(), mini: miniredis.RunT(t), cdn: localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler))}
	s.redis = "redis://" + s.mini.Addr()
	s.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	web := httptest.NewServer(s.cdn)
	t.Cleanup(web.Close)
	s.leader = startProcess(t, []string{"CATBRIDGE_REDIS_URL=" + s.redis, "CATBRIDGE_BASE_URL=" + web.URL},
		"leader", "--fast", "--sdk-key", "shop="+testKey, "--sdk-key", "api="+otherTestKey)
	s.leader.expect(t, 0, `A new config was published(?s:.*)A new config was published`)
	for name, text := range files {
		s.write(name, text)
	}
	s.run()
	return s
}

// run starts serve, and waits until it listens.
func (s *serving) run(args ...string) {
	s.Helper()
	s.process = startProcess(s.T, []string{"CATBRIDGE_REDIS_URL=" + s.redis, "TMPDIR=" + s.folder},
		append([]string{"serve", "--fast", "--config", filepath.Join(s.folder, "serve.yaml"), "--log-format", "json"}, args...)...)
	s.mark = s.expect(s.T, 0, `"listen":"[^"]+"`)
	s.base = "http://" + regexp.MustCompile(`"listen":"([^"]+)"`).FindStringSubmatch(s.all())[1]
}

func (s *serving) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		s.Fatal(err)
	}
}

// get returns the status, the header and the body of an answer.
func (s *serving) get(path string, headers ...string) (int, http.Header, string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.base+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

func (s *serving) want(path string, status int, part string, headers ...string) http.Header {
	s.Helper()
	have, header, body := s.get(path, headers...)
	if have != status || !strings.Contains(body, part) {
		s.Errorf("%s: %d %q, want %d with %q", path, have, body, status, part)
	}
	return header
}

// ready waits until serve is ready.
func (s *serving) ready() {
	s.Helper()
	for {
		if status, _, _ := s.get("/readyz"); status == http.StatusOK {
			return
		}
		select {
		case <-s.Context().Done():
			s.Fatal("it does not become ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func configPath(key string) string { return "/configuration-files/" + key + "/config_v6.json" }

func TestServeServesTheConfigsOfTheLeaders(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}, {key: " + otherTestKey + "}]\nserve: {listen: '127.0.0.1:0', hold: 5s, access_log: true}"})
	s.ready()
	header := s.want(configPath(testKey), 200, `"one"`)
	s.want(configPath(otherTestKey), 200, `"one"`)
	s.want(configPath("configcat-proxy/shop"), 200, `"one"`)
	s.want("/"+configPath("configcat-proxy/shop"), 200, `"one"`)
	s.want(configPath("configcat-proxy/shop"), 404, "", "Host: page.example")
	s.want(configPath("configcat-proxy/api"), 404, "")
	s.want("/readyz", 200, "shop: ready")
	s.want("/healthz", 200, "alive")
	s.want("/status", 200, `"name": "shop"`)
	s.want("/status", 403, "", "Host: page.example")
	s.want("/metrics", 200, `catbridge_gateway_answers_total{status="200"}`)
	s.want("/metrics", 200, `catbridge_follower_rev{sdk_key="shop"}`)
	s.want("/debug/pprof/", 404, "")

	held := make(chan string)
	go func() {
		_, _, body := s.get(configPath(testKey), "If-None-Match: "+header.Get("ETag"), "X-ConfigCat-UserAgent: ConfigCat-Node/a-11.3.1")
		held <- body
	}()
	s.until("/status", `"holding": 1`)
	s.cdn.Publish(testContent(t, "two"))
	if body := <-held; !strings.Contains(body, `"two"`) {
		t.Errorf("the held request was answered with %q", body)
	}

	// At the end, waiting requests are answered.
	etag := s.want(configPath(testKey), 200, `"two"`).Get("ETag")
	go func() {
		status, header, _ := s.get(configPath(testKey), "If-None-Match: "+etag, "X-ConfigCat-UserAgent: ConfigCat-Node/a-11.3.1")
		if status != http.StatusNotModified || header.Get("ETag") != etag {
			held <- "not the answer to a waiting request"
		}
		held <- ""
	}()
	s.until("/status", `"holding": 1`)
	s.signal(t, syscall.SIGTERM)
	if fault := <-held; fault != "" {
		t.Error(fault)
	}
	<-s.ended
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.expect(t, 0, `"method":"GET","route":"/configuration-files/\{key\}/config_v6.json","status":304`)
	for _, secret := range []string{"secretsecret", "127.0.0.1:0"} {
		if strings.Contains(s.all(), secret) {
			t.Errorf("%q shows up in the log", secret)
		}
	}
}

// until asks until the answer contains a text.
func (s *serving) until(path, part string) {
	s.Helper()
	for {
		if _, _, body := s.get(path); strings.Contains(body, part) {
			return
		}
		select {
		case <-s.Context().Done():
			s.Fatalf("%s has no %q", path, part)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestDoctorChecksServe(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', token_files: [tokens]}", "tokens": configToken})
	s.ready()
	for _, key := range []string{testKey, "configcat-proxy/shop." + configToken} {
		text := s.doctor(exitOK, "--serve", s.base, "--sdk-key", "shop="+key)
		for _, line := range []string{
			`✓ settings: 1 SDK key\(s\)`, `✓ serve URL: http://127\.0\.0\.1:\d+ has the form of a base URL`, `✓ serve network: 127\.0\.0\.1:\d+ answers without TLS, after .*`,
			`✓ serve ready: ready; shop: ready, live`, `✓ serve config shop: ….{6} receives a config of \d+ bytes with \d+ flag\(s\), confirmed by the CDN \d+ s ago`,
			`✓ serve ETag shop: the answer to an SDK that has the config is 304`, `– serve gzip shop: the config is sent without gzip: it is small, or .*`,
		} {
			if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(text) {
				t.Errorf("there is no line %s in\n%s", line, text)
			}
		}
	}
	if text := s.doctor(exitFailure, "--serve", s.base, "--sdk-key", otherTestKey); !strings.Contains(text, "✗ serve config") || !strings.Contains(text, "it answers 404 Not Found") {
		t.Errorf("for an unknown SDK key it prints\n%s", text)
	}
	s.doctor(exitUsage, "--serve", s.base, "--sdk-key", testKey, "--as", "follower")
	s.doctor(exitUsage, "--serve", "", "--sdk-key", testKey)
}

// doctor runs catbridge doctor in this process, and returns its output without secrets.
func (s *serving) doctor(want int, args ...string) string {
	s.Helper()
	var out, err strings.Builder
	if code := run(s.Context(), append([]string{"doctor"}, args...), strings.NewReader(""), &out, &err); code != want {
		s.Errorf("exit code %d, want %d\n%s%s", code, want, &out, &err)
	}
	if strings.Contains(out.String()+err.String(), "secretsecret") {
		s.Errorf("a secret shows up in\n%s%s", &out, &err)
	}
	return out.String()
}

func TestServeStartsWithoutRedis(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', snapshot_dir: .}"})
	s.ready()
	s.mini.Close()
	s.want(configPath(testKey), 200, `"one"`)
	s.interrupt(t)
	s.run()
	s.ready()
	s.want(configPath(testKey), 200, `"one"`)
	s.interrupt(t)
	files, err := filepath.Glob(filepath.Join(s.folder, "*.snapshot"))
	if err != nil || len(files) != 1 || os.Remove(files[0]) != nil {
		t.Fatalf("snapshots %v, %v", files, err)
	}
	s.run()
	s.want("/readyz", 503, "shop: no config yet")
	s.want("/healthz", 200, "alive")
	s.want(configPath(testKey), 503, "no config yet")
}

func TestServeReloadsItsSettings(t *testing.T) {
	const text = "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', token_files: [tokens]}"
	s := startServing(t, map[string]string{"serve.yaml": text, "tokens": configToken})
	s.ready()
	withToken := func(token string) string { return configPath("configcat-proxy/shop." + token) }
	s.want(withToken(configToken), 200, `"one"`)
	s.want(withToken(nextToken), 404, "")

	s.write("tokens", configToken+" sdks=shop\n"+nextToken+"\n"+statusToken+" rights=status # monitoring")
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.want(withToken(configToken), 200, `"one"`)
	s.want(withToken(nextToken), 200, `"one"`)
	s.want(withToken(statusToken), 404, "")

	s.write("tokens", "short-secretsec")
	s.mark = s.expect(t, s.mark, "the running ones stay in effect")
	s.want(withToken(nextToken), 200, `"one"`)

	s.write("tokens", nextToken)
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.want(withToken(configToken), 404, "")
	s.want(withToken(nextToken), 200, `"one"`)

	s.want(configPath(otherTestKey), 404, "")
	s.write("serve.yaml", "sdk_keys: [{name: old, serve_as: shop, key: "+testKey+"}, {name: shop, key: "+otherTestKey+"}]\nserve: {listen: '127.0.0.1:1', token_files: [tokens]}")
	s.mark = s.expect(t, s.mark, `serve\.listen.*need a restart`)
	s.until(configPath(otherTestKey), `"one"`)
	s.want(configPath(testKey), 200, `"one"`)
	s.want(withToken(nextToken), 200, `"one"`)
	s.interrupt(t)
	if all := s.all(); strings.Contains(all, "secretsec") || strings.Contains(all, "Another live client") {
		t.Error("a token or an SDK key shows up, or a follower was started twice")
	}
}

// TestServeOnAnAddressOfTheNetwork uses TLS, client certificates and tokens.
func TestServeOnAnAddressOfTheNetwork(t *testing.T) {
	authority := redistest.NewAuthority(t)
	first, second := authority.Issue(t, "first"), authority.Issue(t, "second")
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const text = "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve:\n  listen: 0.0.0.0:0\n  token_files: [tokens]\n"
	s := startServing(t, map[string]string{
		"tokens":     configToken + "\n" + statusToken + " rights=status\n",
		"server.crt": read(first.CertFile), "server.key": read(first.KeyFile), "ca.crt": read(authority.CAFile),
		"serve.yaml": text + "  tls: {cert_file: server.crt, key_file: server.key}",
	})
	var presented []byte
	roots := authority.ClientConfig(t)
	transport := &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		RootCAs: roots.RootCAs, VerifyConnection: func(c tls.ConnectionState) error {
			presented = c.PeerCertificates[0].Raw
			return nil
		},
	}}
	s.client.Transport = transport
	_, port, _ := strings.Cut(strings.TrimPrefix(s.base, "http://[::]"), ":")
	s.base = "https://127.0.0.1:" + port
	s.ready()
	s.want(configPath(testKey), 200, `"one"`)
	s.want(configPath("configcat-proxy/shop."+configToken), 200, `"one"`)
	s.want(configPath("configcat-proxy/shop."+statusToken), 404, "")
	for _, path := range []string{"/status", "/metrics"} {
		s.want(path, 401, "")
		s.want(path, 401, "", "Authorization: Bearer "+configToken)
		s.want(path, 200, "shop", "Authorization: Bearer "+statusToken)
		s.want(path, 200, "shop", "X-API-Key: "+statusToken)
	}
	if string(presented) != string(first.TLS.Certificate[0]) {
		t.Error("another certificate is presented")
	}

	// A certificate without its key is rejected. Then both are there.
	s.write("server.crt", read(second.CertFile))
	s.mark = s.expect(t, s.mark, "the running ones stay in effect|changed settings are in effect")
	s.write("server.key", read(second.KeyFile))
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.want(configPath(testKey), 200, `"one"`)
	if string(presented) != string(second.TLS.Certificate[0]) {
		t.Error("the old certificate is presented")
	}

	s.write("serve.yaml", text+"  tls: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt}")
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.want(configPath(testKey), 401, "certificate")
	s.want("/status", 401, "certificate", "Authorization: Bearer "+statusToken)
	s.want("/readyz", 200, "ready")
	transport.TLSClientConfig.Certificates = roots.Certificates
	s.want(configPath("configcat-proxy/shop"), 200, `"one"`)
	s.want("/status", 200, "shop")
	transport.TLSClientConfig.Certificates = []tls.Certificate{redistest.NewAuthority(t).Issue(t, "stranger").TLS}
	if res, err := s.client.Get(s.base + "/readyz"); err == nil {
		_ = res.Body.Close()
		t.Error("the certificate of an unknown authority is accepted")
	}
	s.interrupt(t)
}

func TestServeOnAUnixSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s.sock")
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: 'unix:" + socket + "'}"})
	s.client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	s.base = "http://any.example"
	s.ready()
	s.want(configPath("configcat-proxy/shop"), 200, `"one"`)
	s.want("/status", 200, "shop")
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	s.kill(t)
	s.run()
	s.client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	s.base = "http://any.example"
	s.ready()
	for command, want := range map[string]string{"ready": "shop: ready", "health": "alive"} {
		out, err := exec.CommandContext(t.Context(), "catbridge", command, "--config", filepath.Join(s.folder, "serve.yaml")).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v %s", command, err, out)
		}
	}
	s.interrupt(t)
}

func TestHealthAndReadyAskTheProcess(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}, {name: none, key: " + thirdTestKey + "}]\nserve: {listen: '127.0.0.1:0'}"})
	address := strings.TrimPrefix(s.base, "http://")
	s.until("/readyz", "shop: ready")
	for _, c := range []struct {
		args []string
		env  string
		code int
		text string
	}{
		{[]string{"health", "--address", address}, "", 0, "alive"},
		{[]string{"health"}, "CATBRIDGE_SERVE_LISTEN=" + address, 0, "alive"},
		{[]string{"health"}, "CATBRIDGE_LISTEN=" + address, 0, "alive"},
		{[]string{"ready", "--address", address}, "", 1, "none: no config yet"},
		{[]string{"ready", "--address", "127.0.0.1:1"}, "", 1, "refused"},
		{[]string{"ready", "--address", address, "--timeout", "0s"}, "", 2, "--timeout"},
		{[]string{"ready", "--address", address, "--tls"}, "", 1, "TLS handshake"},
	} {
		cmd := exec.CommandContext(t.Context(), "catbridge", c.args...)
		cmd.Env = append(os.Environ(), c.env)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.text) {
			t.Errorf("%v %s: exit code %d, %s", c.args, c.env, cmd.ProcessState.ExitCode(), out)
		}
	}
	s.interrupt(t)
}
