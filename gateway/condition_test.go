package gateway

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower"
)

func TestConditionalRequests(t *testing.T) {
	e := start(t)
	e.flags.SetConfigJSON([]byte(bigConfig))
	tag := strings.Trim(e.get(byKey).Header.Get("ETag"), `"`)
	for _, c := range []struct {
		condition string
		status    int
	}{
		{`"` + tag + `"`, 304},
		{`W/"` + tag + `"`, 304},
		{`"` + tag + `-gzip"`, 304},
		{`"` + tag + `;gzip"`, 304},
		{`"` + tag + `--gzip"`, 304},
		{`W/"` + tag + `-br"`, 304},
		{tag, 304},
		{`"other", "` + tag + `"`, 304},
		{`"a,b" ,, W/"` + tag + `"`, 304},
		{`*`, 304},
		{`"other"`, 200},
		{`"` + tag + `x"`, 200},
		{`"` + tag[:31] + `"`, 200},
		{`"` + tag + `-0123456789abcdef"`, 200},
		{`"`, 200},
		{``, 200},
		{strings.Repeat(`"other",`, 100) + `"` + tag + `"`, 200},
	} {
		for _, encoding := range []string{"", "gzip"} {
			res := e.get(byKey, "If-None-Match: "+c.condition, "Accept-Encoding: "+encoding)
			want(t, res, c.status)
			if res.StatusCode == 304 && (body(t, res) != "" || res.Header.Get("Content-Encoding")+res.Header.Get("Content-Length")+res.Header.Get("Content-Type") != "") {
				t.Errorf("%s: a 304 with the headers of a body: %v", c.condition, res.Header)
			}
			if res.StatusCode == 304 {
				want(t, res, 304, "Cache-Control: no-cache", "Vary: Accept-Encoding", "Age: 0")
			}
		}
	}
	// Browser SDKs send the ETag in the query.
	want(t, e.get(byKey+`?sdk=ConfigCat-JS%2Fm-9.0.0&ccetag=W%2F%22`+tag+`-gzip%22`), 304)
	want(t, e.get(byKey+`?ccetag=%22other%22`), 200)
	want(t, e.get(byKey+`?ccetag=%22`+tag+`%22`, `If-None-Match: "other"`), 200)
	want(t, e.get(byKey+`?%zz&ccetag=`+tag), 304)
}

func FuzzConditionsAndEncodings(f *testing.F) {
	f.Add(`W/"0123", *`, "gzip;q=0.5, *;q=0")
	f.Add(`"`, ";;,=,q=")
	c := newContent(&follower.Content{JSON: []byte(bigConfig), Hash: strings.Repeat("0", 64)})
	f.Fuzz(func(t *testing.T, condition, accept string) {
		r := request("GET", byKey)
		r.Header["If-None-Match"] = []string{condition}
		if matches(r, c.tag) && !strings.Contains(condition, c.tag) && !strings.Contains(condition, "*") {
			t.Errorf("%q matches %s", condition, c.tag)
		}
		if as := c.choose([]string{accept}); as != c.identity && !strings.Contains(accept, "*") &&
			!strings.Contains(strings.ToLower(accept), strings.TrimPrefix(as.encoding[0], "x-")) {
			t.Errorf("%q chooses %s", accept, as.encoding)
		}
	})
}

func TestOnlyAStarAloneMatchesEverything(t *testing.T) {
	e := start(t)
	for condition, status := range map[string]int{`*`: 304, ` * `: 304, `*, "a"`: 304, `*a`: 200, `"*"`: 200, `W/*`: 200} {
		if res := e.get(byKey, "If-None-Match: "+condition); res.StatusCode != status {
			t.Errorf("%s: status %d, want %d", condition, res.StatusCode, status)
		}
	}
}
