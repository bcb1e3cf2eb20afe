package redisurl

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errURL = errors.New("it is not a Redis URL: write redis://user:password@host:port/db, " +
	"and %40 %3A %2F %23 %3F for @ : / # ? in a password")

// options are the settings that a URL can contain as ?name=value.
var options = []string{
	"addr", "master_name", "dial_timeout", "read_timeout", "write_timeout",
	"conn_max_idle_time", "conn_max_lifetime", "pool_size", "protocol",
}

// Part is one setting of a URL.
type Part struct {
	Name   string // as in configuration files, such as tls.enabled
	Values []string
}

// Split splits a URL into settings. Its errors contain no password, even if an unescaped
// password makes the URL malformed.
//
// User and password are for Redis in every mode. Those for Sentinels have their own settings.
func Split(text string) ([]Part, error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return nil, errURL
	}
	var parts []Part
	add := func(name string, values ...string) {
		if values[0] != "" {
			parts = append(parts, Part{name, values})
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errURL
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || u.Path == "" || u.Path == "/" {
			return nil, errors.New("the path of a Unix socket is missing: write unix:///path/to/redis.sock")
		}
		add("socket", u.Path)
		add("db", query.Get("db"))
		query.Del("db")
	case "redis", "rediss":
		if u.Hostname() == "" {
			return nil, errors.New("the host is missing: write redis://host:port")
		}
		add("addresses", append([]string{u.Host}, query["addr"]...)...)
		if u.Scheme == "rediss" {
			add("tls.enabled", "true")
		}
		db := strings.Trim(u.Path, "/")
		if db != "" && query.Has("db") {
			return nil, errors.New("duplicate database: give it after the host or as ?db=, but not both")
		}
		add("db", db+query.Get("db"))
		query.Del("db")
	default:
		return nil, errors.New("it must start with redis://, rediss:// or unix://")
	}
	if u.User != nil {
		add("username", u.User.Username())
		password, _ := u.User.Password()
		add("password", password)
	}
	for name, values := range query {
		switch {
		case !slices.Contains(options, name):
			return nil, fmt.Errorf("unknown option%s: the options are %s", quoted(name), strings.Join(options, ", "))
		case name == "addr":
		case len(values) > 1:
			return nil, fmt.Errorf("duplicate option %s: it is given %d times", name, len(values))
		default:
			add(name, values...)
		}
	}
	return parts, nil
}

// quoted returns the word with a leading space, or "" if it may be a secret.
func quoted(word string) string {
	if len(word) > 30 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return " " + word
}

// Parse returns the options of a URL.
func Parse(text string, mode Mode) (Options, error) {
	parts, err := Split(text)
	if err != nil {
		return Options{}, err
	}
	s := Settings{Mode: mode}
	var errs []error
	for _, p := range parts {
		errs = append(errs, s.set(p))
	}
	if err := errors.Join(errs...); err != nil {
		return Options{}, err
	}
	return New(s)
}

func (s *Settings) set(p Part) error {
	number := func(dst *int) (err error) {
		if *dst, err = strconv.Atoi(p.Values[0]); err != nil {
			return &FieldError{p.Name, "it is not a whole number"}
		}
		return nil
	}
	duration := func(dst *time.Duration) (err error) {
		if *dst, err = time.ParseDuration(p.Values[0]); err != nil {
			return &FieldError{p.Name, "it is not a duration: write it like 1500ms, 10s or 2m"}
		}
		return nil
	}
	switch p.Name {
	case "addresses":
		s.Addresses = p.Values
	case "socket":
		s.Socket = p.Values[0]
	case "master_name":
		s.MasterName = p.Values[0]
	case "username":
		s.Username = p.Values[0]
	case "password":
		s.Password = p.Values[0]
	case "tls.enabled":
		s.TLS.Enabled = true
	case "db":
		return number(&s.DB)
	case "pool_size":
		return number(&s.PoolSize)
	case "protocol":
		return number(&s.Protocol)
	case "dial_timeout":
		return duration(&s.DialTimeout)
	case "read_timeout":
		return duration(&s.ReadTimeout)
	case "write_timeout":
		return duration(&s.WriteTimeout)
	case "conn_max_idle_time":
		return duration(&s.ConnMaxIdleTime)
	case "conn_max_lifetime":
		return duration(&s.ConnMaxLifetime)
	}
	return nil
}
