package follower

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
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

// A get and a refresh end with the client, even if a Transport ignores its context and delays Close.
func TestCloseEndsTheWaitForATransportThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		release := make(chan struct{})
		c := n.ready(t, online(cdnAt(1)), polling(Lazy, 0), func(c *Config) {
			c.Transport = transport(func(*http.Request) (*http.Response, error) {
				<-release
				return nil, errByTest
			})
		})
		refreshed, got := make(chan error, 1), make(chan int, 1)
		go func() { refreshed <- c.Refresh(context.Background()) }()
		go func() { got <- version(c) }()
		time.Sleep(time.Second)
		closed := make(chan struct{})
		go func() {
			c.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case err := <-refreshed:
			if !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		default:
			t.Error("the refresh still waits")
		}
		select {
		case <-got:
		default:
			t.Error("the get still waits")
		}
		select {
		case <-closed:
			t.Error("Close did not wait for the refresh")
		default:
		}
		close(release)
		<-closed
	})
}

// Close waits for the background work. A refresh counts as such even while it waits for its turn.
func TestCloseWaitsForRefreshes(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.ready(t, polling(Lazy, 0)) // which has no other background work
		if !c.updater.acquire() {
			t.Fatal("closed")
		}
		result := c.updater.request(always)
		ended := make(chan struct{})
		synctest.Wait() // until the refresh waits for its turn
		go func() {
			c.updater.background.Wait()
			close(ended)
		}()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("the refresh does not count")
		default:
		}
		c.updater.release()
		<-ended
		<-result
	})
}
