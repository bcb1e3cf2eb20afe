package leader

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// rightsRetry is the pause until rights are asked for again that were missing, or could
// not be asked for.
const rightsRetry = 10 * time.Second

// rightsAtOnce is how many SDK keys of a leader have their rights checked at a time:
// thousands that start together would hold up each other's first renewals.
const rightsAtOnce = 4

// watchRights checks what the user of Redis may do: at the start, after failures, and
// until nothing is missing. A right that is missing may show only in what has already
// half run, since a script is not rolled back.
func (e *elector) watchRights(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.recheck:
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case e.leader.rights <- struct{}{}:
		}
		drain(e.recheck) // this check answers all that was asked until now
		if !e.checkRights(ctx) {
			timer.Reset(rightsRetry)
		}
		<-e.leader.rights
	}
}

// checkRights tells whether all rights are there.
func (e *elector) checkRights(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, e.timing.RenewDeadline/2)
	defer cancel()
	err := CheckRights(ctx, e.leader.cfg.Redis, e.settings().Key, e.leader.cfg.Namespace)
	lacking, ok := errors.AsType[*RightsError](err)
	if err != nil && !ok {
		return false // Redis does not answer, which others report
	}
	var missing []string
	if ok {
		missing = lacking.Missing
	}
	var before []string
	e.stats.update(func(s *KeyStats) { before, s.MissingRights = s.MissingRights, missing })
	switch {
	case slices.Equal(before, missing):
	case len(missing) == 0:
		e.log().Info(eventRights, "The user of Redis has all rights now.")
	default:
		e.log().Error(eventNoRights, "The user of Redis lacks rights; grant them by ACL SETUSER.",
			slog.String("rules", strings.Join(missing, " ")), slog.String("nodes", strings.Join(lacking.Nodes, " ")))
	}
	return len(missing) == 0
}
