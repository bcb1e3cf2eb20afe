package gateway

import "strings"

// choose returns the representation that a request's Accept-Encoding prefers (RFC 9110, 12.5.3).
// Without the header it is the identity: some SDKs never decode. Between equals zstd goes before
// gzip, and gzip before the identity.
func (c *content) choose(accept []string) *representation {
	if len(accept) == 0 {
		return c.identity
	}
	const unknown = -1
	zstdQ, gzipQ, identityQ, anyQ := unknown, unknown, unknown, unknown
	for _, list := range accept {
		for list != "" {
			var coding string
			coding, list, _ = strings.Cut(list, ",")
			name, parameters, _ := strings.Cut(coding, ";")
			q := quality(parameters)
			switch name = strings.Trim(name, " \t"); {
			case strings.EqualFold(name, "zstd"):
				zstdQ = q
			case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
				gzipQ = q
			case strings.EqualFold(name, "identity"):
				identityQ = q
			case name == "*":
				anyQ = q
			}
		}
	}
	if zstdQ == unknown {
		zstdQ = max(anyQ, 0)
	}
	if gzipQ == unknown {
		gzipQ = max(anyQ, 0)
	}
	// The identity is acceptable unless it is excluded, but what the client names goes first.
	identityQ = max(identityQ, 0)
	switch {
	case zstdQ > 0 && zstdQ >= gzipQ && zstdQ >= identityQ:
		return c.zstd()
	case gzipQ > 0 && gzipQ >= identityQ:
		return c.gzip()
	}
	return c.identity // also if nothing is acceptable
}

// quality returns the weight of a coding in thousandths. What is not a weight counts as 0.
func quality(parameters string) int {
	parameters = strings.Trim(parameters, " \t")
	if parameters == "" {
		return 1000
	}
	name, value, _ := strings.Cut(parameters, "=")
	if !strings.EqualFold(strings.TrimRight(name, " \t"), "q") {
		return 1000
	}
	value = strings.Trim(value, " \t")
	whole, fraction, _ := strings.Cut(value, ".")
	if whole == "1" {
		return 1000
	}
	if whole != "0" || len(fraction) > 3 {
		return 0
	}
	q, digit := 0, 100
	for i := range len(fraction) {
		if fraction[i] < '0' || fraction[i] > '9' {
			return 0
		}
		q += int(fraction[i]-'0') * digit
		digit /= 10
	}
	return q
}
