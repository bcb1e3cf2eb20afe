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

// explained is an error with what to do about it.
type explained struct {
	err  error
	hint string
}

func (e *explained) Error() string { return e.err.Error() + ": " + e.hint }

// Unwrap gives a list, since go-redis takes the outermost layer off what a new
// connection says first.
func (e *explained) Unwrap() []error { return []error{e.err} }

// explainTLS adds to an error of a TLS connection what to do about it.
func explainTLS(err error, server string) error {
	hint := ""
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		hint = "trust its authority with redis.tls.ca_file"
	} else if _, ok := errors.AsType[x509.HostnameError](err); ok {
		hint = fmt.Sprintf("the certificate is not for %s: set redis.tls.server_name to a name in it", server)
	} else if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		hint = "the certificate of Redis or of its authority is out of date, or the clock here is wrong"
	} else if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		hint = "Redis does not speak TLS at this port: write redis:// or turn redis.tls.enabled off"
	} else if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		hint = "Redis ended the TLS connection"
		switch text := op.Err.Error(); {
		case strings.Contains(text, "certificate required"), strings.Contains(text, "handshake failure"):
			hint = "Redis wants a certificate of this client: give redis.tls.cert_file and redis.tls.key_file"
		case strings.Contains(text, "certificate"), strings.Contains(text, "unknown"):
			hint = "Redis refuses the certificate in redis.tls.cert_file"
		case strings.Contains(text, "version"):
			hint = "Redis speaks no TLS version that redis.tls.min_version allows"
		}
	} else if server != "" && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, context.DeadlineExceeded)) {
		hint = "Redis did not answer in TLS: if it does not speak TLS at this port, write redis:// or turn redis.tls.enabled off"
	}
	if hint == "" {
		return err
	}
	return &explained{err, hint}
}

// Explain adds to an error that Redis answered what to do about it. What it has
// nothing to add to, nil too, comes back as it is.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch text := err.Error(); {
	case strings.Contains(text, "NOAUTH"):
		hint = "give a password, such as by $CATBRIDGE_REDIS_PASSWORD"
	case strings.Contains(text, "WRONGPASS"):
		hint = "user or password for Redis are wrong"
	case strings.Contains(text, "MOVED "):
		hint = "this Redis belongs to a cluster: set redis.mode to cluster"
	case strings.Contains(text, "cluster support disabled"):
		hint = "this Redis is no cluster: set redis.mode to single"
	case strings.Contains(text, "all sentinels specified in configuration are unreachable"):
		hint = "none of the Sentinels answers and knows redis.master_name; is it spelled right, are their user and password?"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		hint = "Redis closed the connection at once: does it want TLS? Then write rediss://"
	}
	if hint == "" {
		return err
	}
	return &explained{err, hint}
}
