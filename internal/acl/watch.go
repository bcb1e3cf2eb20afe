package leader

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// rightsRetry is the pause before the next check after rights were missing or the check
// failed.
const rightsRetry = 10 * time.Second

// rightsAtOnce bounds the SDK keys whose rights are checked at the same time: thousands that
// start together would delay each other's first renewals.
const rightsAtOnce = 4

// watchRights checks the rights of the Redis user, see doc.go.
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
		drain(e.recheck) // this check answers all earlier requests
		if !e.checkRights(ctx) {
			timer.Reset(rightsRetry)
		}
		<-e.leader.rights
	}
}

// checkRights reports whether the user has all rights.
func (e *elector) checkRights(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, e.timing.RenewDeadline/2)
	defer cancel()
	err := CheckRights(ctx, e.leader.cfg.Redis, e.settings().Key, e.leader.cfg.Namespace)
	lacking, ok := errors.AsType[*RightsError](err)
	if err != nil && !ok {
		return false // Redis does not answer, which the election reports
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
