package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const evalToken = "token-of-values-secretsecret"

// send sends a request with a JSON body.
func (s *serving) send(method, path, body string, headers ...string) *http.Response {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func (s *serving) answers(method, path, body string, status int, want string, headers ...string) {
	s.Helper()
	res := s.send(method, path, body, headers...)
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || string(text) != want {
		s.Errorf("%s %s: %d %q %v, want %d %q", method, path, res.StatusCode, text, err, status, want)
	}
}

// Clients of ConfigCat Proxy evaluate, stream, refresh and send webhooks, and a leader process polls for them.
func TestServeEvaluatesStreamsAndAsksTheLeaders(t *testing.T) {
	const signingKey = "configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88="
	s := startServing(t, map[string]string{
		"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + ", webhook_keys: ['" + signingKey + "'], default_user: [Identifier=secretsecret-user]}]\n" +
			"serve: {listen: '127.0.0.1:0', access_log: true, webhooks: true, token_files: [tokens]}",
		"tokens": evalToken + " rights=evaluate,stream origins=https://app.example.com",
	})
	s.ready()
	s.answers("POST", "/api/shop/eval", `{"key":"text","user":{"Email":"secretsecret@example.com"}}`, 200, `{"value":"one","variationId":""}`)
	s.answers("POST", "/api/eval-all", `{}`, 200, `{"text":{"value":"one","variationId":""}}`, "X-API-Key: "+evalToken)
	s.want(configPath("configcat-proxy/shop."+evalToken), 404, "")
	s.answers("POST", "/api/shop."+evalToken+"/refresh", "", 403, "the token does not have the right to this\n")

	res := s.send("GET", "/sse/shop."+evalToken+"/eval-all", "", "Origin: https://app.example.com")
	if res.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("header %v", res.Header)
	}
	stream := bufio.NewReader(res.Body)
	next := func() string {
		for {
			line, err := stream.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				return strings.TrimSpace(data)
			}
		}
	}
	if data := next(); data != `{"text":{"value":"one","variationId":""}}` {
		t.Errorf("the first event has %s", data)
	}
	s.want("/status", 200, `"events": 1`)
	s.cdn.Publish(testContent(t, "two"))
	s.answers("POST", "/api/shop/refresh", "", 200, "")
	if data := next(); data != `{"text":{"value":"two","variationId":""}}` {
		t.Errorf("the second event has %s", data)
	}

	s.cdn.Publish(testContent(t, "three"))
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(signingKey))
	_, _ = io.WriteString(mac, "an-id"+at)
	signature := "X-ConfigCat-Webhook-Signature-V1: " + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	s.answers("GET", "/hook/shop", "", 200, "poll requested\n", "X-ConfigCat-Webhook-ID: an-id", "X-ConfigCat-Webhook-Timestamp: "+at, signature)
	if data := next(); data != `{"text":{"value":"three","variationId":""}}` {
		t.Errorf("the third event has %s", data)
	}
	s.answers("GET", "/hook/shop", "", 403, "no signature matches a configured signing key\n", "X-ConfigCat-Webhook-ID: another", "X-ConfigCat-Webhook-Timestamp: "+at, signature)
	s.answers("GET", "/hook/api", "", 404, "unknown webhook\n")

	s.want("/metrics", 200, `catbridge_gateway_other_answers_total{route="/sse/{sdkId}/eval-all",status="200"} 1`)
	s.interrupt(t)
	s.expect(t, 0, `"method":"GET","route":"/sse/\{sdkId\}/eval-all","status":200`)
	s.expect(t, 0, `"method":"GET","route":"/hook/\{name\}","status":200`)
	for _, secret := range []string{"secretsecret", testKey, signingKey} {
		if strings.Contains(s.all(), secret) {
			t.Errorf("%q shows up in the log", secret)
		}
	}
}

// Streams end when the file of tokens changes and no longer permits them. The others go on.
func TestServeEndsTheStreamsOfTokensThatAreGone(t *testing.T) {
	const goneToken, lessToken = "token-that-is-gone-secretsecret", "token-with-less-secretsecret"
	s := startServing(t, map[string]string{
		"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0', token_files: [tokens]}",
		"tokens":     evalToken + " rights=evaluate,stream\n" + goneToken + " rights=evaluate,stream\n" + lessToken + " rights=evaluate,stream",
	})
	s.ready()
	streams := map[string]*bufio.Reader{}
	open := func(name, path string) {
		res := s.send("GET", path, "")
		if streams[name] = bufio.NewReader(res.Body); res.StatusCode != 200 {
			t.Fatalf("%s: %d", name, res.StatusCode)
		}
	}
	for _, token := range []string{evalToken, goneToken, lessToken} {
		res := s.send("POST", "/ofrep/v1/evaluate/flags", "{}", "Authorization: Bearer "+token)
		text, err := io.ReadAll(res.Body)
		uri := regexp.MustCompile(`/ofrep/v1/events[^"]*`).FindString(string(text))
		if err != nil || uri == "" {
			t.Fatalf("%v, %s", err, text)
		}
		open("events of "+token, strings.ReplaceAll(uri, `\u0026`, "&"))
		open("values of "+token, "/sse/shop."+token+"/eval-all")
	}
	s.write("tokens", evalToken+" rights=evaluate,stream\n"+lessToken+" rights=evaluate")
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	s.cdn.Publish(testContent(t, "two"))
	s.answers("POST", "/api/shop/refresh", "", 200, "")
	for name, stream := range streams {
		change := map[bool]string{true: "refetchEvaluation", false: `"two"`}[strings.HasPrefix(name, "events")]
		kept, received := strings.HasSuffix(name, evalToken), false
		for {
			line, err := stream.ReadString('\n')
			if received = received || strings.Contains(line, change); err != nil || received {
				break
			}
		}
		if received != kept {
			t.Errorf("%s: received the change: %v", name, received)
		}
	}
	s.interrupt(t)
}

func TestServeWithoutWebhooksNeedsNoSecretsOfLeaders(t *testing.T) {
	s := startServing(t, map[string]string{
		"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + ", webhook_keys_env: MISSING}]\nserve: {listen: '127.0.0.1:0'}",
	})
	s.want("/hook/shop", 404, "not found")
}
