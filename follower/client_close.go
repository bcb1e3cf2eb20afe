package follower

import "github.com/catbridge/catbridge/follower/internal/eventid"

// Close stops the client and waits for its goroutines, except for a hook that is running.
// Evaluations continue to use the config in memory. If Redis does not answer, Close takes at
// most the Redis client's ReadTimeout longer; slow OnFlagEvaluated hooks delay it by at most
// 1 s. Close is idempotent.
func (c *Client) Close() {
	c.closed.Do(func() {
		close(c.stop)
		unregister(c)
		c.updater.close()
		if c.feed != nil {
			c.feed.Leave()
		}
		if c.saver != nil {
			c.saver.close()
		}
		c.overrides.close()
		c.hooks.close()
		c.background.Wait()
	})
}

func (c *Client) isClosed() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

func (c *Client) logClosed(method string) {
	c.log.Warn(eventid.ClosedNoEffect, "The client object is already closed, thus `"+method+"()` has no effect.")
}
