package followertest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/followertest"
)

// fetch requests the config as an SDK does.
func fetch(t *testing.T, base, etag string) (*http.Response, *evaluate.Config) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		base+"/configuration-files/"+followertest.SDKKey+"/config_v6.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("If-None-Match", etag)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var content json.RawMessage
	if json.NewDecoder(response.Body).Decode(&content) != nil {
		return response, nil
	}
	config, err := evaluate.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	return response, config
}

func TestCDNServesConfigsAndConfirmsThem(t *testing.T) {
	cdn := followertest.NewCDN(t, map[string]any{"n": 1})
	server := httptest.NewServer(cdn)
	t.Cleanup(func() { server.Close(); http.DefaultClient.CloseIdleConnections() })

	first, config := fetch(t, server.URL, "")
	if first.StatusCode != http.StatusOK || len(config.Keys()) != 1 {
		t.Fatalf("%s with %v", first.Status, config.Keys())
	}
	etag := first.Header.Get("ETag")
	if again, _ := fetch(t, server.URL, etag); again.StatusCode != http.StatusNotModified {
		t.Errorf("%s for the same config", again.Status)
	}
	cdn.SetAll(map[string]any{"n": 2})
	if changed, _ := fetch(t, server.URL, etag); changed.StatusCode != http.StatusOK || changed.Header.Get("ETag") == etag {
		t.Errorf("%s for another config", changed.Status)
	}
	cdn.SetStatus(http.StatusServiceUnavailable)
	if broken, _ := fetch(t, server.URL, etag); broken.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s for a broken CDN", broken.Status)
	}
	if n := cdn.Requests(); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}
