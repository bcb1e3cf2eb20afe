package httpd

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"
)

// certificate is the certificate of the client of a connection. TLS verifies it when the connection
// begins. It is verified again once the server has other authorities, and when a part of its chain
// expires. It is safe for concurrent use.
type certificate struct {
	mu    sync.Mutex
	chain []*x509.Certificate // as the client sent it; nil: none, or no request yet

	// The last result.
	config *tls.Config
	until  time.Time
	valid  bool
}

// isValid reports whether an authority of the configuration issued the certificate of a connection
// with this state. The state has a certificate.
func (c *certificate) isValid(state *tls.ConnectionState, config *tls.Config, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chain = state.PeerCertificates
	return c.verify(config, now)
}

// isRevoked reports whether the configuration has no authority that issued the certificate. It is
// false if there is no certificate.
func (c *certificate) isRevoked(config *tls.Config, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chain != nil && !c.verify(config, now)
}

func (c *certificate) verify(config *tls.Config, now time.Time) bool {
	if c.config == config && now.Before(c.until) {
		return c.valid
	}
	c.config, c.valid = config, false
	c.until = now.Add(time.Minute) // an invalid one may become valid
	if config.ClientCAs == nil {
		return false
	}
	intermediates := x509.NewCertPool()
	for _, cert := range c.chain[1:] {
		intermediates.AddCert(cert)
	}
	chains, err := c.chain[0].Verify(x509.VerifyOptions{
		Roots: config.ClientCAs, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return false
	}
	c.valid, c.until = true, chains[0][0].NotAfter
	for _, cert := range chains[0] {
		if cert.NotAfter.Before(c.until) {
			c.until = cert.NotAfter
		}
	}
	return true
}

// verified removes from a request the certificate that the current configuration does not accept
// any more, and closes its connection afterwards.
func verified(config func() *tls.Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connKey{}).(*conn)
		if ok && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && !acceptsNow(&c.certificate, r.TLS, config) {
			without := *r.TLS // all requests of the connection share it
			without.VerifiedChains = nil
			r.TLS = &without
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// acceptsNow reports whether the configuration that is current when it returns accepts a
// certificate. [Server.CloseRevoked] for a later one knows the certificate.
func acceptsNow(c *certificate, state *tls.ConnectionState, current func() *tls.Config) bool {
	for config := current(); ; {
		valid := c.isValid(state, config, time.Now())
		next := current()
		if next == config {
			return valid
		}
		config = next
	}
}

// CloseRevoked closes the connections of clients whose certificate the current configuration does
// not accept any more, also while a request is held. Call it when the authorities of
// clients may have changed. It is safe for concurrent use.
func (s *Server) CloseRevoked() {
	if s.tls == nil {
		return
	}
	config, now := s.tls(), time.Now()
	s.listener.closeIf(func(c *conn) bool { return c.certificate.isRevoked(config, now) })
}
