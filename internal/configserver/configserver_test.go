package configserver

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyPathsOfConfigsAreSplit(t *testing.T) {
	for path, want := range map[string][2]string{
		"/configuration-files/a/b/config_v6.json":     {"", "a/b"},
		"/x/y/configuration-files/a/b/config_v6.json": {"/x/y", "a/b"},
		"/configuration-files//config_v6.json":        {},
		"/configuration-files/a/config_v5.json":       {},
		"/a/config_v6.json":                           {},
		"/":                                           {},
	} {
		base, sdkKey, ok := SplitPath(path)
		if ok != (want[1] != "") || ok && (base != want[0] || sdkKey != want[1]) {
			t.Errorf("%s: base %q, SDK key %q, %v", path, base, sdkKey, ok)
		}
	}
}

func TestAnswerIs304ForTheETag(t *testing.T) {
	for name, c := range map[string]struct {
		etag, held string
		status     int
	}{
		"no ETag in the request": {`"1"`, "", http.StatusOK},
		"the ETag":               {`"1"`, `"1"`, http.StatusNotModified},
		"a weak ETag":            {`W/"1"`, `W/"1"`, http.StatusNotModified},
		"another ETag":           {`"2"`, `"1"`, http.StatusOK},
		"no ETag in the answer":  {"", `"1"`, http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if c.held != "" {
			r.Header.Set("If-None-Match", c.held)
		}
		w := httptest.NewRecorder()
		Answer(w, r, []byte("{}"), c.etag)
		if w.Code != c.status || w.Header().Get("ETag") != c.etag || (w.Body.String() == "{}") != (c.status == http.StatusOK) {
			t.Errorf("%s: %d, ETag %s, %q", name, w.Code, w.Header().Get("ETag"), w.Body)
		}
	}
}
