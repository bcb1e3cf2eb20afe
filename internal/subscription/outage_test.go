package subscription_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

func TestFirstConsecutiveFailureIsNews(t *testing.T) {
	var o subscription.Outage
	if o.End() || o.On() {
		t.Error("an outage before anything failed")
	}
	for range 2 {
		for i, want := range []bool{true, false, false} {
			if got := o.News(io.EOF); got != want {
				t.Errorf("failure %d is news: %t", i, got)
			}
		}
		if !o.On() || !o.End() || o.On() {
			t.Error("the row does not end")
		}
	}
}

// F25: a refusal is news, whatever failed before it. A second refusal in the same outage is not.
func TestRefusalIsNews(t *testing.T) {
	guard := &redistest.Guard{
		Authority: redistest.NewAuthority(t), Admin: redistest.User{Name: "admin", Password: "a"},
		Nodes: "user default off\nuser admin on >a ~* &* +@all\nuser guest on >g +get\n",
	}
	server := guard.Start(t)
	trusted := guard.Authority.ClientConfig(t)
	stranger := redistest.NewAuthority(t).ClientConfig(t)
	stranger.RootCAs = trusted.RootCAs
	for name, opts := range map[string]*redis.Options{
		"password":           {Username: "guest", Password: "wrong", TLSConfig: trusted},
		"right":              {Username: "guest", Password: "g", TLSConfig: trusted},
		"its certificate":    {Username: "admin", Password: "a", TLSConfig: redistest.NewAuthority(t).ClientConfig(t)},
		"client certificate": {Username: "admin", Password: "a", TLSConfig: stranger},
		"no certificate":     {Username: "admin", Password: "a", TLSConfig: &tls.Config{RootCAs: trusted.RootCAs}},
	} {
		opts.Addr, opts.MaxRetries, opts.DialerRetries = server.Addr(), -1, 1
		client := redis.NewClient(opts)
		t.Cleanup(func() { _ = client.Close() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := client.Get(ctx, "k").Err()
		// A client sends its first command before the server has checked its certificate. The refusal
		// is lost if that command arrives at a closed connection.
		for ctx.Err() == nil && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
			err = client.Get(ctx, "k").Err()
		}
		cancel()
		var o subscription.Outage
		o.News(errors.New("the connection was closed"))
		if !o.News(err) {
			t.Errorf("%s: no news: %v", name, err)
		}
		if o.News(err) {
			t.Errorf("%s: news twice", name)
		}
	}
}
