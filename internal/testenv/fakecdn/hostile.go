package fakecdn

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Slow sends one byte a second.
func Slow() Fault {
	return func(w http.ResponseWriter, r *http.Request, current func() Config) {
		flush := http.NewResponseController(w)
		for _, b := range current().JSON() {
			if _, err := w.Write([]byte{b}); err != nil || flush.Flush() != nil {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
		}
	}
}

// Truncated announces the length of the whole config and closes the connection in the
// middle of it.
func Truncated() Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		config := current().JSON()
		w.Header().Set("ETag", `"truncated"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(config)))
		_, _ = w.Write(config[:len(config)/2])
		panic(http.ErrAbortHandler)
	}
}

// Huge sends a config with n additional bytes, compressed if the server does so: it is sent
// in a stream, however much of it is read.
func Huge(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		w.Header().Set("ETag", `"huge"`)
		_, _ = w.Write(current().JSON())
		spaces(w, n)
	}
}

// Bomb is Huge with compression, which makes it a thousand times smaller.
func Bomb(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		w.Header().Set("ETag", `"bomb"`)
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(current().JSON())
		spaces(z, n)
		_ = z.Close()
	}
}

func spaces(w io.Writer, n int) {
	chunk := bytes.Repeat([]byte{' '}, 64<<10)
	for ; n > 0; n -= len(chunk) {
		if _, err := w.Write(chunk[:min(n, len(chunk))]); err != nil {
			return
		}
	}
}

// Nested answers with n nested brackets.
func Nested(n int) Fault {
	return Body("application/json", `{"f":{"a":`+strings.Repeat("[", n)+strings.Repeat("]", n)+"}}")
}

// Location redirects to a URL; "" is the requested URL.
func Location(url string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ func() Config) {
		if url == "" {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return
		}
		http.Redirect(w, r, url+r.URL.Path, http.StatusFound)
	}
}

// Preferences serves a config that redirects its readers to another base URL, which they
// must obey.
func Preferences(url string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, current func() Config) {
		var config map[string]any
		if err := json.Unmarshal(current().JSON(), &config); err != nil {
			panic(err) // it is our own
		}
		config["p"] = object{"u": url, "r": 2, "s": salt}
		w.Header().Set("ETag", `"preferences"`)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(encode(config))
	}
}
