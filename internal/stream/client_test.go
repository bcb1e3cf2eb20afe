package stream

import (
	"net/http"
	"testing"
)

func TestAClientIsAnAddressOrANetworkOfIPv6(t *testing.T) {
	for remote, client := range map[string]string{
		"192.0.2.1:1":             "192.0.2.1",
		"[::ffff:192.0.2.1]:1":    "192.0.2.1",
		"[2001:db8:1:2:3::4]:1":   "2001:db8:1:2::/64",
		"[2001:db8:1:2:ff::1]:12": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":        "fe80::/64",
		"@":                       "@",
		"":                        "",
	} {
		if have := ClientOf(&http.Request{RemoteAddr: remote}); have != client {
			t.Errorf("%s: %s, want %s", remote, have, client)
		}
	}
}
