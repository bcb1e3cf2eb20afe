package follower

import (
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
)

// minPollInterval replaces shorter ones (S40).
const minPollInterval = time.Second

// complete checks the config. It returns the config with its defaults, and its fetcher, which
// is nil if the client has only overrides.
func (c Config) complete() (Config, *fetcher, error) {
	c.Logger = eventlog.AtLeast(c.Logger, c.LogLevel)
	if c.isLocalOnly() {
		c, err := c.completeLocal()
		return c, nil, err
	}
	var errs []error
	fetcher, err := c.newFetcher()
	if err != nil {
		errs = append(errs, err)
	}
	if c.Online && c.Offline {
		errs = append(errs, errors.New("Config.Online and Config.Offline contradict each other"))
	}
	if c.PollingMode < Subscribe || c.PollingMode > Manual {
		errs = append(errs, fmt.Errorf("Config.PollingMode is %v, want Subscribe, AutoPoll, Lazy or Manual", c.PollingMode))
	}
	switch {
	case c.PollInterval == 0:
		c.PollInterval = DefaultPollInterval
	case c.PollInterval < minPollInterval:
		c.PollInterval = minPollInterval
	}
	if c.Redis != nil || c.PollingMode == Subscribe || c.Cache == nil && !c.Online {
		if err := redisnode.Check(c.Redis); err != nil {
			errs = append(errs, fmt.Errorf("Config.Redis: %w", err))
		}
	}
	if err := cachekeys.CheckNamespace(c.Namespace); err != nil {
		errs = append(errs, fmt.Errorf("Config.Namespace: %w", err))
	}
	if err := c.FlagOverrides.check(); err != nil {
		errs = append(errs, err)
	}
	if _, err := c.reports(); err != nil {
		errs = append(errs, err)
	}
	if c.Timings, err = c.Timings.complete(); err != nil {
		errs = append(errs, err)
	}
	if c.MaxInitWait == 0 {
		c.MaxInitWait = DefaultMaxInitWait
	}
	if err := errors.Join(errs...); err != nil {
		return c, nil, fmt.Errorf("follower: %w", err)
	}
	return c, fetcher, nil
}

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

func (c Config) isLocalOnly() bool {
	return c.FlagOverrides != nil && c.FlagOverrides.Behavior == LocalOnly
}
