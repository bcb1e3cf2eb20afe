package follower

import "errors"

const offlineText = "Client is in offline mode, it cannot initiate HTTP calls."

// ErrOffline is given by a refresh that only the CDN could serve while the client is
// offline (S21): event 3200.
var ErrOffline = errors.New("follower: " + offlineText)

// SetOnline lets the client ask the CDN itself when the config in Redis is missing or
// has expired (S13). It does so at once if need be.
func (c *Client) SetOnline() { c.switchTo(true, "SetOnline", "Switched to ONLINE mode.") }

// SetOffline keeps the client from asking the CDN (S13). A request that is under way
// is broken off. Redis and the Cache go on being read.
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

// IsOffline tells that the client does not ask the CDN (S13), which a closed one never does.
func (c *Client) IsOffline() bool { return c.isClosed() || !c.updater.isOnline() }
