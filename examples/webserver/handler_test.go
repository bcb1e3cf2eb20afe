package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
)

func get(t *testing.T, flags *follower.Client, path string) (status int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	newHandler(flags).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestPageFollowsTheFlag(t *testing.T) {
	flags := followertest.New(t, map[string]any{"newCheckout": false})
	if _, body := get(t, flags.Client, "/"); body != "the old checkout" {
		t.Errorf("page %q", body)
	}
	flags.Set("newCheckout", true)
	if _, body := get(t, flags.Client, "/"); body != "the new checkout" {
		t.Errorf("page %q after the change", body)
	}
}

func TestFlagsDependOnTheUser(t *testing.T) {
	flags := followertest.New(t, nil)
	flags.SetConfigJSON([]byte(`{"f":{"beta":{"t":0,"v":{"b":false},"r":[
		{"c":[{"u":{"a":"Email","c":2,"l":["@example.com"]}}],"s":{"v":{"b":true}}}]}}}`))
	for path, want := range map[string]string{
		"/flags?user=42&email=jane@example.com": `{"beta":true}`,
		"/flags?user=42":                        `{"beta":false}`,
		"/flags":                                `{"beta":false}`,
	} {
		if _, body := get(t, flags.Client, path); body != want {
			t.Errorf("%s returned %s, want %s", path, body, want)
		}
	}
}

func TestMetricsAreExported(t *testing.T) {
	flags := followertest.New(t, map[string]any{"newCheckout": false})
	get(t, flags.Client, "/")
	status, body := get(t, flags.Client, "/metrics")
	if want := `catbridge_follower_state{sdk_key="main",state="live"} `; status != http.StatusOK || !strings.Contains(body, want) {
		t.Errorf("%d, without %s:\n%s", status, want, body)
	}
}

func TestReadyReportsTheCacheState(t *testing.T) {
	flags := followertest.New(t, nil)
	if status, body := get(t, flags.Client, "/ready"); status != http.StatusOK || body != "HasUpToDateFlagData" {
		t.Errorf("%d %s", status, body)
	}
}
