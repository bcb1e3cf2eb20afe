package cdn

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"sync"

	"github.com/catbridge/catbridge/internal/regularfile"
)

// Roots is a set of certificate authorities. It is safe for concurrent use.
type Roots struct {
	path string // empty: the pool never changes

	mu   sync.Mutex
	pem  []byte // the source of pool
	pool *x509.CertPool
}

// NewRoots returns the authorities of a pool. The caller must not change it afterwards.
func NewRoots(pool *x509.CertPool) *Roots { return &Roots{pool: pool} }

// ReadRoots returns the authorities of a PEM file. The file is read again before each request. If
// it is unreadable or contains no certificate, the previous authorities remain in effect.
func ReadRoots(path string) (*Roots, error) {
	r := &Roots{path: path}
	return r, r.read()
}

// maxRootsBytes is larger than a bundle of all public authorities.
const maxRootsBytes = 4 << 20

func (r *Roots) read() error {
	pem, err := regularfile.Read(r.path, maxRootsBytes)
	if err != nil || r.pool != nil && bytes.Equal(pem, r.pem) {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s contains no certificate in PEM form", r.path)
	}
	r.pem, r.pool = pem, pool
	return nil
}

// current returns the current authorities. The pool is the same until they change.
func (r *Roots) current() *x509.CertPool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path != "" {
		_ = r.read()
	}
	return r.pool
}

// transport is an [http.Transport] whose authorities can change. After a change, older
// connections only finish their requests.
type transport struct {
	*http.Transport        // sends the requests if the authorities are the system's
	roots           *Roots // nil: the system's

	mu     sync.Mutex
	pool   *x509.CertPool
	rooted *http.Transport // trusts pool; nil: not needed yet
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.current().RoundTrip(r)
}

func (t *transport) current() *http.Transport {
	if t.roots == nil {
		return t.Transport
	}
	pool := t.roots.current()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rooted == nil || t.pool != pool {
		t.closeRooted()
		t.pool, t.rooted = pool, t.Clone()
		t.rooted.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t.rooted
}

func (t *transport) CloseIdleConnections() {
	t.Transport.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeRooted()
}

func (t *transport) closeRooted() {
	if t.rooted != nil {
		t.rooted.CloseIdleConnections()
	}
}
