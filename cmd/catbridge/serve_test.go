package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

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

// Redis is away from the start, and comes back.
func TestAnOnlineServeAsksTheCDNWithoutRedis(t *testing.T) {
	const text = "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', hold: 5s"
	s := startServing(t, map[string]string{"serve.yaml": text + "}"})
	s.ready()
	s.interrupt(t)
	s.mini.Close()
	s.run()
	s.want("/readyz", 503, "shop: no config yet")
	s.interrupt(t)

	s.write("serve.yaml", text+", online: true}\nbase_url: "+s.web)
	s.run()
	s.ready()
	etag := s.want(configPath(testKey), 200, `"one"`).Get("ETag")
	s.want("/status", 200, `"source": "cdn"`)

	s.cdn.Publish(testContent(t, "two"))
	if err := s.mini.Restart(); err != nil {
		t.Fatal(err)
	}
	for { // it waits for the leader
		status, _, body := s.get(configPath(testKey), "If-None-Match: "+etag, "X-ConfigCat-UserAgent: ConfigCat-Node/a-11.3.1")
		if status == http.StatusOK && strings.Contains(body, `"two"`) {
			break
		}
		if status != http.StatusNotModified {
			t.Fatalf("%d %q", status, body)
		}
	}
	s.interrupt(t)
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
	s.until("/metrics", "catbridge_settings_last_reload_successful 0")

	s.write("tokens", nextToken)
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.want(withToken(configToken), 404, "")
	s.want(withToken(nextToken), 200, `"one"`)
	s.want("/metrics", 200, "catbridge_settings_last_reload_successful 1")

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

// A random key of event streams stays while other settings change. Keys of a file are read again.
func TestServeReplacesEventKeysLive(t *testing.T) {
	const text = "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', token_files: [tokens]%s}"
	s := startServing(t, map[string]string{"serve.yaml": fmt.Sprintf(text, ""), "tokens": configToken})
	s.ready()
	ask := func() (etag, uri string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/ofrep/v1/evaluate/flags", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answer struct {
			EventStreams []struct{ Endpoint struct{ RequestURI string } }
		}
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || len(answer.EventStreams) != 1 {
			t.Fatalf("%d %+v, %v", res.StatusCode, answer, err)
		}
		return res.Header.Get("ETag"), answer.EventStreams[0].Endpoint.RequestURI
	}
	first, uri := ask()
	s.write("tokens", configToken+"\n"+nextToken)
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	if etag, now := ask(); etag != first || now != uri {
		t.Errorf("the URI %s became %s without another key", uri, now)
	}
	s.write("keys", strings.Repeat("event-key-secret", 2))
	s.write("serve.yaml", fmt.Sprintf(text, ", event_key_file: keys"))
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	second, _ := ask()
	s.want(uri, 401, "ask for the flags again")
	s.write("keys", strings.Repeat("event-key-other!", 2))
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	if third, _ := ask(); first == second || second == third {
		t.Errorf("the ETags %s, %s, %s: the keys were not replaced", first, second, third)
	}
	s.interrupt(t)
	if strings.Contains(s.all(), "event-key") || strings.Contains(s.all(), "token=") {
		t.Error("a key or a URI is in the log")
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
	if out, err := exec.CommandContext(t.Context(), "catbridge", "ready", "--address", "127.0.0.1:"+port).CombinedOutput(); err != nil || !strings.Contains(string(out), "shop: ready") {
		t.Errorf("ready, with TLS: %v %s", err, out)
	}
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
