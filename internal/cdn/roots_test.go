package cdn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority returns a self-signed certificate for 127.0.0.1.
func authority(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// The file is replaced when the authority changes, while the process runs.
func TestRootsAreReadAgainForEachConnection(t *testing.T) {
	mine, minePEM := authority(t, "127.0.0.1")
	_, otherPEM := authority(t, "127.0.0.1")
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, wireConfig) }))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{mine}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	write := func(content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(otherPEM)
	roots, err := ReadRoots(path)
	if err != nil {
		t.Fatal(err)
	}
	f := wireFetcher(t, Config{BaseURL: srv.URL, Roots: roots})
	for i, c := range []struct {
		content []byte
		good    bool
	}{{otherPEM, false}, {minePEM, true}, {[]byte("in the middle of a rotation"), true}, {append(otherPEM, minePEM...), true}, {otherPEM, false}} {
		write(c.content)
		f.Close()
		_, err := f.Fetch(t.Context(), "")
		if good := err == nil; good != c.good {
			t.Errorf("%d: %v", i, errors.Unwrap(err))
		}
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !c.good && !ok {
			t.Errorf("%d: %v", i, errors.Unwrap(err))
		}
	}
}

func TestCertificateForAnotherHostIsRefused(t *testing.T) {
	other, otherPEM := authority(t, "127.0.0.2")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(otherPEM)
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{other}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, err := wireFetcher(t, Config{BaseURL: srv.URL, Roots: NewRoots(pool)}).Fetch(t.Context(), "")
	if _, ok := errors.AsType[x509.HostnameError](err); !ok {
		t.Errorf("%v: %v", err, errors.Unwrap(err))
	}
}

func TestInvalidRootsAreAnError(t *testing.T) {
	folder := t.TempDir()
	empty := filepath.Join(folder, "empty")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, empty, filepath.Join(folder, "absent"), os.DevNull} {
		if _, err := ReadRoots(path); err == nil {
			t.Errorf("%s was read", path)
		}
	}
}
