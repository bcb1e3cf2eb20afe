package hostname

import "testing"

func TestOnlyAddressesAndKnownNamesAreOwn(t *testing.T) {
	names := Lower([]string{"Bridge.example.com"})
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:8080": true, "[::1]": true, "[::1]:80": true, "::1": true, "[fe80::1%eth0]:80": true,
		"localhost": true, "LOCALHOST:80": true, "localhost.": true, "bridge.example.com": true, "BRIDGE.example.com.:80": true,
		"": false, ":80": false, "evil.example.com": false, "localhost.evil.example.com": false, "xbridge.example.com": false,
		"127.0.0.1.evil.example.com": false, "127.0.0.1:80:80": false, "localhost\x00": false,
	} {
		if got := IsOwn(host, names); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestHostNamesHaveNoSchemePortOrPath(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost": true, "a.b-c.example": true, "under_score": true, "10.0.0.1": true,
		"": false, ".": false, "a.": false, ".a": false, "a..b": false, "a:80": false, "http://a": false, "a/b": false, "a b": false, "ä": false, "a\n": false,
	} {
		if got := Valid(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
