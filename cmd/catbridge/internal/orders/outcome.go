package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/leader/control"
)

// Conflict says that nothing was written, because another operator was faster.
const Conflict = "another operator has changed what is in force meanwhile; nothing was written. Now:"

// Explain adds what to do to an error of package control.
func Explain(err error) error {
	if reply, ok := errors.AsType[redis.Error](err); ok && redis.IsPermissionError(reply) {
		return fmt.Errorf("%w; use a user with the rights of controller in deploy/acl", err)
	}
	for _, own := range []error{
		control.ErrConflict, control.ErrEarlierLeader, control.ErrLost, control.ErrNoConfig, control.ErrNotInForce, control.ErrPinnedLost,
	} {
		if errors.Is(err, own) {
			return err
		}
	}
	if reply, ok := errors.AsType[redis.Error](err); ok {
		return reply
	}
	return fmt.Errorf("%w; run catbridge doctor", redisurl.Explain(err))
}

// Awaited says what happened after a change was written, from the error of [control.Change.Await]. within
// is how long it was waited, in words. It returns nil if the leader has acted.
func Awaited(err error, within string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, control.ErrNoLeader):
		return errors.New("written, but there is no leader: the next one acts on it")
	case errors.Is(err, control.ErrEarlierLeader):
		return fmt.Errorf("written, but %w", control.ErrEarlierLeader)
	case errors.Is(err, context.Canceled):
		return errors.New("written; interrupted before the leader acted")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("written, but the leader has not acted within %s: see catbridge controls, or run catbridge status", within)
	}
	return fmt.Errorf("written, but it is unknown whether the leader acted: %w", redisurl.Explain(err))
}
