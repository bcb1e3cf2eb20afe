package follower

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// panicked is the error that replaces a panic of a Cache, a Transport or a Logger, which must not
// end the process. Its reason is errGoexit if one of them ended its goroutine instead.
type panicked struct{ reason any }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.reason) }

func (p *panicked) Unwrap() error {
	err, _ := p.reason.(error)
	return err
}

// safely returns a panic of work as a [*panicked]. work has a goroutine of its own, so that others
// do not wait forever if it ends its goroutine (runtime.Goexit, t.FailNow).
func safely(work func() error) error {
	var err error = &panicked{errGoexit}
	var running sync.WaitGroup
	running.Go(func() {
		defer recovered(&err)
		err = work()
	})
	running.Wait()
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
	err := safely(func() error {
		work(ctx)
		return nil
	})
	if err != nil {
		u.logPanic(eventid.PollingFailed, "Error occurred during auto polling.", err)
	}
}

// guardedRefresh logs a panic and returns it as an error.
func (u *updater) guardedRefresh(ctx context.Context, age time.Duration) error {
	err := safely(func() error { return u.refresh(ctx, age) })
	if p, ok := err.(*panicked); ok { //nolint:errorlint // safely does not wrap it
		u.logPanic(eventid.RefreshFailed, "Error occurred in the `Refresh` method.", p)
		return fmt.Errorf("follower: refresh: %w", p)
	}
	return err
}

// logPanic logs err. The Logger may be what panicked, and panic again.
func (u *updater) logPanic(id int, text string, err error) {
	_ = safely(func() error {
		u.log.Error(id, text, eventlog.Err(err))
		return nil
	})
}

// guardedCache is a ConfigCache that returns panics as errors.
type guardedCache struct{ ConfigCache }

func (c guardedCache) Get(ctx context.Context, key string) (value []byte, err error) {
	err = safely(func() (err error) {
		value, err = c.ConfigCache.Get(ctx, key)
		return err
	})
	return value, err
}

func (c guardedCache) Set(ctx context.Context, key string, value []byte) error {
	return safely(func() error { return c.ConfigCache.Set(ctx, key, value) })
}
