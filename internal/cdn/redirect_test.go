package cdn

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func mustParse(text string) *url.URL {
	u, err := parseHTTPURL(text)
	if err != nil {
		panic(err)
	}
	return u
}

func TestURLsAreNormalized(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"https://cdn.example.com", "https://cdn.example.com"},
		{"https://cdn.example.com/", "https://cdn.example.com"},
		{"HTTPS://CDN.Example.COM:443//", "https://cdn.example.com"},
		{"http://cdn.example.com:80/a/b/", "http://cdn.example.com/a/b"},
		{"http://cdn.example.com:443", "http://cdn.example.com:443"},
		{"http://[2001:DB8:0::1]:8080", "http://[2001:db8::1]:8080"},
		{"http://[::1]", "http://[::1]"},
		{"http://localhost:9000", "http://localhost:9000"},
		{"http://my_cdn:8080/x%2Fy", "http://my_cdn:8080/x%2Fy"},
	} {
		u, err := parseHTTPURL(c.text)
		if err != nil || u.String() != c.want {
			t.Errorf("%q: %v, %v; want %s", c.text, u, err, c.want)
		}
	}
}

func TestInvalidURLsAreRejected(t *testing.T) {
	for _, text := range []string{
		"", "cdn.example.com", "//cdn.example.com", "ftp://cdn.example.com", "file:///etc/passwd", "javascript:alert(1)",
		"https:", "https://", "https://:443", "https:cdn.example.com", "https://cdn.example.com:", "https://cdn.example.com:0",
		"https://cdn.example.com:65536", "https://cdn.example.com:a", "https://cdn..example.com", "https://cdn.example.com.",
		"https://.example.com", "https://cdn example.com", "https://cdn.example.com/?a=b", "https://cdn.example.com/?",
		"https://cdn.example.com/#f", "https://cdn.example.com/#", "https://cdn.exämple.com", "https://cdn.example.com\r\nX: y",
		"https://cdn.example.com\\@evil.example", "https://[::1", "https://[fe80::1%25eth0]", "https://%65vil.example",
		"https://" + strings.Repeat("a", 64) + ".example", "https://" + strings.Repeat("abc.", 64) + "example", "https://cdn.example.com/%zz",
	} {
		if u, err := parseHTTPURL(text); err == nil {
			t.Errorf("%q is accepted as %v", text, u)
		}
	}
}

