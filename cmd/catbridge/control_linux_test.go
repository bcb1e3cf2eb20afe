package main

import "testing"

func TestOnATerminalAnOrderIsWrittenOnlyAfterYes(t *testing.T) {
	c := newControlled(t)
	c.act()
	force := []string{"force", "on", "false", "--for", "1h", "--reason", "x"}
	for answer, want := range map[string]int{"\r": exitFailure, "n\r": exitFailure, "yesterday\r": exitFailure, "Y\r": exitOK} {
		s := startOnTerminal(t, force...)
		s.shown.expect(t, `on: default value changed: false \(was true\)`)
		s.shown.expect(t, `main: force "on" to "false" for 1h0m0s\? \[y/N\] `)
		if c.stored() != nil {
			t.Error("it was written before the answer")
		}
		s.press(t, answer)
		if code := <-s.code; code != want {
			t.Errorf("%q: exit %d, want %d", answer, code, want)
		}
		if written := c.stored() != nil; written != (want == exitOK) {
			t.Errorf("%q: written %v", answer, written)
		}
		c.client.Del(t.Context(), c.keys.Control)
		c.publish(controlConfig("one", 1), 0)
	}
}

func TestAnInterruptedQuestionWritesNothing(t *testing.T) {
	c := newControlled(t)
	s := startOnTerminal(t, "pin", "--for", "1h", "--reason", "x")
	s.shown.expect(t, `\[y/N\] `)
	s.cancel()
	if code := <-s.code; code != exitFailure || c.stored() != nil {
		t.Errorf("exit %d, stored %+v", code, c.stored())
	}
	s.shown.expect(t, `interrupted; nothing was written`)
}

// The second of two operators sees what the first has done, and is asked again.
func TestAnOperatorIsAskedAgainAfterAnothersChange(t *testing.T) {
	c := newControlled(t)
	c.act()
	s := startOnTerminal(t, "force", "on", "false", "--for", "1h", "--reason", "x")
	s.shown.expect(t, `\[y/N\] `)
	c.run(exitOK, ordered("force", "limit", "9")...)
	s.press(t, "y\r")
	s.shown.expect(t, `another operator has changed what is in force meanwhile; nothing was written. Now:`)
	s.shown.expect(t, `main: forced limit to 9 until 20\S+Z by me@host: checkout fails`)
	s.shown.expect(t, `limit: default value changed: 9 \(was 1\)`)
	s.shown.expect(t, `\[y/N\] `)
	s.press(t, "y\r")
	s.end(t)
	if stored := c.stored(); len(stored.Forced) != 2 {
		t.Errorf("stored %+v", stored)
	}
}
