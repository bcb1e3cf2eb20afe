package follower

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
)

// Refresh reads the config from Redis now and, if the client is online, asks the CDN (S21).
// Concurrent calls share one refresh and its result (S45). After any error the config in
// force stays. With flag overrides of the behavior [LocalOnly] Refresh does nothing and
// returns nil. The errors are:
//
//   - [ErrOffline]: only the CDN could be asked, and the client is offline (3200);
//   - a [*FetchError]: the CDN returned no usable answer (1100–1106), or its last Retry-After
//     is not over (S85);
//   - [ErrClosed], after [Client.Close];
//   - the cause of ctx's end, if ctx ends first;
//   - others: the client is offline or must not ask the CDN, and Redis did not answer, or lacks the
//     content that its meta names; the CDN alternates between two configs; or the Transport
//     panicked (1003).
//
// Refresh does not make the leader ask the CDN. While Stats.Control is not 0, the client must not
// ask it either.
func (c *Client) Refresh(ctx context.Context) error {
	return c.refresh(ctx, "Refresh", always)
}

// RefreshIfOlder is like [Client.Refresh] if the CDN's last answer about the config in force
// is older than age; otherwise it does nothing (S21). If Redis then has a config that is not
// older, it does not ask the CDN.
func (c *Client) RefreshIfOlder(ctx context.Context, age time.Duration) error {
	return c.refresh(ctx, "RefreshIfOlder", max(0, age))
}

func (c *Client) refresh(ctx context.Context, method string, age time.Duration) error {
	if c.isClosed() {
		c.logClosed(method)
		return ErrClosed
	}
	if c.overrides.isOnly() {
		return nil
	}
	return c.updater.await(ctx, age)
}

// SetOnline allows the client to ask the CDN itself if the config in Redis is missing or has
// expired (S13). In the modes Subscribe and AutoPoll it then asks at once.
func (c *Client) SetOnline() { c.switchTo(true, "SetOnline", "Switched to ONLINE mode.") }

// SetOffline stops the client from asking the CDN (S13) and cancels a running request. The
// client still reads Redis and the Cache.
func (c *Client) SetOffline() { c.switchTo(false, "SetOffline", "Switched to OFFLINE mode.") }

func (c *Client) switchTo(online bool, method, text string) {
	switch {
	case c.isClosed():
		c.logClosed(method)
	case c.overrides.isOnly():
		if online {
			c.log.Warn(eventid.LocalOnly, "Client is configured to use the `LocalOnly` override behavior, thus `"+method+"()` has no effect.")
		}
	case c.updater.setOnline(online):
		c.log.Info(eventid.Switched, text)
	}
}

// IsOffline reports whether the client does not ask the CDN (S13). A closed client is offline.
func (c *Client) IsOffline() bool { return c.isClosed() || !c.updater.isOnline() }
