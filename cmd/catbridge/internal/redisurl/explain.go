package redisurl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

type explained struct {
	err  error
	hint string
}

func (e *explained) Error() string { return e.err.Error() + ": " + e.hint }

// Unwrap returns a list, because go-redis removes the outermost layer of the first error of a
// new connection, and with it the hint.
func (e *explained) Unwrap() []error { return []error{e.err} }

// explainTLS is like [Explain], for an error of a TLS connection.
func explainTLS(err error, server string) error {
	hint := ""
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		hint = "set redis.tls.ca_file to the certificate of its authority"
	} else if _, ok := errors.AsType[x509.HostnameError](err); ok {
		hint = fmt.Sprintf("the certificate is not for %s: set redis.tls.server_name to a name in it", server)
	} else if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		hint = "the certificate of Redis or of its authority has expired, or the clock of this host is wrong"
	} else if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		hint = "Redis does not use TLS on this port: write redis:// or set redis.tls.enabled to false"
	} else if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		hint = "Redis closed the TLS connection; see the log of Redis"
		switch text := op.Err.Error(); {
		case strings.Contains(text, "certificate required"), strings.Contains(text, "handshake failure"):
			hint = "Redis requires a client certificate: set redis.tls.cert_file and redis.tls.key_file"
		case strings.Contains(text, "certificate"), strings.Contains(text, "unknown"):
			hint = "Redis rejects the certificate in redis.tls.cert_file"
		case strings.Contains(text, "version"):
			hint = "Redis supports no TLS version that redis.tls.min_version allows"
		}
	} else if server != "" && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, context.DeadlineExceeded)) {
		hint = "the TLS handshake failed: if Redis does not use TLS on this port, write redis:// or set redis.tls.enabled to false"
	}
	if hint == "" {
		return err
	}
	return &explained{err, hint}
}

// Explain adds a hint to an error from Redis. If it has no hint, it returns err, which may be
// nil.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch text := err.Error(); {
	case strings.Contains(text, "NOAUTH"):
		hint = "give a password, for example by $CATBRIDGE_REDIS_PASSWORD"
	case strings.Contains(text, "WRONGPASS"):
		hint = "the user or the password for Redis is wrong"
	case strings.Contains(text, "MOVED "):
		hint = "this Redis belongs to a cluster: set redis.mode to cluster"
	case strings.Contains(text, "cluster support disabled"):
		hint = "this Redis is not a cluster: set redis.mode to single"
	case strings.Contains(text, "all sentinels specified in configuration are unreachable"):
		hint = "no Sentinel named a primary: check redis.master_name, and the addresses, user and password of the Sentinels"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		hint = "Redis closed the connection: if it requires TLS, write rediss:// or set redis.tls.enabled to true"
	}
	if hint == "" {
		return err
	}
	return &explained{err, hint}
}
