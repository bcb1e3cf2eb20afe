package follower

import (
	"context"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// panicked is the error that replaces a panic of a Cache or a Transport, which must not end
// the process.
type panicked struct{ reason any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.reason) }

func (p *panicked) Unwrap() error {
	err, _ := p.reason.(error)
	return err
}

// recovered must be deferred. It stores a panic in err.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = &panicked{r}
	}
}

// guarded logs the panic of work.
func (u *updater) guarded(ctx context.Context, work func(context.Context)) {
	var err error
	defer func() {
		if err != nil {
			u.log.Error(eventid.PollingFailed, "Error occurred during auto polling.", eventlog.Err(err))
		}
	}()
	defer recovered(&err)
	work(ctx)
}

// guardedRefresh logs a panic and returns it as an error.
func (u *updater) guardedRefresh(ctx context.Context, age time.Duration) (err error) {
	defer func() {
		if p, ok := err.(*panicked); ok {
			u.log.Error(eventid.RefreshFailed, "Error occurred in the `Refresh` method.", eventlog.Err(p))
			err = fmt.Errorf("follower: refresh: %w", p)
		}
	}()
	defer recovered(&err)
	return u.refresh(ctx, age)
}

// guardedCache is a ConfigCache that returns panics as errors.
type guardedCache struct{ ConfigCache }

func (c guardedCache) Get(ctx context.Context, key string) (value []byte, err error) {
	defer recovered(&err)
	return c.ConfigCache.Get(ctx, key)
}

func (c guardedCache) Set(ctx context.Context, key string, value []byte) (err error) {
	defer recovered(&err)
	return c.ConfigCache.Set(ctx, key, value)
}
