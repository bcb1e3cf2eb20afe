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