func TestRedirectsLeadOnlyToAllowedHosts_F26(t *testing.T) {
	for _, c := range []struct {
		base    string
		allowed []string
		private bool
		to      string
		ok      bool
	}{
		{"https://cdn-global.configcat.com", nil, false, "https://cdn-eu.configcat.com", true},
		{"https://cdn-global.configcat.com", nil, false, "https://CDN-forced.ConfigCat.com:8443/x", true},
		{"https://cdn-global.configcat.com", nil, false, "https://configcat.com", false},
		{"https://cdn-global.configcat.com", nil, false, "https://evilconfigcat.com", false},
		{"https://cdn-global.configcat.com", nil, false, "https://cdn.configcat.com.evil.example", false},
		{"https://cdn-global.configcat.com", nil, false, "https://cdn.configcat.com@evil.example", false},
		{"https://cdn-global.configcat.com", nil, false, "https://user:password@cdn-eu.configcat.com", false},
		{"https://cdn-global.configcat.com", nil, false, "http://cdn-eu.configcat.com", false}, // downgrade
		{"https://cdn-global.configcat.com", nil, false, "https://cdn.example.com", false},
		{"https://cdn-global.configcat.com", nil, false, "https://" + strings.Repeat("a.", 1500) + "configcat.com", false},

		{"https://cdn.example.com", nil, false, "https://cdn.example.com/else", true},
		{"https://cdn.example.com", nil, false, "https://cdn.example.com:9000", true},
		{"https://cdn.example.com", nil, false, "https://cdn-eu.configcat.com", true},
		{"https://cdn.example.com", nil, false, "https://other.example.com", false},
		{"https://cdn.example.com", []string{"Other.example.com"}, false, "https://other.example.com:9000", true},
		{"https://cdn.example.com", []string{"other.example.com:9000"}, false, "https://other.example.com:9000", true},
		{"https://cdn.example.com", []string{"other.example.com:9000"}, false, "https://other.example.com", false},
		{"https://cdn.example.com", []string{"other.example.com:443"}, false, "https://other.example.com", true},
		{"https://cdn.example.com", []string{"*.example.org"}, false, "https://a.b.example.org", true},
		{"https://cdn.example.com", []string{"*.example.org"}, false, "https://example.org", false},
		{"http://cdn.example.com", nil, false, "http://cdn-eu.configcat.com", true},
		{"http://cdn.example.com", nil, false, "https://cdn-eu.configcat.com", true},

		// The base URL itself may be private, but no other URL.
		{"http://127.0.0.1:8080", nil, false, "http://127.0.0.1:8080/else", true},
		{"http://127.0.0.1:8080", nil, false, "http://127.0.0.1:6379", false},
		{"http://127.0.0.1:8080", nil, true, "http://127.0.0.1:6379", true},
		{"http://localhost:8080", nil, false, "http://localhost:6379", false},
		{"http://localhost:8080", nil, true, "http://localhost:6379", true},
		{"http://cdn.example.com", []string{"*.localhost"}, false, "http://a.localhost", false},
		{"http://cdn.example.com", []string{"169.254.169.254"}, false, "http://169.254.169.254/latest", false},
		{"http://cdn.example.com", []string{"169.254.169.254"}, true, "http://169.254.169.254/latest", true},
		{"http://cdn.example.com", nil, true, "http://169.254.169.254/latest", false},
		{"http://cdn.example.com", []string{"fd00::1"}, true, "http://[fd00::1]:80", true},
		{"http://cdn.example.com", []string{"[fd00::1]:81"}, true, "http://[FD00::1]:81", true},
		{"http://cdn.example.com", []string{"fd00::1"}, false, "http://[fd00::1]", false},
		{"http://cdn.example.com", []string{"93.184.216.34"}, false, "http://93.184.216.34", true},
	} {
		policy, err := newHostPolicy(mustParse(c.base), c.allowed, c.private)
		if err != nil {
			t.Fatal(err)
		}
		_, err = policy.redirectBase(c.to)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errRedirectRefused) {
			t.Errorf("from %s (allowed %v, private %v) to %s: %v", c.base, c.allowed, c.private, c.to, err)
		}
		// The same rules apply to a Location header.
		if _, err := policy.location(mustParse(c.base), c.to+"/configuration-files/k/config_v6.json?x=y"); (err == nil) != c.ok {
			t.Errorf("Location: from %s (allowed %v, private %v) to %s: %v", c.base, c.allowed, c.private, c.to, err)
		}
	}
}

func TestLocationIsResolved(t *testing.T) {
	base := mustParse("http://user:password@cdn.example.com:8080/a/b")
	policy, err := newHostPolicy(base, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ location, want string }{
		{"c", "http://user:password@cdn.example.com:8080/a/c"},
		{"/c?d=e", "http://user:password@cdn.example.com:8080/c?d=e"},
		{"//cdn-eu.configcat.com/c", "http://cdn-eu.configcat.com/c"}, // the password stays behind
		{"https://cdn.example.com/c", "https://cdn.example.com/c"},
		{"", ""},
		{"ftp:/x", ""},
		{"//evil.example/c", ""},
		{"http://x:y@cdn.example.com:8080/c", ""},
		{"http://[::1", ""},
		{"mailto:a@b", ""},
	} {
		u, err := policy.location(base, c.location)
		if c.want == "" {
			if err == nil {
				t.Errorf("%q leads to %v", c.location, u)
			}
		} else if err != nil || u.String() != c.want {
			t.Errorf("%q: %v, %v; want %s", c.location, u, err, c.want)
		}
	}
}

func TestAllowedHostsAreChecked(t *testing.T) {
	for _, entry := range []string{
		"", "*", "*.", "https://cdn.example.com", "cdn.example.com/path", "cdn.example.com:", "cdn.example.com:x", "a b", "*.*.com", "**.com",
		"user@cdn.example.com", ".example.com", "cdn.*.com", "exämple.com", "[::1", "::1]:80",
	} {
		if _, err := newHostPolicy(mustParse("https://cdn.example.com"), []string{entry}, false); err == nil {
			t.Errorf("%q is accepted", entry)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for _, text := range []string{"1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1", "::ffff:1.1.1.1", "64:ff9b::101:101"} {
		if !isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::1",
		"100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("no address is not public")
	}
}
