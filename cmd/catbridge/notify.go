package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/catbridge/catbridge/leader"
)

const readyCheck = 50 * time.Millisecond

// notifier notifies the service manager that started this process, see sd_notify(3).
type notifier struct {
	socket string // $NOTIFY_SOCKET; empty: no service manager
	ready  func() bool
	log    *slog.Logger
}

// run sends READY=1 once the process is ready, and STOPPING=1 when ctx ends.
func (n *notifier) run(ctx context.Context) error {
	if n.socket == "" {
		return nil
	}
	ticker := time.NewTicker(readyCheck)
	defer ticker.Stop()
	for !n.ready() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			n.report("STOPPING=1")
			return nil
		}
	}
	n.report("READY=1")
	<-ctx.Done()
	n.report("STOPPING=1")
	return nil
}

// takesPart reports whether Redis has answered for every SDK key.
func takesPart(stats leader.Stats) bool {
	for _, k := range stats.Keys {
		if k.LastContact.IsZero() {
			return false
		}
	}
	return len(stats.Keys) > 0
}

// report sends a state. It logs a failure, because a manager that does not receive READY=1
// stops the process in the end.
func (n *notifier) report(state string) {
	if err := send(n.socket, state); err != nil {
		n.log.Warn("the service manager could not be notified", "state", state, "error", err)
	}
}

// send sends a datagram to a Unix socket. A name that starts with @ is in the abstract
// namespace of Linux.
func send(socket, text string) error {
	if socket[0] != '/' && socket[0] != '@' {
		return fmt.Errorf("$NOTIFY_SOCKET %q: only Unix sockets are supported", socket)
	}
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(text))
	return err
}
