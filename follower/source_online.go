package follower

import "errors"

const offlineText = "Client is in offline mode, it cannot initiate HTTP calls."

// ErrOffline is the error of a refresh that only the CDN could serve while the client is
// offline (S21). Its event is 3200.
var ErrOffline = errors.New("follower: " + offlineText)

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
			c.log.Warn(eventLocalOnly, "Client is configured to use the `LocalOnly` override behavior, thus `"+method+"()` has no effect.")
		}
	case c.updater.setOnline(online):
		c.log.Info(eventSwitched, text)
	}
}

// IsOffline reports whether the client does not ask the CDN (S13). A closed client is offline.
func (c *Client) IsOffline() bool { return c.isClosed() || !c.updater.isOnline() }
