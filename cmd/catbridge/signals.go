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
// ends the process at once, which says so.
func endBySignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		again := <-signals
		fmt.Fprintln(os.Stderr, "catbridge: ended at once by a second signal; locks that a leader still held expire by themselves")
		signal.Reset(again)
		if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(again) != nil {
			os.Exit(exitFailure)
		}
	}()
	return ctx
}

// takeSignals lets a command end in good order by other signals, too.
func takeSignals(cmd *cobra.Command) {
	switch cmd.Name() {
	case "leader": // SIGHUP makes it read its settings again
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

// outliveReaders lets a command that may hold locks go on when nobody reads its output any
// more. SIGPIPE would end the process without releasing them.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// endOnHangup lets a command end when its terminal is gone, unless it was started with
// nohup.
func endOnHangup(cmd *cobra.Command) {
	if signal.Ignored(syscall.SIGHUP) {
		return
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
}

// endOnQuit lets a command print the stacks of all goroutines and end in good order, where
// by default it would print them and exit at once.
func endOnQuit(cmd *cobra.Command) {
	ctx, cancel := context.WithCancel(cmd.Context())
	quits := make(chan os.Signal, 1)
	signal.Notify(quits, syscall.SIGQUIT)
	go func() {
		defer cancel()
		defer signal.Stop(quits)
		select {
		case <-quits:
			_ = stderr(cmd).Linef("catbridge: ending by SIGQUIT; these goroutines are running:")
			_ = pprof.Lookup("goroutine").WriteTo(cmd.ErrOrStderr(), 2)
		case <-ctx.Done():
		}
	}()
	cmd.SetContext(ctx)
}
