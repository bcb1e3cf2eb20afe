// Package configserver answers requests for a config as ConfigCat's CDN does. It is the core of
// the local CDN of the program, of the CDN of package followertest, and of the stand-in CDNs of
// this module's tests.
package configserver

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// The path of a config contains the SDK key between these two.
const (
	PathPrefix = "/configuration-files/"
	PathSuffix = "/config_v6.json"
)

// SplitPath returns the parts of the path of a config: the path of the base URL, which is often
// empty, and the SDK key. ok is false if it is not such a path. The SDK key is not checked.
func SplitPath(path string) (base, sdkKey string, ok bool) {
	base, rest, found := strings.Cut(path, PathPrefix)
	sdkKey, isConfig := strings.CutSuffix(rest, PathSuffix)
	return base, sdkKey, found && isConfig && sdkKey != ""
}

// Answer answers with a config JSON, or with 304 if the request has its ETag. The ETag is in
// quotes; if it is empty, the answer has none. The caller may set other headers before.
func Answer(w http.ResponseWriter, r *http.Request, json []byte, etag string) {
	w.Header().Set("Content-Type", "application/json")
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(json))
}
