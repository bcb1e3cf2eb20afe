package main

import (
	"crypto/tls"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// What needs a restart must not take effect with something else: followers of another namespace
// would have no config.
func TestServeReloadsNothingThatNeedsARestart(t *testing.T) {
	const text = "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', "
	s := startServing(t, map[string]string{"serve.yaml": text + "access_log: false}"})
	s.ready()
	s.want(configPath(testKey), 200, `"one"`)
	s.write("serve.yaml", text+"online: true, snapshot_dir: .}\nredis: {namespace: other}")
	s.mark = s.expect(t, s.mark, `redis\.namespace.*serve\.snapshot_dir.*need a restart`)
	s.want(configPath(testKey), 200, `"one"`)
	s.want("/readyz", 200, "shop: ready")
	s.interrupt(t)
}

// A changed setting of an SDK key starts a new follower. The old one's config is served until the
// new one has one, even if Redis is away.
func TestServeKeepsAConfigWhileASettingOfItsKeyChanges(t *testing.T) {
	const text = "serve: {listen: '127.0.0.1:0'}\nsdk_keys: [{name: shop, key: " + testKey
	s := startServing(t, map[string]string{"serve.yaml": text + "}]"})
	s.ready()
	s.want(configPath(testKey), 200, `"one"`)
	s.mini.Close()
	s.write("serve.yaml", text+", data_governance: eu, allow_private: true}]")
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.want(configPath(testKey), 200, `"one"`)
	s.interrupt(t)
}

// Settings without TLS leave a server with TLS as it is.
func TestServeKeepsTLSUntilARestart(t *testing.T) {
	authority := redistest.NewAuthority(t)
	own := authority.Issue(t, "serve")
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const text = "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve:\n  listen: 127.0.0.1:0\n"
	s := startServing(t, map[string]string{
		"server.crt": read(own.CertFile), "server.key": read(own.KeyFile), "ca.crt": read(authority.CAFile),
		"serve.yaml": text + "  tls: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt}",
	})
	s.client.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: authority.ClientConfig(t).RootCAs}}
	s.base = strings.Replace(s.base, "http:", "https:", 1)
	s.ready()
	s.want(configPath(testKey), 401, "certificate")
	s.write("serve.yaml", text)
	s.mark = s.expect(t, s.mark, `serve\.tls\.cert_file.*need a restart`)
	s.want("/readyz", 200, "shop: ready")
	s.want(configPath(testKey), 401, "certificate")
	s.interrupt(t)
}
