package leader

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// to is the client's end of a connection to an address.
type to struct {
	net.Conn
	addr string
}

func (c to) RemoteAddr() net.Addr { return c }
func (c to) Network() string      { return "tcp" }
func (c to) String() string       { return c.addr }

func TestNewConnectionsToAFormerPrimaryAreClosed(t *testing.T) {
	var client redis.UniversalClient = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"127.0.0.1:1"}})
	t.Cleanup(func() { _ = client.Close() })
	if addr := client.(*redis.Client).Options().Addr; addr != failoverAddr {
		t.Fatalf("go-redis has another mark of Sentinels now: %q", addr)
	}
	p := &onePrimary{}
	dial := func(during func(), addr string) (server net.Conn, err error) {
		near, server := net.Pipe()
		t.Cleanup(func() { _, _ = near.Close(), server.Close() })
		_, err = p.DialHook(func(context.Context, string, string) (net.Conn, error) {
			during()
			return to{near, addr}, nil
		})(t.Context(), "tcp", "")
		return server, err
	}
	var former, current net.Conn
	late, err := dial(func() {
		former, _ = dial(func() {}, "former")
		current, _ = dial(func() {}, "current")
	}, "former")
	if !errors.Is(err, errFormerPrimary) {
		t.Errorf("a dial that another overtook: %v", err)
	}
	for what, conn := range map[string]net.Conn{"before": former, "while it was being made": late} {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("a connection to the former primary, dialled %s, was left open: %v", what, err)
		}
	}
	_ = current.SetDeadline(time.Now())
	if _, err := current.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection to the primary: %v", err)
	}
}
