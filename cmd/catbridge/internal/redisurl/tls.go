package redisurl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.MinVersion != "" {
		c.MinVersion = versions[t.MinVersion]
	}
	var errs []error
	if t.CAFile != "" {
		pem, err := readFile(t.CAFile)
		if err != nil {
			errs = append(errs, &FieldError{"tls.ca_file", err.Error()})
		} else if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			errs = append(errs, &FieldError{"tls.ca_file", t.CAFile + " contains no certificate in PEM form"})
		}
	}
	if t.CertFile != "" && t.KeyFile != "" { // complete reports one without the other
		pair, err := t.pair()
		c.Certificates = []tls.Certificate{pair}
		errs = append(errs, err)
	}
	return c, errors.Join(errs...)
}

func (t TLS) pair() (tls.Certificate, error) {
	cert, err := readFile(t.CertFile)
	if err != nil {
		return tls.Certificate{}, &FieldError{"tls.cert_file", err.Error()}
	}
	key, err := readFile(t.KeyFile)
	if err != nil {
		return tls.Certificate{}, &FieldError{"tls.key_file", err.Error()}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, &FieldError{"tls.cert_file", fmt.Sprintf("%s and %s are not a certificate and its key: %v", t.CertFile, t.KeyFile, err)}
	}
	return pair, nil
}
