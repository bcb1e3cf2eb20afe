package follower_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// The certificate of the test server stands for that of a proxy that inspects TLS.
func TestAnOnlineFollowerTrustsItsRootCAsForTheCDN_S7(t *testing.T) {
	server := httptest.NewTLSServer(fakecdn.New())
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	for name, c := range map[string]struct {
		roots   *x509.CertPool
		trusted bool
	}{"with the authority": {pool, true}, "without": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			client, err := follower.New(follower.Config{
				SDKKey: "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/BBBBBBBBBBBBBBBBBBBBBB", PollingMode: follower.Manual, Online: true,
				BaseURL: server.URL, RootCAs: c.roots,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			err = client.Refresh(t.Context())
			_, refused := errors.AsType[*tls.CertificateVerificationError](err)
			if c.trusted && err != nil || !c.trusted && !refused {
				t.Errorf("refresh: %v", err)
			}
		})
	}
}
