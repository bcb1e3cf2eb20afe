package follower

import (
	"testing"
	"time"
)

// Hooks may call any method in every mode, including Close.
func TestHooksMayRefreshAndClose(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		inBubble(t, func(t *testing.T, n *network) {
			cdn := cdnAt(1)
			clients := make(chan *Client, 1)
			done := make(chan struct{})
			hook := onChange(func() {
				c := <-clients
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				c.SetOffline()
				if version(c) != 1 {
					t.Errorf("%v: version %d", mode, version(c))
				}
				c.Close()
				close(done)
			})
			c := n.start(t, online(cdn), polling(mode, 0), func(c *Config) { c.Hooks = hook })
			clients <- c
			if mode == Manual {
				if err := c.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			}
			version(c)
			<-done
		})
	}
}

// Close ends the wait of a get and of a refresh.
func TestCloseEndsAWaitingGet(t *testing.T) {
	for _, mode := range []PollingMode{AutoPoll, Lazy, Manual} {
		inBubble(t, func(t *testing.T, n *network) {
			n.link.Freeze()
			c := n.start(t, online(cdnAt(1)), polling(mode, 0), func(c *Config) { c.MaxInitWait = -1 })
			answered := make(chan int)
			go func() { answered <- version(c) }()
			time.Sleep(time.Second)
			start := time.Now()
			c.Close()
			if got := <-answered; got != -1 || time.Since(start) > 6*time.Second {
				t.Errorf("%v: %d after %v", mode, got, time.Since(start))
			}
			version(c)
			n.link.Thaw()
		})
	}
}
