package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// origins are the allowed origins of pages in browsers.
type origins struct {
	any   bool
	exact []string
	below []originPattern
}

// originPattern is a pattern: everything between prefix and suffix is one or more labels of a host name.
type originPattern struct{ prefix, suffix string }

// parseOrigins parses origins: *, scheme://host[:port], or scheme://*.domain[:port].
func parseOrigins(list []string) (origins, error) {
	var o origins
	for _, text := range list {
		if text == "*" {
			o.any = true
			continue
		}
		plain := strings.Replace(text, "://*.", "://", 1)
		u, err := url.Parse(plain)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != plain || strings.Contains(plain, "*") || plain != strings.ToLower(plain) {
			return origins{}, fmt.Errorf("origin %q: write it as a browser does, such as https://app.example.com, https://*.example.com or *", text)
		}
		if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
			return origins{}, fmt.Errorf("origin %q: omit the port: browsers do for the default one", text)
		}
		if plain == text {
			o.exact = append(o.exact, text)
			continue
		}
		prefix, domain, _ := strings.Cut(text, "*")
		o.below = append(o.below, originPattern{prefix, domain})
	}
	return o, nil
}

// allow reports whether pages of an origin may read answers.
func (o *origins) allow(origin string) bool {
	return o.any || slices.Contains(o.exact, origin) || slices.ContainsFunc(o.below, func(p originPattern) bool {
		rest, ok := strings.CutPrefix(origin, p.prefix)
		if !ok {
			return false
		}
		labels, ok := strings.CutSuffix(rest, p.suffix)
		return ok && labels != "" && labels[0] != '.' && strings.IndexFunc(labels, notHost) < 0
	})
}

func notHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

func (o *origins) none() bool { return !o.any && len(o.exact) == 0 && len(o.below) == 0 }
