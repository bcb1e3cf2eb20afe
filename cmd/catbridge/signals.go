package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"
)

// endBySignal returns a context that ends with the first SIGINT or SIGTERM. The second one
// ends the process at once, after a message.
func endBySignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		again := <-signals
		fmt.Fprintln(os.Stderr, "catbridge: a second signal ended it at once; locks that a leader still holds expire on their own")
		signal.Reset(again)
		if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(again) != nil {
			os.Exit(exitFailure)
		}
	}()
	return ctx
}

// takeSignals makes a command shut down in order on other signals, too.
func takeSignals(cmd *cobra.Command) {
	switch cmd.Name() {
	case "leader", "serve": // they read their settings again on SIGHUP
		outliveReaders()
		endOnQuit(cmd)
	case "demo":
		outliveReaders()
		endOnQuit(cmd)
		endOnHangup(cmd)
	default:
		endOnHangup(cmd)
	}
}

// outliveReaders keeps a command that may hold locks running when its output is no longer
// read. SIGPIPE would end the process without releasing the locks.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// endOnHangup makes a command shut down when its terminal is closed, unless it was started
// with nohup.
func endOnHangup(cmd *cobra.Command) {
	if signal.Ignored(syscall.SIGHUP) {
		return
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
}

// endOnQuit makes a command print the stacks of all goroutines on SIGQUIT, and shut down in
// order. By default, the process would exit at once.
func endOnQuit(cmd *cobra.Command) {
	ctx, cancel := context.WithCancel(cmd.Context())
	quits := make(chan os.Signal, 1)
	signal.Notify(quits, syscall.SIGQUIT)
	go func() {
		defer cancel()
		defer signal.Stop(quits)
		select {
		case <-quits:
			_ = stderr(cmd).Linef("catbridge: shutting down on SIGQUIT; these goroutines are running:")
			_ = pprof.Lookup("goroutine").WriteTo(cmd.ErrOrStderr(), 2)
		case <-ctx.Done():
		}
	}()
	cmd.SetContext(ctx)
}
