package cdn

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// addresses is a network in which the CDN's name has one address after another.
type addresses struct {
	now    string
	dialed []string
	serve  func(conn net.Conn, address string)
}

func (a *addresses) dial(context.Context, string, string) (net.Conn, error) {
	a.dialed = append(a.dialed, a.now)
	client, server := net.Pipe()
	go a.serve(server, a.now)
	return client, nil
}

// answering serves requests on a connection until it is closed, with the address as ETag.
func answering(conn net.Conn, address string) {
	defer conn.Close()
	for requests := bufio.NewReader(conn); ; {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		_ = r.Body.Close()
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nEtag: %s\r\nContent-Length: %d\r\n\r\n%s", address, len(wireConfig), wireConfig)
	}
}

// A server that keeps answering must not keep a process at an address that the CDN's name no
// longer has.
func TestDNSChangeIsNoticedWithinFiveMinutes(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC))) // the certificate is then valid
				network := &addresses{now: "old", serve: answering}
				if scheme == "https" {
					network.serve = func(conn net.Conn, address string) {
						answering(tls.Server(conn, &tls.Config{Certificates: certificate.TLS.Certificates}), address)
					}
				}
				f, err := New(Config{SDKKey: wireKey, BaseURL: scheme + "://cdn.test"})
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				f.own.DialContext = ageing(network.dial)
				if scheme == "https" {
					f.own.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
				}
				changed := time.Now()
				for range 120 {
					got, err := f.Fetch(t.Context(), "")
					if err != nil {
						t.Fatal(err)
					}
					if got.Requests != 1 {
						t.Errorf("%d requests", got.Requests)
					}
					if got.ETag != network.now && time.Since(changed) >= maxConnAge {
						t.Fatalf("%s answers %v after the change", got.ETag, time.Since(changed))
					}
					if got.ETag == network.now {
						network.now, changed = fmt.Sprintf("after-%s", time.Since(changed)), time.Now()
					}
					time.Sleep(55 * time.Second)
				}
				if n := len(network.dialed); n < 15 || n > 25 {
					t.Errorf("%d connections for 120 requests in 110 minutes", n)
				}
			})
		})
	}
}
