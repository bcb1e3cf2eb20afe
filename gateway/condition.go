package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// maxTags bounds the entity tags that are read of one request.
const maxTags = 32

// matches reports whether the request has the content of tag already: by If-None-Match (RFC 9110,
// 13.1.2) or else by the query ccetag, which the official SDKs for browsers send.
func matches(r *http.Request, tag string) bool {
	if headers := r.Header["If-None-Match"]; len(headers) > 0 {
		left := maxTags
		for _, list := range headers {
			if matchesList(list, tag, &left) {
				return true
			}
		}
		return false
	}
	return matchesQuery(r, tag)
}

// hasItself reports whether the SDK that sends a request that matches has the content of tag. For the
// SDKs for browsers, the query alone says so: there, If-None-Match is of the browser's HTTP cache,
// which other pages fill, too. Such an SDK must not wait for a change that the browser has already.
func hasItself(r *http.Request, tag string) bool {
	return !strings.Contains(r.URL.RawQuery, "sdk=") || matchesQuery(r, tag)
}

func matchesQuery(r *http.Request, tag string) bool {
	if !strings.Contains(r.URL.RawQuery, "ccetag=") {
		return false
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // other parameters may be malformed
	left := maxTags
	return matchesList(query.Get("ccetag"), tag, &left)
}

// matchesList compares weakly. It reads at most *left entity tags.
func matchesList(list, tag string, left *int) bool {
	for list != "" && *left > 0 {
		*left--
		list = strings.TrimLeft(list, " \t,")
		if rest, star := strings.CutPrefix(list, "*"); star {
			if rest = strings.TrimLeft(rest, " \t"); rest == "" || rest[0] == ',' {
				return true
			}
		}
		list = strings.TrimPrefix(strings.TrimPrefix(list, "W/"), "w/")
		var one string
		if rest, quoted := strings.CutPrefix(list, `"`); quoted {
			one, list, _ = strings.Cut(rest, `"`)
		} else { // some clients strip the quotes
			one, list, _ = strings.Cut(list, ",")
			one = strings.TrimRight(one, " \t")
		}
		if isTag(one, tag) {
			return true
		}
	}
	return false
}

// isTag reports whether one is the tag, perhaps with a suffix by which a server or a proxy marks
// an encoding: -gzip, ;gzip, --gzip, -br.
func isTag(one, tag string) bool {
	suffix, ok := strings.CutPrefix(one, tag)
	if !ok || len(suffix) > 12 {
		return false
	}
	return suffix == "" || suffix[0] == '-' || suffix[0] == ';'
}
