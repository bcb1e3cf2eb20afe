package stream

import (
	"testing"
	"time"
)

func TestAHintThatTheClientHasIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		has, other := e.connectWith(t, "Have: 0"), e.connectWith(t, "Have: 1")
		has.want("retry: 1000")
		other.want("retry: 1000", "id: 0|data: first")
		e.set("second")
		has.want("data: second")
		other.want("data: second")
		_ = has.conn.Close()
		_ = other.conn.Close()
	})
}

// Three streams at 100 ms each: hints arrive within 300 ms, and not all at once. Only the latest of
// several frames arrives.
func TestHintsAreSpread(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		var clients []*client
		for range testLimits.PerClient {
			c := e.connectWith(t, "Have: 0")
			c.want("retry: 1000")
			clients = append(clients, c)
		}
		delays := map[time.Duration]bool{}
		for _, text := range []string{"a", "b", "c", "d"} {
			began := time.Now()
			e.set("skipped")
			e.set(text)
			for _, c := range clients {
				c.want("data: " + text)
				delay := time.Since(began)
				delays[delay] = true
				if delay > 300*time.Millisecond {
					t.Errorf("a hint after %v", delay)
				}
			}
		}
		if len(delays) < 4 {
			t.Errorf("the delays are %v", delays)
		}
		for _, c := range clients {
			_ = c.conn.Close()
		}
	})
}
