package follower

import (
	"errors"
	"fmt"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// completeLocal checks the config of a client that uses only overrides; other fields are
// ignored.
func (c Config) completeLocal() (Config, error) {
	var err error
	if c.Online && c.Offline {
		err = errors.New("Config.Online and Config.Offline contradict each other")
	}
	if err = errors.Join(err, c.FlagOverrides.check()); err != nil {
		return c, fmt.Errorf("follower: %w", err)
	}
	return c, nil
}

// newLocalOnly starts a client that uses only overrides. It is ready at once (S60).
func newLocalOnly(cfg Config) *Client {
	log := eventlog.New(cfg.Logger)
	hooks := startHooks(cfg.Hooks, log)
	log = log.For(hooks)
	c := &Client{
		evaluator: evaluator{log: log, hooks: hooks, failed: new(failures)}, holder: &holder{}, leaveFeed: func() {},
		ready: make(chan struct{}), stop: make(chan struct{}),
	}
	c.SetDefaultUser(cfg.DefaultUser)
	c.overrides = startOverrides(cfg.FlagOverrides, log)
	c.updater = idleUpdater(c.holder)
	c.awaitReady(0)
	register(c, sameFlags{})
	return c
}

// idleUpdater returns the updater of a client that has no sources. It does nothing.
func idleUpdater(h *holder) *updater {
	u := &updater{holder: h, fetcher: new(fetcher), initial: make(chan struct{}), begun: true, closed: true, cancel: func() {}}
	close(u.initial)
	return u
}
