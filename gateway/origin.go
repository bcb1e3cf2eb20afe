package gateway

import (
	"errors"
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

// parseOrigins parses origins: *, scheme://host[:port], or scheme://*.domain[:port]. The error joins
// all faults.
func parseOrigins(list []string) (origins, error) {
	var o origins
	var errs []error
	for _, origin := range list {
		if err := o.add(origin); err != nil {
			errs = append(errs, fmt.Errorf("gateway: Origins: %w", err))
		}
	}
	return o, errors.Join(errs...)
}

func (o *origins) add(origin string) error {
	if origin == "*" {
		o.any = true
		return nil
	}
	plain := strings.Replace(origin, "://*.", "://", 1)
	u, err := url.Parse(plain)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != plain || strings.Contains(plain, "*") || plain != strings.ToLower(plain) {
		return fmt.Errorf("origin %q: write it as a browser does, such as https://app.example.com, https://*.example.com or *", origin)
	}
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return fmt.Errorf("origin %q: omit the port: browsers do for the default one", origin)
	}
	if plain == origin {
		o.exact = append(o.exact, origin)
		return nil
	}
	prefix, domain, _ := strings.Cut(origin, "*")
	o.below = append(o.below, originPattern{prefix, domain})
	return nil
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

// none reports whether no origin is allowed. It is true for nil.
func (o *origins) none() bool { return o == nil || !o.any && len(o.exact) == 0 && len(o.below) == 0 }
