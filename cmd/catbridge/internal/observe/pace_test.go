package observe_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// slowness is how long a pipeline takes. A look has one.
type slowness time.Duration

func (s slowness) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (s slowness) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s slowness) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		time.Sleep(time.Duration(s))
		return next(ctx, commands)
	}
}

// While somebody looks, a Redis that takes a second for a look is left alone for 5 s, and otherwise for 20 s. The
// view says how long it takes to read it again.
func TestTheRestIsBoundedWhileSomebodyLooks(t *testing.T) {
	virtually(t, func(e *environment) {
		const slow = 2 * time.Second
		e.redis.AddHook(slowness(slow))
		e.wait(time.Minute)
		if least, _ := e.pace(5 * time.Minute); least < 20*slow {
			e.Errorf("while nobody looks, two looks are %v apart, want %v", least, 20*slow)
		}
		defer e.observer.Watching()()
		e.wait(10 * time.Second)
		least, most := e.pace(time.Minute)
		if least < 5*time.Second || most > 5*time.Second+3*slow {
			e.Errorf("while somebody looks, two looks are %v to %v apart, want 5 s and the looks themselves", least, most)
		}
		if pace := e.view().Pace; pace < 5*time.Second+slow || pace > 5*time.Second+3*slow {
			e.Errorf("the view says %v", pace)
		}
	})
}

// However often something changes, Redis is left alone for 20 times as long as a look took.
func TestASlowRedisIsLeftAlone(t *testing.T) {
	virtually(t, func(e *environment) {
		defer e.observer.Watching()()
		e.wait(10 * time.Second)
		const slow = 200 * time.Millisecond
		e.redis.AddHook(slowness(slow))
		e.wait(20 * time.Second)
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				case <-time.After(500 * time.Millisecond):
					e.cdn.Publish()
					_ = e.leader.RequestRefresh(e.Context(), "shop")
				}
			}
		}()
		least, _ := e.pace(time.Minute)
		close(stop)
		<-done
		if want := 20 * slow; least < want {
			e.Errorf("two looks that take %v are %v apart, want %v", slow, least, want)
		}
	})
}
