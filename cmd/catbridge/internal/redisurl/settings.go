// Package redisurl creates Redis clients for the bridge from settings, or from a URL as their
// short form. Passwords and certificates in files are read again for each connection: a
// rotation needs no restart (F25).
package redisurl

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/regularfile"
)

// Mode is the kind of Redis at the addresses.
type Mode string

const (
	Single   Mode = "single"   // one Redis
	Sentinel Mode = "sentinel" // Sentinels, which know the primary
	Cluster  Mode = "cluster"  // nodes of a cluster
)

// Settings select a Redis and how to connect to it. The zero value of a field means the
// client library's default, unless the field says otherwise.
type Settings struct {
	Mode Mode // empty: Single
	// Addresses are host:port, or host alone for the port 6379 (Sentinels: 26379).
	Addresses []string
	Socket    string // path of a Unix socket, instead of Addresses

	MasterName string // the primary's name, for Sentinel
	DB         int
	// Namespace separates the fleet from others with the same SDK key in the same database;
	// empty: no namespace.
	Namespace string

	Username     string
	Password     string
	PasswordFile string // instead of Password

	// SentinelUsername and SentinelPassword are for the Sentinels themselves.
	SentinelUsername string
	SentinelPassword string

	TLS TLS

	DialTimeout     time.Duration
	ReadTimeout     time.Duration
	WriteTimeout    time.Duration
	ConnMaxIdleTime time.Duration
	ConnMaxLifetime time.Duration
	PoolSize        int
	Protocol        int // of RESP, 2 or 3
}

// TLS configures the encryption of connections.
type TLS struct {
	Enabled    bool
	CAFile     string // PEM certificates to trust instead of the system's
	CertFile   string // PEM client certificate, with KeyFile
	KeyFile    string
	ServerName string // that the certificate must be valid for; empty: the host of the address
	MinVersion string // 1.2 or 1.3; empty: 1.2
}

// FieldError is an error in one setting, by its name in URLs and configuration files. It
// contains no secret.
type FieldError struct {
	Name string // such as tls.ca_file
	Text string
}

func (e *FieldError) Error() string { return e.Name + ": " + e.Text }

// complete checks the settings, returns all errors at once, and adds missing ports to the
// addresses.
func (s *Settings) complete() error {
	var errs []error
	must := func(ok bool, name, format string, args ...any) {
		if !ok {
			errs = append(errs, &FieldError{name, fmt.Sprintf(format, args...)})
		}
	}
	if s.Mode == "" {
		s.Mode = Single
	}
	must(slices.Contains([]Mode{Single, Sentinel, Cluster}, s.Mode), "mode", "%q is not one of single, sentinel, cluster", s.Mode)
	port := "6379"
	if s.Mode == Sentinel {
		port = "26379"
	}
	s.Addresses = slices.Clone(s.Addresses)
	for i, address := range s.Addresses {
		full, err := withPort(address, port)
		must(err == nil, "addresses", "%v", err)
		s.Addresses[i] = full
	}
	if s.Socket != "" {
		must(len(s.Addresses) == 0, "socket", "addresses are given, too: give one of them")
		must(s.Mode == Single, "socket", "a Unix socket is a single Redis: set redis.mode to single")
		must(!s.TLS.Enabled, "socket", "a Unix socket cannot use TLS: set redis.tls.enabled to false")
	} else {
		must(len(s.Addresses) > 0, "addresses", "no address is given")
		must(s.Mode != Single || len(s.Addresses) < 2, "addresses", "%d addresses are given for a single Redis: give one, or set the mode to sentinel or cluster", len(s.Addresses))
	}
	must((s.Mode == Sentinel) == (s.MasterName != ""), "master_name", "%s", map[bool]string{
		true:  "the name by which the Sentinels know the primary is missing",
		false: "it is given, but the mode is not sentinel",
	}[s.Mode == Sentinel])
	must(s.Mode == Sentinel || s.SentinelUsername == "" && s.SentinelPassword == "", "sentinel_username", "a user or password for Sentinels is given, but the mode is not sentinel")
	must(s.DB >= 0, "db", "%d is negative", s.DB)
	must(s.Mode != Cluster || s.DB == 0, "db", "a cluster has only database 0")
	if err := cachekeys.CheckNamespace(s.Namespace); err != nil {
		must(false, "namespace", "%v", err)
	}
	must(s.Username == "" || s.Password != "" || s.PasswordFile != "", "username", "a user is given, but no password")
	must(s.SentinelUsername == "" || s.SentinelPassword != "", "sentinel_username", "a user is given, but no password")
	must(s.Password == "" || s.PasswordFile == "", "password_file", "a password is given, too: give one of them")
	must(s.PoolSize >= 0, "pool_size", "%d is negative", s.PoolSize)
	must(s.Protocol == 0 || s.Protocol == 2 || s.Protocol == 3, "protocol", "%d is neither 2 nor 3", s.Protocol)
	for name, d := range map[string]time.Duration{
		"dial_timeout": s.DialTimeout, "read_timeout": s.ReadTimeout, "write_timeout": s.WriteTimeout,
		"conn_max_idle_time": s.ConnMaxIdleTime, "conn_max_lifetime": s.ConnMaxLifetime,
	} {
		must(d >= 0, name, "%v is negative", d)
	}
	t := s.TLS
	must(t.Enabled || t == TLS{}, "tls.enabled", "TLS is configured but not enabled: set redis.tls.enabled to true, or write rediss://")
	must(t.CertFile == "" || t.KeyFile != "", "tls.cert_file", "a certificate needs its key: set redis.tls.key_file")
	must(t.KeyFile == "" || t.CertFile != "", "tls.key_file", "a key needs its certificate: set redis.tls.cert_file")
	must(t.MinVersion == "" || versions[t.MinVersion] != 0, "tls.min_version", "%q is not one of 1.2, 1.3", t.MinVersion)
	return errors.Join(errs...)
}

// withPort checks an address, and adds a missing port.
func withPort(address, port string) (string, error) {
	host, given, err := net.SplitHostPort(address)
	if err != nil {
		host, given = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), port
		if strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return "", errors.New("an address is neither host:port nor host")
		}
	}
	if host == "" || strings.ContainsAny(host, "/@?#[] \t\r\n") {
		return "", errors.New("an address is neither host:port nor host")
	}
	if n, err := strconv.Atoi(given); err != nil || n < 1 || n > 65535 {
		return "", errors.New("the port of an address is not between 1 and 65535")
	}
	return net.JoinHostPort(host, given), nil
}

// maxFile is the maximum size of a file, in bytes.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) { return regularfile.Read(path, maxFile) }
