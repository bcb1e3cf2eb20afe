package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
)

// TestALeaderProcessServesTracesAndTakesWebhooks checks what a leader process does in addition to leading.
func TestALeaderProcessServesTracesAndTakesWebhooks(t *testing.T) {
	const signingKey = "configcat_whsk_secretsecretsecret"
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	mini := miniredis.RunT(t)
	var traces receiver
	collector := httptest.NewServer(&traces)
	defer collector.Close()
	cdn := localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler))
	web := httptest.NewServer(cdn)
	defer web.Close()
	p := startProcess(t, []string{
		"CATBRIDGE_SDK_KEY=shop=" + testKey, "CATBRIDGE_REDIS_URL=redis://" + mini.Addr(), "CATBRIDGE_WEBHOOK_KEYS=" + signingKey,
		"CATBRIDGE_BASE_URL=" + web.URL, "CATBRIDGE_TRACING_ENDPOINT=" + collector.URL,
	}, "leader", "--listen", "127.0.0.1:0")
	mark := p.expect(t, 0, `A new config was published`)
	base := "http://" + regexp.MustCompile(`"listen":"([^"]+)"`).FindStringSubmatch(p.all())[1]

	var served strings.Builder
	for path, want := range map[string]string{
		"/healthz": "alive", "/readyz": "shop: ready", "/status": `"name": "shop"`,
		"/metrics": `catbridge_leader_is_leader{sdk_key="shop"} 1`,
	} {
		text := fetch(t, http.MethodGet, base+path, nil)
		served.WriteString(text)
		if !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%s", path, want, text)
		}
	}
	if text := served.String(); !strings.Contains(text, "go_goroutines") || !strings.Contains(text, "process_open_fds") || !strings.Contains(text, "go_build_info") {
		t.Error("metrics of the runtime are missing")
	}

	cdn.Publish(testContent(t, "two"))
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(signingKey))
	io.WriteString(mac, "b616ca659d154a5fb907dd8475792eeb"+at+"{}")
	fetch(t, http.MethodPost, base+"/hook/shop", map[string]string{
		"X-ConfigCat-Webhook-ID": "b616ca659d154a5fb907dd8475792eeb", "X-ConfigCat-Webhook-Timestamp": at,
		"X-ConfigCat-Webhook-Signature-V1": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	})
	p.expect(t, mark, `A new config was published`)

	p.interrupt(t)
	if text := traces.body.String(); !strings.Contains(text, "service.name") || !strings.Contains(text, "shop") {
		t.Errorf("the traces are %q", text)
	}
	if all := p.all() + served.String() + traces.body.String(); strings.Contains(all, "secretsecret") {
		t.Error("an SDK key or a signing key shows up")
	}
}

// fetch makes a request that succeeds. Its body, if it has headers, is {}.
func fetch(t *testing.T, method, url string, headers map[string]string) string {
	t.Helper()
	body := io.Reader(nil)
	if headers != nil {
		body = strings.NewReader("{}")
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %v\n%s", method, url, response.Status, err, text)
	}
	return string(text)
}
