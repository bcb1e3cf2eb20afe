package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// endOnHangup lets a command end when its terminal is gone, unless it was started with
// nohup. A leader takes the signal as that to read its settings again.
func endOnHangup(cmd *cobra.Command) {
	if cmd.Name() == "leader" || signal.Ignored(syscall.SIGHUP) {
		return
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
}
